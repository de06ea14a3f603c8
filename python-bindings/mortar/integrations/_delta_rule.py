"""The gated delta rule in transformers' signature.

transformers' state is [B, HV, K, V] in float32. Mortar's kernel takes a pool of slots,
[B + 1, HV, V, K], whose first slot is padding. So a state made here is a view of such a
pool, without its first slot and with its last dimensions swapped: to transformers a tensor
like any other, of the shape it knows; its cache keeps it as it is, and each step updates
it where it lies. A state from elsewhere is copied into a pool, and the result back by the
cache.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch

from mortar import ops
from mortar.integrations._patches import Declined, expect_plain

MOST_KEYS, MOST_OF_A_STATE = 1024, 65536
RECURRENT, CHUNKED = "torch_recurrent_gated_delta_rule", "torch_chunk_gated_delta_rule"


@dataclass(eq=False)
class Pool:
    """What a state is a view of, and the slots of its sequences, 1 to B."""

    slots: torch.Tensor
    indices: torch.Tensor

    @classmethod
    def make(cls, shape: tuple[int, ...], device: torch.device,
             state: torch.Tensor | None) -> torch.Tensor:
        """A state over a new pool, with the values of another or zeros."""
        batch, heads, keys, values = shape
        pool = cls(torch.zeros(batch + 1, heads, values, keys, device=device),
                   torch.arange(1, batch + 1, dtype=torch.int32, device=device))
        made = pool.slots[1:].transpose(-1, -2)
        if state is not None:
            made.copy_(state)
        made.mortar_pool = pool
        return made

    @staticmethod
    def of(state: Any) -> "Pool | None":
        """Of the very tensor that `make` gave, or of a deep copy."""
        pool = getattr(state, "mortar_pool", None)
        if pool is None or pool.slots[1:].data_ptr() != state.data_ptr():
            return None
        return pool


def expect_keywords(more: tuple, others: dict[str, Any]) -> None:
    if more:  # the two functions of transformers differ in what comes sixth
        raise Declined("expected keyword arguments behind beta")
    for name in ("cu_seqlens", "scale"):
        if others.get(name) is not None:
            raise Declined(f"{name}: expected None, found {type(others[name]).__name__}")


def expect_shapes(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
                  g: torch.Tensor, beta: torch.Tensor,
                  state: torch.Tensor | None) -> tuple[int, ...]:
    """Of the state, which a kernel must be able to hold: C10 of dialects/Mortar/OPS.md."""
    if not query.dtype == key.dtype == value.dtype:
        raise Declined(f"expected query, key and value of one type, found {query.dtype}, "
                       f"{key.dtype} and {value.dtype}")
    batch, _, heads, keys = key.shape
    shape = (batch, value.shape[2], keys, value.shape[3])
    if query.shape != key.shape or shape[1] % heads or (
            state is not None and tuple(state.shape) != shape):
        raise Declined(f"expected query as key, {tuple(key.shape)}, and a state of {shape}, "
                       f"found {tuple(query.shape)} and "
                       f"{None if state is None else tuple(state.shape)}")
    if not g.shape == beta.shape == value.shape[:-1]:
        raise Declined(f"expected g and beta of {tuple(value.shape[:-1])}, found "
                       f"{tuple(g.shape)} and {tuple(beta.shape)}")
    if keys > MOST_KEYS or keys * shape[3] > MOST_OF_A_STATE:
        raise Declined(f"expected at most {MOST_KEYS} keys and {MOST_OF_A_STATE} elements of "
                       f"a head's state, found {keys} × {shape[3]}")
    return shape


def run(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, g: torch.Tensor,
        beta: torch.Tensor, slots: torch.Tensor, indices: torch.Tensor,
        normalize: bool) -> torch.Tensor:
    query, key, value = [x if x.stride(-1) == 1 else x.contiguous()
                         for x in (query, key, value)]
    if normalize and key.shape[1] > 1:
        # The same bits by kernels of their own, which take all tokens at once; in the
        # recurrence each token would wait for its norms.
        query, key = ops.l2_norm(query, dtype="f32"), ops.l2_norm(key, dtype="f32")
        normalize = False
    return ops.gated_delta_rule(query, key, value, g.contiguous(), beta.contiguous(), slots,
                                indices, use_qk_l2norm_in_kernel=normalize)


def rule(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, g: torch.Tensor,
         beta: torch.Tensor, *more: Any, initial_state: torch.Tensor | None = None,
         output_final_state: bool = False, use_qk_l2norm_in_kernel: bool = False,
         **others: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    expect_keywords(more, others)
    given = (query, key, value, g, beta)
    expect_plain(*given, *(() if initial_state is None else (initial_state,)))
    shape = expect_shapes(query, key, value, g, beta, initial_state)
    # In place only what goes back to a cache that handed it out.
    state = initial_state if output_final_state else None
    if Pool.of(state) is None:
        state = Pool.make(shape, value.device, initial_state)
    pool = state.mortar_pool
    out = run(query, key, value, g, beta, pool.slots, pool.indices, use_qk_l2norm_in_kernel)
    return out, state if output_final_state else None


def chunked(limit: int | None, function: Any) -> Any:
    """The rule for prompts of up to ``limit`` tokens, and for longer ones ``function``,
    whose state is handed on as one of a pool."""
    def attempt(query: torch.Tensor, key: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if limit is None or key.shape[1] <= limit:
            return rule(query, key, *args, **kwargs)
        reason = f"a prompt of more than {limit} tokens"
        if torch.is_grad_enabled() or kwargs.get("initial_state") is not None:
            raise Declined(reason)
        out, state = function(query, key, *args, **kwargs)
        if type(state) is torch.Tensor and state.dtype == torch.float32:
            state = Pool.make(tuple(state.shape), state.device, state)
        raise Declined(reason, (out, state))

    return attempt


@torch.library.custom_op("mortar::transformers_gated_delta_rule", mutates_args=("state",))
def in_graphs(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, g: torch.Tensor,
              beta: torch.Tensor, state: torch.Tensor, indices: torch.Tensor,
              normalize: bool) -> torch.Tensor:
    """The rule on a state of transformers' layout, as torch.compile sees it: a pool and a
    view of it would be two inputs of one memory, which its graphs copy."""
    batch, heads, keys, values = state.shape
    shape, slot = (batch + 1, heads, values, keys), heads * values * keys
    if state.transpose(-1, -2).is_contiguous() and state.storage_offset() >= slot:
        slots = state.as_strided(shape, (slot, values * keys, keys, 1),
                                 state.storage_offset() - slot)
        return run(query, key, value, g, beta, slots, indices, normalize)
    copy = Pool.make(tuple(state.shape), state.device, state)
    out = run(query, key, value, g, beta, copy.mortar_pool.slots, indices, normalize)
    state.copy_(copy)
    return out


@in_graphs.register_fake
def _(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any) -> torch.Tensor:
    return value.new_empty(value.shape)


def traced(limit: int | None, original: Any) -> Any:
    """The rule in torch.compile's graphs: of steps whose state is a pool's, and of prompts
    that begin one. Others are traced as transformers' own loops: a copy of the state there
    and back would be more than what Inductor makes of them."""
    def attempt(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, g: torch.Tensor,
                beta: torch.Tensor, *more: Any, initial_state: torch.Tensor | None = None,
                output_final_state: bool = False, use_qk_l2norm_in_kernel: bool = False,
                **others: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        pool = getattr(initial_state, "mortar_pool", None)
        state = initial_state
        try:
            if limit is not None and key.shape[1] > limit:
                raise Declined(f"a prompt of more than {limit} tokens")
            if state is not None and (pool is None or not output_final_state):
                raise Declined("a state that another function began")
            expect_keywords(more, others)
            expect_plain(query, key, value, g, beta)
            shape = expect_shapes(query, key, value, g, beta, state)
        except Declined:
            return original(query, key, value, g, beta, *more, initial_state=initial_state,
                            output_final_state=output_final_state,
                            use_qk_l2norm_in_kernel=use_qk_l2norm_in_kernel, **others)
        if state is None:
            slots = value.new_zeros((shape[0] + 1, shape[1], shape[3], shape[2]),
                                    dtype=torch.float32)
            state = slots[1:].transpose(-1, -2)
            indices = torch.arange(1, shape[0] + 1, dtype=torch.int32, device=value.device)
        else:
            indices = pool.indices
        out = in_graphs(query, key, value, g, beta, state, indices, use_qk_l2norm_in_kernel)
        return out, state if output_final_state else None

    return attempt


def lazy_initialization(original: Any) -> Any:
    """LinearAttentionLayer's, which keeps a state of ours instead of making zeros like it
    to copy it to."""
    def attempt(self: Any, conv_states: Any = None, recurrent_states: Any = None,
                state_idx: int = 0, **others: Any) -> None:
        if Pool.of(recurrent_states) is None:
            return original(self, conv_states=conv_states, recurrent_states=recurrent_states,
                            state_idx=state_idx, **others)
        if conv_states is not None:
            original(self, conv_states=conv_states, state_idx=state_idx, **others)
        self.recurrent_states[state_idx] = recurrent_states
        # Its address stays, as the cache promises to CUDA graphs.
        torch._dynamo.mark_static_address(recurrent_states)
        torch._dynamo.mark_static_address(recurrent_states.mortar_pool.indices)
        self.is_recurrent_states_initialized[state_idx] = True

    return attempt


def computes_the_rule(function: Any) -> bool:
    """Whether transformers' reference under a function, on a few numbers, gives what the
    rule's formula does (dialects/Mortar/OPS.md): a later version may mean something else."""
    reference = inspect.unwrap(function)
    generator = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(1, 3, 2, width, generator=generator) for width in (4, 4, 3))
    g, beta = -torch.rand(1, 3, 2, generator=generator), torch.rand(1, 3, 2, generator=generator)
    first = torch.randn(1, 2, 4, 3, generator=generator)
    state, outs = first.clone(), []
    norm = lambda x: x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt()
    for at in range(3):
        state = state * g[:, at, :, None, None].exp()
        old = torch.einsum("bhkv,bhk->bhv", state, norm(k)[:, at])
        state = state + torch.einsum("bhk,bhv->bhkv", norm(k)[:, at],
                                     (v[:, at] - old) * beta[:, at, :, None])
        outs.append(torch.einsum("bhkv,bhk->bhv", state, norm(q)[:, at]) / 2)
    try:
        with torch.no_grad():
            out, last = reference(q, k, v, g=g, beta=beta, initial_state=first,
                                  output_final_state=True, use_qk_l2norm_in_kernel=True)
            return (torch.allclose(out, torch.stack(outs, 1), atol=1e-5)
                    and torch.allclose(last, state, atol=1e-5))
    except Exception:  # whatever another signature leads to
        return False
