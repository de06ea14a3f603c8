//===- RowLoops.h - one row as loops over vectors ---------------*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_ROWLOOPS_H
#define MORTAR_LIB_CONVERSION_ROWLOOPS_H

#include "../Common/HostOperands.h"
#include "../Common/RowProgram.h"

namespace mortar {

/// Emits `program` over all rows of `operands` at the builder's place. `scratch` is a
/// memref of f32 with room for a row that is reduced; null if the program reduces none.
void emitRowLoops(mlir::OpBuilder &b, RowProgram &program,
                  const HostOperands &operands, mlir::Value scratch);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_ROWLOOPS_H
