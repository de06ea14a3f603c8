"""What is timed, in PyTorch as a user would write it: torch.compile's part of tools/gpu/bench.

Named by the case without its width and type; arguments in the case's order.
"""

import torch

F8 = torch.float8_e4m3fn


def rms_norm(x, w):
    f = x.float()
    return (f * torch.rsqrt(f.pow(2).mean(-1, keepdim=True) + 1e-6) * w.float()).to(x.dtype)


def add_norm(x, r, w):
    s = x + r
    return rms_norm(s, w), s


def silu_and_mul(x):
    gate, up = x.chunk(2, dim=-1)
    return (torch.nn.functional.silu(gate.float()) * up.float()).to(x.dtype)


def quantize(x, scale):
    return (x.float() / scale).clamp(-448.0, 448.0).to(F8)


def quantize_dynamic(x):
    scale = x.float().abs().amax(-1, keepdim=True).clamp(min=1e-10) / 448.0
    return quantize(x, scale), scale


def norm_static_fp8(x, w, scale):
    return quantize(rms_norm(x, w), scale)


def add_norm_dynamic_fp8(x, r, w):
    s = x + r
    codes, scale = quantize_dynamic(rms_norm(s, w))
    return s, codes, scale


def silu_group128(x):
    """silu_and_mul with both halves bounded by 10, as DeepSeek-V4's."""
    gate, up = x.float().chunk(2, dim=-1)
    y = (torch.nn.functional.silu(gate.clamp(max=10.0)) * up.clamp(-10.0, 10.0)).to(x.dtype)
    codes, scales = quantize_dynamic(y.unflatten(-1, (-1, 128)))
    return codes.flatten(-2), scales.squeeze(-1)


def gated_norm(x, z, w):
    f = x.float()
    y = f * torch.rsqrt(f.pow(2).mean(-1, keepdim=True) + 1e-6) * w.float()
    return (y * torch.nn.functional.silu(z.float())).to(x.dtype)


TABLE = {"norm": rms_norm, "add_norm": add_norm, "silu": silu_and_mul,
         "norm_static_fp8": norm_static_fp8, "add_norm_dynamic_fp8": add_norm_dynamic_fp8,
         "silu_group128": silu_group128, "gated_norm": gated_norm}


def of(case):
    return TABLE[case.name.rsplit("_", 2)[0]]
