//===- Gaps.h - what lies in a gap, and for how long ------------*- C++ -*-===//
#ifndef MORTAR_LIB_TRANSFORMS_GAPS_H
#define MORTAR_LIB_TRANSFORMS_GAPS_H

#include "mortar/IR/Mortar.h"

namespace mortar {

/// Ops that only say where a tensor lies or how large it is: they belong to no side of
/// a cut.
bool isGlue(mlir::Operation *op);

/// Whether `value`, or what may share its memory, is read after `op` in op's block.
bool isReadAfter(mlir::Value value, mlir::Operation *op);

/// Fails, after an error, if a state that `region` updates in place is read again: its
/// buffer will hold the new one.
llvm::LogicalResult checkStatesAreUpdated(FusedOp region);

} // namespace mortar

#endif // MORTAR_LIB_TRANSFORMS_GAPS_H
