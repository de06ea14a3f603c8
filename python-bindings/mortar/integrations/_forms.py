"""Which of a library's functions compute what mortar.ops compute: by their source.

A class's name says little: transformers has some 200 classes called RMSNorm, in six
meanings. A function is recognized when its body, names of locals and comments aside, is
one that stands here; whatever else is left alone, also in versions to come.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from mortar.integrations._patches import beneath

GLOBALS = ("torch", "nn", "F", "ACT2FN", "self")
NORM = '''
def _norm(self, x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
'''
# By a name for each: the text that defines it. Llama's norm rounds before the weight,
# gpt-oss's after; Gemma's weight has an offset of 1; Gemma 4's may have no weight.
TEXTS = {
    "llama": '''
def forward(self, x):
    dtype = x.dtype
    x = x.to(torch.float32)
    variance = x.pow(2).mean(-1, keepdim=True)
    x = x * torch.rsqrt(variance + self.variance_epsilon)
    return self.weight * x.to(dtype)
''',
    "gpt_oss": '''
def forward(self, x):
    dtype = x.dtype
    x = x.to(torch.float32)
    variance = x.pow(2).mean(-1, keepdim=True)
    x = x * torch.rsqrt(variance + self.variance_epsilon)
    return (self.weight * x).to(dtype)
''',
    "gemma": '''
def forward(self, x):
    output = self._norm(x.float())
    output = output * (1.0 + self.weight.float())
    return output.type_as(x)
''' + NORM,
    "gemma4": '''
def forward(self, x):
    output = self._norm(x.float())
    if self.with_scale:
        output = output * self.weight.float()
    return output.type_as(x)

def _norm(self, x):
    mean = x.pow(2).mean(-1, keepdim=True) + self.eps
    return x * torch.pow(mean, -0.5)
''',
    "moshi": '''
def forward(self, x):
    output = self._norm(x.float())
    output = output * self.weight.float()
    return output.type_as(x)
''' + NORM,
    "weightless": '''
def forward(self, x):
    return self._norm(x.float()).type_as(x)
''' + NORM,
    "qwen3_next_gated": '''
def forward(self, x, gate):
    dtype = x.dtype
    x = x.to(torch.float32)
    variance = x.pow(2).mean(-1, keepdim=True)
    x = x * torch.rsqrt(variance + self.variance_epsilon)
    x = self.weight * x.to(dtype)
    x = x * ACT2FN[self.activation](gate.to(torch.float32))
    return x.to(dtype)
''',
    "kimi_gated": '''
def forward(self, x, gate=None):
    dtype = x.dtype
    x = x.to(torch.float32)
    variance = x.pow(2).mean(-1, keepdim=True)
    x = x * torch.rsqrt(variance + self.variance_epsilon)
    x = self.weight.to(torch.float32) * x
    x = x * ACT2FN[self.activation](gate.to(torch.float32))
    return x.to(dtype)
''',
    "mamba_gated": '''
def forward(self, x, gate=None):
    dtype = x.dtype
    x = x.to(torch.float32)
    if gate is not None:
        x = x * nn.functional.silu(gate.to(torch.float32))
    variance = x.pow(2).mean(-1, keepdim=True)
    x = x * torch.rsqrt(variance + self.variance_epsilon)
    return self.weight * x.to(dtype)
''',
    "mlp": '''
def forward(self, x):
    down_proj = self.down_proj(self.act_fn(self.gate_proj(x)) * self.up_proj(x))
    return down_proj
''',
    "mlp_joined": '''
def forward(self, x):
    up_states = self.gate_up_proj(x)
    gate, up_states = up_states.chunk(2, dim=-1)
    up_states = up_states * self.activation_fn(gate)
    return self.down_proj(up_states)
''',
    "apply_gate": '''
def _apply_gate(self, gate_up_out):
    gate, up = gate_up_out.chunk(2, dim=-1)
    return self.act_fn(gate) * up
''',
}


class Renamed(ast.NodeTransformer):
    """Locals by the order in which they occur."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def rename(self, name: str) -> str:
        return name if name in GLOBALS else self.names.setdefault(name, f"v{len(self.names)}")

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.rename(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation, node.arg = None, self.rename(node.arg)
        return node


def normalized(function: ast.FunctionDef) -> str:
    if ast.get_docstring(function):
        function.body = function.body[1:]
    function.returns, function.decorator_list, function.name = None, [], "f"
    return ast.unparse(Renamed().visit(function))


FORMS = {tuple(normalized(one) for one in ast.parse(text).body): name
         for name, text in TEXTS.items()}


@functools.lru_cache(maxsize=None)
def source(function: Callable[..., Any]) -> str | None:
    """Of a function, normalized; None for what was not written in a file."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    node = tree.body[0]
    return normalized(node) if isinstance(node, ast.FunctionDef) else None


def form(owner: type, name: str) -> str | None:
    """The name of the form that owner's function has, or None."""
    function = beneath(getattr(owner, name))
    texts = [source(function)]
    if "_norm" in getattr(getattr(function, "__code__", None), "co_names", ()):
        texts.append(source(owner._norm))
    return FORMS.get(tuple(texts))
