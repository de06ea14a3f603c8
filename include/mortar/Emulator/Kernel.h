//===- Kernel.h - a gpu.func, ready to be emulated --------------*- C++ -*-===//
#ifndef MORTAR_EMULATOR_KERNEL_H
#define MORTAR_EMULATOR_KERNEL_H

#include "mlir/Support/LLVM.h"

#include <memory>
#include <string>

namespace mlir::gpu {
class GPUFuncOp;
} // namespace mlir::gpu

namespace mortar::emulator {

struct Program;

/// A kernel of upstream's dialects (what mortar-to-gpu leaves in a gpu.module).
/// Needs no IR once it is loaded.
class Kernel {
public:
  /// Emits an error at the first op, type or attribute that the emulator
  /// doesn't know.
  static mlir::FailureOr<Kernel> load(mlir::gpu::GPUFuncOp func);

  const std::string &name() const;
  /// Whether a parameter is a memref.
  bool isPointer(size_t parameter) const;
  const Program &program() const { return *code; }

private:
  explicit Kernel(std::shared_ptr<const Program> code)
      : code(std::move(code)) {}

  std::shared_ptr<const Program> code;
};

} // namespace mortar::emulator

#endif // MORTAR_EMULATOR_KERNEL_H
