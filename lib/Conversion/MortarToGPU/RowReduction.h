//===- RowReduction.h - the one place where rows are reduced ----*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_ROWREDUCTION_H
#define MORTAR_LIB_CONVERSION_ROWREDUCTION_H

#include "RowSchedule.h"

namespace mortar {

/// A thread's place in its row; index values.
struct ThreadPlace {
  mlir::Value lane;       // in its warp, of the lanes that share a row
  mlir::Value warpInRow;  // null if a row has one warp
  mlir::Value rowInBlock; // null if a block has one row
};

/// Reduces the f32 of a vector, a power of two of them, to one: the tree's lowest levels.
mlir::Value reduceChunk(mlir::OpBuilder &b, mlir::Location loc, ReductionKind kind,
                        mlir::Value chunk);

/// Reduces a row over all threads that hold it. `chunks` are the thread's values, one
/// vector<width x f32> for each chunk, with neutral elements behind the end of the row;
/// `scratch` is workgroup memory of rows·warps f32 that nothing else uses (null if a row
/// has one warp). Every thread gets the result. For sums it is the tree
/// of the row_reduce op, bit for bit.
mlir::Value emitRowReduction(mlir::OpBuilder &b, mlir::Location loc,
                             const RowSchedule &schedule, const ThreadPlace &place,
                             ReductionKind kind, llvm::ArrayRef<mlir::Value> chunks,
                             mlir::Value scratch);

/// The same for each group of `groupChunks` adjacent chunks, a power of two: one value for
/// each of the thread's chunks, the one of that chunk's group.
llvm::SmallVector<mlir::Value>
emitGroupReduction(mlir::OpBuilder &b, mlir::Location loc, const RowSchedule &schedule,
                   const ThreadPlace &place, ReductionKind kind,
                   llvm::ArrayRef<mlir::Value> chunks, int64_t groupChunks,
                   mlir::Value scratch);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_ROWREDUCTION_H
