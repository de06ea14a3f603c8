//===- Passes.td - from buffered regions to kernels -------------*- tablegen -*-===//

#ifndef MORTAR_CONVERSION_PASSES_TD
#define MORTAR_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertMortarToGPUPass : Pass<"convert-mortar-to-gpu", "::mlir::ModuleOp"> {
  let summary = "deals the rows of each region to the threads of a kernel";
  let description = [{
    Each `mortar.fused` on memrefs, decomposed into row primitives, becomes a launch of
    one of a few `gpu.func`s made for it: one with 16-byte accesses, for operands whose
    rows all start on 16 bytes, and one with accesses of one element. The host code
    around the launch counts the rows, checks what must hold (equal row counts, unit
    stride within a row, no overlap but exact sharing) by `cf.assert`, and chooses by
    `scf.if`.

    What is emitted is upstream's: gpu, vector, memref, arith, math, scf and nvvm.
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_90\"",
           "The chip to schedule for: sm_80, sm_90 or sm_100">,
    Option<"fewRows", "few-rows", "int64_t", /*default=*/"1024",
           "Up to so many rows, or shorter ones that hold as much as so many of 1024 elements, "
           "take the schedule for few; it changes no bit">];
  let dependentDialects = [
    "::mlir::gpu::GPUDialect", "::mlir::vector::VectorDialect",
    "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::NVVM::NVVMDialect"];
}

def ConvertMortarToCPUPass : Pass<"convert-mortar-to-cpu", "::mlir::ModuleOp"> {
  let summary = "writes each region as loops over SIMD vectors";
  let description = [{
    The same row program as on a GPU, as one loop over rows and, within a row, loops over
    vectors of 16 elements. Sums follow the same tree, so the bits are the same.
    bf16 never reaches LLVM: rows are loaded as 16-bit integers and rounded by integer
    operations, since the hardware's own conversion flushes subnormals.
  }];
  let dependentDialects = [
    "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect",
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::cf::ControlFlowDialect"];
}

def ConvertKernelsToNVVMPass : Pass<"convert-mortar-kernels-to-nvvm",
                                    "::mlir::gpu::GPUModuleOp"> {
  let summary = "takes the kernels to the LLVM dialect, without libdevice";
  let description = [{
    Upstream's conversion turns every math op into a call of libdevice. The ops that
    Mortar's kernels use are instructions on every chip since sm_80, so here they
    become intrinsics: fma.rn, sqrt.rn, max.NaN. No flag ever licenses contraction.
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_90\"",
           "The chip to convert for: before sm_89 there is no instruction for fp8">];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::arith::ArithDialect"];
}

def LocationsToLinesPass : Pass<"mortar-locations-to-lines", "::mlir::ModuleOp"> {
  let summary = "leaves of each location the line of the file";
  let description = [{
    A profiler shows lines. What else a location can hold (call sites of an inliner,
    names, ops fused) upstream's debug info passes take for debug scopes of their own
    making.
  }];
}

def ChecksToStatusPass : Pass<"mortar-checks-to-status", "::mlir::ModuleOp"> {
  let summary = "lets CPU functions return the check that failed";
  let description = [{
    A failed `cf.assert` must not end its process. Each function returns a pointer to
    the message of the first check that failed, or null. It also saves, sets and
    restores the floating-point control register: a host may run with subnormals
    flushed, and then bits would differ.
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect"];
}

#endif // MORTAR_CONVERSION_PASSES_TD
