"""What the tests of torch.compile(backend="mortar") compile, and how they look at it."""

import torch
import torch.nn.functional as F

import mortar
import mortar.torch
from mortar.dynamo import Backend


def run(function, *arguments, **options):
    """What the compiled function gives, and its explanation."""
    explained = mortar.explain(function, *arguments)
    torch.compiler.reset()
    return torch.compile(function, backend="mortar", **options)(*arguments), explained


def with_graphs(function, dynamic):
    """The compiled function, and what becomes of each graph that it is compiled to."""
    graphs = []
    return torch.compile(function, backend=Backend(graphs.append), dynamic=dynamic), graphs


def names(explained):
    return [chain.name for chain in explained.chains]


def why(explained, op):
    return {refusal.reason for refusal in explained.refusals if op in refusal.op}


def rms_norm(x, weight, epsilon=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)
    return weight * normed.to(x.dtype)


class Block(torch.nn.Module):
    def __init__(self, width=64, inner=96):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.rand(width) + 0.5)
        self.gate = torch.nn.Linear(width, inner, bias=False)
        self.up = torch.nn.Linear(width, inner, bias=False)
        self.down = torch.nn.Linear(inner, width, bias=False)

    def forward(self, x):
        normed = rms_norm(x, self.weight)
        x = x + self.down(F.silu(self.gate(normed)) * self.up(normed))
        return rms_norm(x, self.weight), x
