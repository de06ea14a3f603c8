//===- DestinationAssigner.h - one function's results find buffers -*- C++ -*-===//
//
// AssignDestinations.cpp gives the buffers, DestinationChecks.cpp says which functions and
// results can have some, ResultShapes.cpp writes the function of their sizes.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_LIB_TRANSFORMS_DESTINATIONASSIGNER_H
#define MORTAR_LIB_TRANSFORMS_DESTINATIONASSIGNER_H

#include "Gaps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mortar {

/// The caller's buffer for `tensor`. Rows may lie at any distance; a row's own values are
/// next to each other. But the scales of groups may be row- or column-major.
mlir::MemRefType getBufferType(mlir::Value tensor);

/// One function's rewrite.
class DestinationAssigner {
public:
  explicit DestinationAssigner(mlir::func::FuncOp func)
      : func(func), entry(func.front()), b(func.getContext()) {}

  llvm::LogicalResult run();

private:
  llvm::LogicalResult checkFunction();
  void copySharedResults();
  llvm::LogicalResult checkResults();
  llvm::LogicalResult checkArguments();
  llvm::LogicalResult findStates();
  mlir::Value findDeadInput(FusedOp fused, unsigned result, bool isReturned);
  void reuseDeadInputs();
  llvm::LogicalResult buildShapes();
  mlir::Value cloneDim(mlir::Value tensor, int64_t index, mlir::OpBuilder &into,
                       mlir::Block &args, mlir::IRMapping &mapping);
  mlir::Value cloneSize(mlir::Value size, mlir::OpBuilder &into, mlir::Block &args,
                        mlir::IRMapping &mapping);
  void takeBuffers();
  void giveDestinations();

  mlir::func::FuncOp func;
  mlir::Block &entry;
  mlir::OpBuilder b;
  /// What the function returns, and where each is to be written: an argument's
  /// number, or -1 for a new one.
  llvm::SmallVector<mlir::OpResult> returned;
  llvm::SmallVector<int> home;
  /// What holds a later result already.
  llvm::SmallDenseSet<mlir::Value> overwritten;
};

} // namespace mortar

#endif // MORTAR_LIB_TRANSFORMS_DESTINATIONASSIGNER_H
