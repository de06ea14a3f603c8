"""What calls like an earlier one (test_shortcuts.py) change, keep, and let others do."""

import gc
import sys
import threading
import weakref

import torch
from conftest import assert_bits
from test_shortcuts import BF16, W, norm_to_fp8, x

import mortar
from mortar import ops


def test_counts_as_changed():
    """What a call overwrites, in place or as out, and nothing else."""
    for _ in range(3):
        a, b, one, two = x(), x(), x(), x()
        versions = [tensor._version for tensor in (a, b, W, one, two)]
        ops.fused_add_rms_norm(a, b, W)
        ops.fused_add_rms_norm(a, b, W, out=(one, two))
        assert [tensor._version - version for tensor, version in
                zip((a, b, W, one, two), versions)] == [1, 1, 0, 1, 1]


def test_counts_states_as_changed(randn):
    """What a call overwrites beside its results; and it keeps no hold on that."""
    q, k, v = randn(2, 1, 8), randn(2, 1, 8), randn(2, 1, 8)
    decay, beta = torch.ones(2, 1), torch.ones(2, 1)
    state, slots = torch.zeros(4, 1, 8, 8), torch.tensor([1, 2], dtype=torch.int32)
    for _ in range(3):
        version, count = state._version, sys.getrefcount(state)
        found = ops.gated_delta_rule(q, k, v, decay, beta, state, slots)
        assert state._version == version + 1 and sys.getrefcount(state) == count
        assert found._version <= 1


def test_lets_other_threads_run():
    """While a kernel runs on a CPU."""
    rows, done = x(60000, 512), []
    ops.rms_norm(rows, None, out=rows)

    def ran_meanwhile(_):
        done.clear()
        thread = threading.Thread(target=lambda: done.append(ops.rms_norm(rows, None, out=rows)))
        thread.start()  # returns when the thread gives way: in the kernel, or at its end
        was_early = not done
        thread.join()
        return was_early

    before = sys.getswitchinterval()
    sys.setswitchinterval(100)  # nobody is made to give way
    try:
        assert any(map(ran_meanwhile, range(5)))
    finally:
        sys.setswitchinterval(before)


def test_no_reference_is_kept():
    """Of arguments, of results, of what was refused."""
    weight, gone = x(256), []
    for call in (lambda a, b: ops.fused_add_rms_norm(a, b, weight),
                 lambda a, b: norm_to_fp8(a, b, weight, torch.ones(1)),
                 lambda a, b: ops.rms_norm(a, weight, 1e-6, out=b),
                 lambda a, b: ops.rms_norm(a, weight, 1e-6, out=[b]),
                 lambda a, b: ops.rms_norm(a, b)):
        for _ in range(3):
            a, b = x(), x()
            gone += [weakref.ref(a), weakref.ref(b)]
            try:
                result = call(a, b)
                gone += [weakref.ref(one) for one in result if type(result) is tuple]
            except mortar.MortarError:
                pass
            result = a = b = None
    gc.collect()
    assert not [one for one in gone if one() is not None]
    ops.rms_norm(x(), weight, 0.5)
    counts = sys.getrefcount(weight), sys.getrefcount(torch.Tensor)
    for _ in range(100):
        ops.rms_norm(x(), weight, 0.5)
    assert (sys.getrefcount(weight), sys.getrefcount(torch.Tensor)) == counts


def test_ends_with_its_function():
    """What was learned, of several signatures, and with it the code."""
    op = mortar.fuse(lambda rows: ops.rms_norm(rows, None, 0.375))
    for width in (8, 16, 8, 16):
        op(x(2, width))
    gone = [weakref.ref(compiled.executable) for compiled in op._compiled.values()]
    assert len(gone) == 2
    del op
    gc.collect()
    assert not [one for one in gone if one() is not None]


def test_threads(randn):
    """Eight, each with a signature of its own, of one function that none has called yet."""
    op = mortar.fuse(lambda rows, weight: ops.rms_norm(rows, weight, 0.25))
    failures = []

    def work(width, dtype):
        rows, weight = x(9, width, dtype=dtype), x(width, dtype=dtype)
        expected = ops.rms_norm(rows, weight, 0.25)
        try:
            for _ in range(300):
                assert_bits(op(rows, weight), expected)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(width, dtype))
               for width in (64, 128, 192, 256) for dtype in (BF16, torch.float32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
