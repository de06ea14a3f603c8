#!/usr/bin/env python3
"""libmortar in one process with PyTorch, Triton and JAX, each with an LLVM of its own.

    coexistence.py --library=libmortar.so --opt=mortar-opt

In every order of loading, also with libmortar's symbols offered to all (RTLD_GLOBAL),
each compiles and runs before and after the others; the numbers are right, what Mortar
compiles is the same every time, from text and from bytecode, which a child of the
process reads, and no signal handler of LLVM's stays behind.
"""
import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import time

LAYER = b"""
func.func @layer(%x: tensor<?x64xf32>, %r: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %s = mortar.residual_add %x, %r
    : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}
"""


class Options(ctypes.Structure):  # MortarCompileOptions
    _fields_ = ([("size", ctypes.c_size_t), ("target", ctypes.c_char_p),
                 ("name", ctypes.c_char_p)]
                + [(name, ctypes.c_uint32) for name in
                   ("noFuse", "mixedDtypes", "noCubin", "lineTables", "requireFusions",
                    "cache")]
                + [("cacheFolder", ctypes.c_char_p), ("onDiagnostic", ctypes.c_void_p),
                   ("user", ctypes.c_void_p)])


class Tensor(ctypes.Structure):  # MortarTensor
    _fields_ = [("data", ctypes.c_void_p), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_uint32),
                ("type", ctypes.c_uint32)]


class Mortar:
    def __init__(self, path, mode, bytecode):
        self.bytecode = bytecode
        self.lib = ctypes.CDLL(path, mode=mode)
        self.lib.mortarRuntimeLastError.restype = ctypes.c_char_p
        self.artifacts = {}

    def call(self, name, *args):
        if getattr(self.lib, name)(*args) != 0:
            sys.exit(f"{name}: {self.lib.mortarRuntimeLastError().decode()}")

    def compile(self, target, module=LAYER):
        options = Options(size=ctypes.sizeof(Options), target=target, noCubin=1, cache=1)
        program, data = ctypes.c_uint64(), ctypes.c_void_p()
        size = ctypes.c_size_t()
        self.call("mortarCompile", module, ctypes.c_size_t(len(module)),
                  ctypes.byref(options), ctypes.byref(program))
        self.call("mortarProgramArtifact", program, ctypes.byref(data), ctypes.byref(size))
        artifact = ctypes.string_at(data.value, size.value)
        same = self.artifacts.setdefault((target, module), artifact)
        assert same == artifact, "other code"
        return artifact

    def use(self):
        """Compiles for a GPU and for this CPU, and runs here."""
        caught = caught_signals()
        assert b".entry" in self.compile(b"sm_90")
        assert b".entry" in self.compile(b"sm_90", self.bytecode)
        artifact = self.compile(b"host")
        executable = ctypes.c_uint64()
        self.call("mortarRuntimeLoadBytes", artifact, ctypes.c_size_t(len(artifact)), 0,
                  ctypes.byref(executable))
        shape = (ctypes.c_int64 * 2)(2, 64)
        buffers = [(ctypes.c_float * 128)(*values) for values in
                   ([1.0] * 128, [2.0] * 128, [0.0] * 128)]
        args = (Tensor * 3)(*(Tensor(ctypes.addressof(b), shape, None, 2, 0)
                              for b in buffers))
        self.call("mortarRuntimeLaunch", executable, 0, args, ctypes.c_size_t(3), None,
                  ctypes.c_size_t(0), None)
        assert all(abs(value - 1.0) < 1e-6 for value in buffers[2]), buffers[2][:4]
        self.call("mortarRuntimeDestroy", executable)
        assert caught_signals() == caught, "a signal handler stayed behind"


def caught_signals():
    """All but glibc's own, 32 and 33: it catches those from a process's first thread on."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("SigCgt"))
    return int(line.split()[1], 16) & ~(0b11 << 31)


def use_torch():
    import torch
    compiled = torch.compile(lambda x: torch.nn.functional.silu(x) * 2, backend="inductor")
    x = torch.linspace(-2, 2, 64)
    expected = torch.nn.functional.silu(x) * 2
    assert torch.allclose(compiled(x), expected)


def use_jax():
    import jax
    import jax.numpy as jnp
    jax.clear_caches()
    assert float(jax.jit(lambda x: jnp.sum(x * x))(jnp.arange(4.0))) == 14.0


def use_triton():
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton_kernel import double
    source = ASTSource(fn=double, signature={"x": "*fp32", "n": "i32"})
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32))
    assert ".entry double" in made.asm["ptx"]


KERNEL = '''
import triton
import triton.language as tl

@triton.jit
def double(x, n):
    at = tl.program_id(0) * 128 + tl.arange(0, 128)
    tl.store(x + at, tl.load(x + at, mask=at < n) * 2, mask=at < n)
'''


def run(order, library, bytecode):
    """In a process of its own."""
    os.environ["TRITON_ALWAYS_COMPILE"] = "1"
    others = [use_torch, use_triton, use_jax]
    mode = ctypes.RTLD_GLOBAL if order == "global" else ctypes.RTLD_LOCAL
    if order == "last":
        for use in others:
            use()
    mortar = Mortar(library, mode | os.RTLD_NOW, bytecode)
    mortar.use()
    for use in reversed(others) if order == "global" else others:
        use()
        mortar.use()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--opt", required=True, help="mortar-opt, which writes bytecode")
    parser.add_argument("--order", choices=["first", "last", "global"])
    args = parser.parse_args()
    if args.order:
        bytecode = subprocess.run([args.opt, "--emit-bytecode", "-"], input=LAYER,
                                  stdout=subprocess.PIPE, check=True).stdout
        return run(args.order, args.library, bytecode)
    for order in ("first", "last", "global"):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "triton_kernel.py"), "w") as kernel:
                kernel.write(KERNEL)  # Triton reads a kernel's source from its file
            begin = time.time()
            environment = {**os.environ, "PYTHONPATH": folder,
                           "TORCHINDUCTOR_CACHE_DIR": folder, "TRITON_CACHE_DIR": folder}
            subprocess.run([sys.executable, __file__, "--library", args.library,
                            "--opt", args.opt, "--order", order], check=True, env=environment)
            print(f"libmortar {order}: as expected ({time.time() - begin:.0f} s)")


if __name__ == "__main__":
    main()
