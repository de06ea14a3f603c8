"""mortar.compile: executables, what is said of them, and errors with their places."""

import gc
import subprocess
import sys
import time

import pytest
import torch

import mortar
from conftest import assert_bits

LAYER = """
func.func @layer(%x: tensor<?x64xbf16>, %r: tensor<?x64xbf16>, %w: tensor<64xbf16>)
    -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %s = mortar.residual_add %x, %r
    : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x64xbf16>, tensor<64xbf16>) -> tensor<?x64xbf16>
  return %s, %n : tensor<?x64xbf16>, tensor<?x64xbf16>
}
"""
MIXED = LAYER.replace("%w: tensor<64xbf16>", "%w: tensor<64xf32>").replace(
    ", tensor<64xbf16>) ->", ", tensor<64xf32>) ->")


@pytest.fixture(scope="module")
def layer():
    return mortar.compile(LAYER, target="host")


def test_call(layer, randn):
    x, r, w = randn(3, 64), randn(3, 64), randn(64)
    total, normed = layer(x, r, w)
    assert_bits(total, x + r)
    assert_bits(normed, mortar.ops.rms_norm(x + r, w))


def test_bytes_and_entries(randn):
    two = mortar.compile((LAYER + LAYER.replace("@layer", "@other")).encode(), target="host")
    assert list(two.entries) == ["layer", "other"]
    x, r, w = randn(2, 64), randn(2, 64), randn(64)
    assert_bits(two["other"](x, r, w)[1], two["layer"](x, r, w)[1])
    with pytest.raises(mortar.LaunchError, match="expected one entry, found .*'other'"):
        two(x, r, w)
    with pytest.raises(KeyError, match="expected an entry of .*found 'third'"):
        two["third"]


def test_says_what_was_made(layer):
    kernel, = layer.kernels
    assert kernel == mortar.Kernel("layer", "residual_add+rms_norm", 2, 640, 512)
    remark, = layer.remarks
    assert (remark.kind, remark.file, remark.line, remark.column) == ("kernel", "module", 4, 8)
    assert "residual_add+rms_norm" in layer.table
    assert str(layer["layer"].arguments[0]) == "argument 0: ?x64xbf16"


def test_remark_of_what_did_not_fuse():
    made = mortar.compile(MIXED, target="host", name="layer.mlir")
    refused, = [one for one in made.remarks if one.kind == "not-fused"]
    assert refused.condition == "dtype-rule"
    assert str(refused).startswith("layer.mlir:6:8: residual_add -> rms_norm not fused: ")
    assert len(made.kernels) == 2
    assert len(mortar.compile(MIXED, target="host", mixed_dtypes=True).kernels) == 1
    assert len(mortar.compile(LAYER, target="host", fuse=False).kernels) == 2
    with pytest.raises(mortar.CompileError, match="layer.mlir:6:8"):
        mortar.compile(MIXED, target="host", name="layer.mlir", require_fusions=True)


def test_error_has_its_place():
    with pytest.raises(mortar.CompileError) as caught:
        mortar.compile(LAYER.replace("epsilon(1.0e-6)", "epsilon(-1.0)"), target="host",
                       name="layer.mlir")
    first = caught.value.diagnostics[0]
    assert (first.severity, first.file, first.line, first.column) == (
        "error", "layer.mlir", 6, 8)
    assert "epsilon" in first.message
    assert str(caught.value).count(first.message) == 1


@pytest.mark.parametrize("options, error, message", [
    (dict(target="sm_1"), mortar.CompileError, "sm_1"),
    (dict(cache="always"), ValueError, "expected cache to be None, False, True"),
    (dict(cache="require", target="host"), mortar.CompileError, "cache"),
])
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        mortar.compile(LAYER, **options)


def test_bad_module():
    with pytest.raises(TypeError, match="expected a module as str or bytes, found int"):
        mortar.compile(3)
    with pytest.raises(mortar.CompileError):
        mortar.compile(b"\0\1", target="host")


def test_out(layer, randn):
    x, r, w = randn(3, 64), randn(3, 64), randn(64)
    expected = layer(x, r, w)
    out = torch.empty_like(x), torch.empty(3, 128, dtype=x.dtype)[:, 32:96]
    found = layer(x, r, w, out=out)
    assert found[0] is out[0] and found[1] is out[1]
    assert_bits(out[0], expected[0])
    assert_bits(out[1].contiguous(), expected[1])
    layer(x, r, w, out=(r, x))  # results in the place of arguments
    assert_bits(r, expected[0])
    assert_bits(x, expected[1])


def test_save(layer, tmp_path):
    layer.save(tmp_path / "layer.mortar")
    assert (tmp_path / "layer.mortar").read_bytes() == layer.artifact


def test_gpu_code_without_a_gpu(randn):
    made = mortar.compile(LAYER, target="sm_90", cubin=False)
    assert b".entry" in made.artifact and len(made.kernels) == 1
    with pytest.raises(mortar.LaunchError,
                       match="expected arrays for the target sm_90, found arrays on a CPU"):
        made(randn(3, 64), randn(3, 64), randn(64))


def test_cache(tmp_path, randn):
    folder = str(tmp_path / "cache")
    first = mortar.compile(LAYER, target="host", cache=True, cache_folder=folder)
    again = mortar.compile(LAYER, target="host", cache="require", cache_folder=folder)
    assert not first.program.was_cached and again.program.was_cached
    assert again.remarks == first.remarks
    x, r, w = randn(3, 64), randn(3, 64), randn(64)
    assert_bits(again(x, r, w)[1], first(x, r, w)[1])


def test_warning(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="cache"):
        mortar.compile(LAYER, target="host", cache=True, cache_folder=str(tmp_path / "file"))


def test_unloads(randn):
    made = mortar.compile(LAYER, target="host")
    x, r, w = randn(3, 64), randn(3, 64), randn(64)
    made(x, r, w)
    bound = made["layer"]._bound[-1]
    del made
    gc.collect()
    with pytest.raises(mortar.LaunchError, match="expected a live executable"):
        bound(x, r, w, torch.empty_like(x), torch.empty_like(x))


def test_import_is_quick_and_alone():
    """Frameworks are imported by those who use them; 0.3 s is the promise."""
    code = ("import sys, time; begin = time.perf_counter(); import mortar; "
            "print(time.perf_counter() - begin, 'torch' in sys.modules, "
            "'numpy' in sys.modules, 'tvm_ffi' in sys.modules)")
    lines = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            check=True).stdout.split() for _ in range(3)]
    assert min(float(line[0]) for line in lines) < 0.3
    assert lines[0][1:] == ["False", "False", "False"]


def test_compile_time():
    times = []
    for number in range(3):
        begin = time.perf_counter()
        mortar.compile(LAYER.replace("1.0e-6", f"{number + 2}.0e-6"), target="sm_90",
                       cubin=False)
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.2  # 20 ms on an idle machine
