"""Mortar's functions where transformers calls its own: norms, gates, the gated delta rule.

    import mortar.integrations.transformers as integration

    with integration.enable() as enabled:      # for all models; or enable(model) for one
        model.generate(**inputs)
    print(enabled.report())                    # what was called, what was left, and why

Replaced are functions that compute what mortar.ops do, recognized by their source
(_forms.py), wherever transformers looks them up:

* RMS norms and gated ones, ``forward`` of their classes;
* feed-forward layers of SiLU or GELU, ``forward``; experts' gates, ``_apply_gate``;
* ``torch_recurrent_gated_delta_rule`` and ``torch_chunk_gated_delta_rule`` of Qwen3-Next,
  Qwen3.5 and others, in the modules of these models. Decode steps run Mortar's recurrence,
  and so do prompts, of up to ``recurrence_tokens`` where that is given.

Left to transformers, call by call and with the reason in the report: training (there are
no derivatives), autocast, types and layouts that mortar.ops don't take, layers with hooks
in the way. torch.compile traces transformers' own code but for the delta rule, a loop that
no compiler makes one kernel of: that is one op in its graphs. Residual adds stay: add and norm
are apart in transformers' layers, so fused_add_rms_norm would need other layers.

transformers' own way to faster functions, the ``kernels`` package, loads them from its hub
by repository, and its decorators do nothing where that package isn't installed; so what
they decorate is replaced here. A forward that ``kernelize`` put on a module stays.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import types
from types import MethodType, ModuleType
from typing import Any

import torch
from torch import nn

try:
    from transformers import PreTrainedModel, cache_utils
    from transformers.utils.import_utils import is_flash_linear_attention_available
except ImportError as error:
    raise ImportError("mortar.integrations.transformers: expected transformers, of version "
                      f"5 or above: {error}") from None

from mortar.integrations import _delta_rule, _forms
from mortar.integrations._forwards import FORWARDS
from mortar.integrations._patches import Declined, Patches

# Longer prompts are faster in flash-linear-attention's chunked kernels, which transformers
# calls where they are installed; its own chunked form is slower at any length.
TOKENS_BESIDE_CHUNKED_KERNELS = 64
RULES = (_delta_rule.RECURRENT, _delta_rule.CHUNKED)
_lock = threading.RLock()
_installed: dict[tuple[Any, int | None], "Installed"] = {}


class Installed(Patches):
    """What is replaced for one model, or for all; shared by those who enabled it."""

    def __init__(self, model: nn.Module | None, recurrence_tokens: int | None):
        super().__init__()
        self.model, self.recurrence_tokens = model, recurrence_tokens
        self.holders: set[Integration] = set()
        self.inside = threading.local()  # of a layer of the model, while it runs
        self.traced = types.SimpleNamespace(inside=False)  # or Dynamo traces it, one at a time
        self._seen: set[Any] = set()
        try:
            if model is None:
                self._all_models()
            else:
                self._one_model(model)
        except BaseException:
            self.undo()
            raise

    def _all_models(self) -> None:
        for name, module in list(sys.modules.items()):
            if ".modeling_" in name and isinstance(module, ModuleType):
                self._module(module)
        before = PreTrainedModel.__init__

        @functools.wraps(before)
        def __init__(model: Any, *args: Any, **kwargs: Any) -> None:
            if _installed.get((None, self.recurrence_tokens)) is self:
                with _lock:  # its module may have been imported since
                    self._module(sys.modules[type(model).__module__])
            before(model, *args, **kwargs)

        self.set(PreTrainedModel, "__init__", __init__)

    def _one_model(self, model: nn.Module) -> None:
        for name, module in model.named_modules():
            kind = type(module)
            label = f"{name} ({kind.__name__})"
            for function in ("forward", "_apply_gate"):
                form = self._form(kind, function)
                if form and function in vars(module):
                    self.left[label] = f"its {function} is one of this module alone"
                elif form:
                    self.replace(module, function, *FORWARDS[form], label)
            rules = set(RULES) & set(getattr(inspect.unwrap(kind.forward), "__code__",
                                             _no_code).co_names)
            if rules and "forward" not in vars(module):
                self._rules(sys.modules[kind.__module__])
                self._mark(module)

    def _module(self, module: ModuleType) -> None:
        if module in self._seen:
            return
        self._seen.add(module)
        for kind in list(vars(module).values()):
            if not (isinstance(kind, type) and issubclass(kind, nn.Module)
                    and kind.__module__ == module.__name__):
                continue
            for function in ("forward", "_apply_gate"):
                form = self._form(kind, function) if function in vars(kind) else None
                label = f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}"
                if form:
                    self.replace(kind, function, *FORWARDS[form], label)
                elif function == "forward" and "RMSNorm" in kind.__name__:
                    self.left[label] = "its forward isn't one that mortar.ops compute"
        self._rules(module)

    def _form(self, kind: type, function: str) -> str | None:
        return _forms.form(kind, function) if hasattr(kind, function) else None

    def _rules(self, module: ModuleType) -> None:
        for name in RULES:
            function = vars(module).get(name)
            if function is None or (module, name) in self._seen:
                continue
            self._seen.add((module, name))
            label = module.__name__.rpartition(".")[2]
            if not _delta_rule.computes_the_rule(function):
                self.left[f"{label}.{name}"] = (
                    "it doesn't compute the gated delta rule as Mortar does")
                continue
            attempt = (_delta_rule.rule if name == _delta_rule.RECURRENT else
                       _delta_rule.chunked(self.recurrence_tokens, function))
            limit = self.recurrence_tokens if name == _delta_rule.CHUNKED else None
            self.replace(module, name, self._within(attempt), "gated_delta_rule", label,
                         self._while_tracing(_delta_rule.traced(limit, function), function))
            layer = cache_utils.LinearAttentionLayer
            if layer not in self._seen:
                self._seen.add(layer)
                self.replace(layer, "lazy_initialization",
                             _delta_rule.lazy_initialization(layer.lazy_initialization),
                             "", layer.__name__)

    def _within(self, attempt: Any) -> Any:
        """For one model: functions of a module are all its models'."""
        if self.model is None:
            return attempt

        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not getattr(self.inside, "layers", 0):
                raise Declined("a model that Mortar isn't enabled for")
            return attempt(*args, **kwargs)

        return guarded

    def _while_tracing(self, attempt: Any, original: Any) -> Any:
        """The same in torch.compile's graphs."""
        if self.model is None:
            return attempt
        traced = self.traced

        def guarded(*args: Any, **kwargs: Any) -> Any:
            return (attempt if traced.inside else original)(*args, **kwargs)

        return guarded

    def _mark(self, layer: nn.Module) -> None:
        forward, traced, inside = type(layer).forward, self.traced, self.inside

        @functools.wraps(forward)
        def marked(*args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling():
                before, traced.inside = traced.inside, True
                try:
                    return forward(*args, **kwargs)
                finally:
                    traced.inside = before
            inside.layers = getattr(inside, "layers", 0) + 1
            try:
                return forward(*args, **kwargs)
            finally:
                inside.layers -= 1

        # A method, so that a deep copy of the layer runs its own forward.
        self.set(layer, "forward", MethodType(marked, layer))


_no_code = (lambda: None).__code__


class Integration:
    """Replacements that stay until :meth:`disable`, or the end of a ``with``."""

    def __init__(self, installed: Installed):
        self._installed = installed
        installed.holders.add(self)

    @property
    def active(self) -> bool:
        return self in self._installed.holders

    def report(self) -> str:
        """Calls of each replaced function, those left to transformers with the reason, and
        what was not replaced."""
        return self._installed.report()

    def disable(self) -> None:
        """Puts transformers' functions back, unless someone else enabled the same."""
        with _lock:
            installed = self._installed
            installed.holders.discard(self)
            if not installed.holders and _installed.get(_key(installed)) is installed:
                del _installed[_key(installed)]
                installed.undo()

    def __enter__(self) -> "Integration":
        return self

    def __exit__(self, *_: Any) -> None:
        self.disable()


def _key(installed: Installed) -> tuple[Any, int | None]:
    return installed.model, installed.recurrence_tokens


def enable(model: nn.Module | None = None, *,
           recurrence_tokens: int | None = None) -> Integration:
    """Puts Mortar's functions in place, for one model or, without one, for all, made before
    or after. Enabled twice, transformers' functions are back when both are disabled.

    Prompts of more than ``recurrence_tokens`` stay with the chunked delta rule. If it isn't
    given: any number of tokens is Mortar's, or up to 64 where transformers has chunked
    kernels, flash-linear-attention's."""
    if model is not None and not isinstance(model, nn.Module):
        raise TypeError("enable: model: expected a torch.nn.Module or None, found "
                        f"{type(model).__name__}")
    if recurrence_tokens is None:
        if is_flash_linear_attention_available():
            recurrence_tokens = TOKENS_BESIDE_CHUNKED_KERNELS
    elif not isinstance(recurrence_tokens, int) or recurrence_tokens < 1:
        raise ValueError("enable: recurrence_tokens: expected a positive integer or None, "
                         f"found {recurrence_tokens!r}")
    with _lock:
        for held, tokens in _installed:
            if held is model and tokens != recurrence_tokens:
                raise ValueError(f"enable: recurrence_tokens: expected {tokens}, as it is "
                                 f"enabled already, found {recurrence_tokens}")
        key = (model, recurrence_tokens)
        if key not in _installed:
            _installed[key] = Installed(model, recurrence_tokens)
        return Integration(_installed[key])
