"""torch.compile(backend="mortar") on decoders of transformers: random weights, small widths,
but the graphs that these models have."""

import pytest
import torch

import mortar
import mortar.torch
from mortar.dynamo import Backend

transformers = pytest.importorskip("transformers")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("fresh_compiler")]

WIDTHS = dict(vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
              num_attention_heads=4, num_key_value_heads=2, head_dim=16,
              max_position_embeddings=64)
EXPERTS = dict(num_experts_per_tok=2, moe_intermediate_size=32)
# The chains of each: a model's first norm, then those of its two layers. Where experts are
# summed up, or the delta rule's state is read, Inductor has them in the norm's kernel, and so
# it has Gemma's norms of queries and keys with their rotation.
MODELS = {
    "llama": (transformers.LlamaForCausalLM, transformers.LlamaConfig, {}, 1 + 2 * 3),
    "gemma3": (transformers.Gemma3ForCausalLM, transformers.Gemma3TextConfig, {}, 1 + 2 * 3),
    "qwen3_next": (
        transformers.Qwen3NextForCausalLM, transformers.Qwen3NextConfig,
        dict(EXPERTS, layer_types=["linear_attention", "full_attention"], num_experts=4,
             linear_num_value_heads=4, linear_num_key_heads=2, linear_key_head_dim=16,
             linear_value_head_dim=16, shared_expert_intermediate_size=32,
             decoder_sparse_step=1), None),
    "deepseek_v3": (
        transformers.DeepseekV3ForCausalLM, transformers.DeepseekV3Config,
        dict(EXPERTS, head_dim=None, num_key_value_heads=4, q_lora_rank=32, kv_lora_rank=16,
             qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=16, n_routed_experts=4,
             n_group=1, topk_group=1, first_k_dense_replace=1, n_shared_experts=1), None),
}


def make(name, dtype):
    kind, config, more, chains = MODELS[name]
    options = {key: value for key, value in {**WIDTHS, **more}.items() if value is not None}
    return kind(config(**options)).to(dtype).eval(), chains


@pytest.mark.parametrize("name, dtype", [
    *((name, torch.bfloat16) for name in MODELS), ("llama", torch.float32),
    ("deepseek_v3", torch.float32)])
def test_model(name, dtype):
    model, chains = make(name, dtype)
    tokens = torch.randint(0, 64, (2, 8))
    explained = mortar.explain(model, tokens, use_cache=False)
    if chains is None:  # as the attention, the experts of this version of transformers
        assert len(explained.chains) >= 8
    else:
        assert len(explained.chains) == chains
    assert all(len(chain.kernels) == 1 for chain in explained.chains)
    torch.compiler.reset()
    found = torch.compile(model, backend="mortar")(tokens, use_cache=False).logits
    eager = model(tokens, use_cache=False).logits
    # A handful of roundings in each of two layers, which sums of another order place
    # elsewhere: some units of the logits' own type, and no other expert chosen.
    within = 8 * torch.finfo(dtype).eps
    assert (found - eager).abs().max() <= within * eager.abs().max()


@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_other_batches_compile_nothing(name):
    (model, chains), graphs = make(name, torch.bfloat16), []
    compiled = torch.compile(model, backend=Backend(graphs.append), dynamic=True)
    tokens = torch.randint(0, 64, (7, 8))
    compiled(tokens, use_cache=False)
    assert [len(graph.chains) for graph in graphs] == [chains]
    before = mortar.compilations()
    for batch in (2, 3, 5):
        found = compiled(tokens[:batch], use_cache=False).logits
        eager = model(tokens[:batch], use_cache=False).logits
        assert (found - eager).abs().max() <= 2 ** -5 * eager.abs().max()
    assert mortar.compilations() == before
