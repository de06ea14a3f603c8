"""Tests of the Python package. $MORTAR_LIBRARY names the libmortar.so, beside which
libmortar_launch.so lies, and PYTHONPATH holds python-bindings; or a wheel is installed.
"""

import os
import sys

import numpy as np
import pytest
import torch

# ieee.py and dtypes.py: what values must be, bit for bit.
sys.path.append(os.path.join(os.path.dirname(__file__), "..", "Numerics"))
# Nothing that another run left behind is to be looked at.
os.environ["MORTAR_CACHE"] = "0"

IR_TYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16",
            torch.float8_e4m3fn: "f8E4M3FN", torch.float8_e8m0fnu: "f8E8M0FNU",
            torch.int8: "i8"}
STORAGE = {1: torch.uint8, 2: torch.uint16, 4: torch.float32}


def stored(tensor):
    """As the files of test/Numerics hold a tensor: bf16 and fp8 as their codes."""
    if tensor.dtype in (torch.float32, torch.float16, torch.int8):
        return tensor.numpy()
    return tensor.contiguous().view(STORAGE[tensor.element_size()]).numpy()


def wide(tensor):
    return tensor.to(torch.float32).numpy()


def assert_bits(found, expected):
    """Elementwise; any NaN equals any NaN."""
    import ieee
    dtype = IR_TYPES[found.dtype]
    if isinstance(expected, torch.Tensor):
        assert expected.dtype == found.dtype
        expected = stored(expected)
    expected = np.asarray(expected)
    assert tuple(found.shape) == expected.shape
    same = ieee.same_bits(np.ascontiguousarray(stored(found)),
                          np.ascontiguousarray(expected), dtype)
    assert same.all(), f"{(~same).sum()} of {same.size} differ"


def narrowed(values, dtype):
    import ieee
    return ieee.narrow(values, IR_TYPES[dtype])


@pytest.fixture
def randn():
    generator = torch.Generator().manual_seed(7)

    def make(*shape, dtype=torch.bfloat16):
        return torch.randn(*shape, generator=generator).to(dtype)

    return make


@pytest.fixture
def fresh_compiler():
    """What one test had PyTorch compile is nothing to the next."""
    import torch._inductor.config
    torch.compiler.reset()
    torch.manual_seed(11)
    with torch._inductor.config.patch(force_disable_caches=True), torch.no_grad():
        yield
