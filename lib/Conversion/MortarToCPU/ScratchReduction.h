//===- ScratchReduction.h - loops, and the tree on a CPU --------*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_SCRATCHREDUCTION_H
#define MORTAR_LIB_CONVERSION_SCRATCHREDUCTION_H

#include "mortar/IR/Mortar.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mortar {

/// Elements of a vector: two AVX2 registers of f32, one of AVX-512.
constexpr int64_t simdWidth = 16;

/// A loop, if it has anything to do.
void emitLoop(mlir::ImplicitLocOpBuilder &b, int64_t from, int64_t to, int64_t step,
              llvm::function_ref<void(mlir::Value)> body);

/// Reduces `count` f32 of the memref `scratch`, from `begin` on, by adding adjacent pairs
/// level by level, in place. An odd one out goes up as it is: that is what adding the
/// padding's −0.0 gives.
mlir::Value reduceScratch(mlir::ImplicitLocOpBuilder &b, mlir::Value scratch,
                          ReductionKind kind, mlir::Value begin, int64_t count);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_SCRATCHREDUCTION_H
