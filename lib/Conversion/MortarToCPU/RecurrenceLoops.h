//===- RecurrenceLoops.h - a recurrence as loops over vectors ---*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_RECURRENCELOOPS_H
#define MORTAR_LIB_CONVERSION_RECURRENCELOOPS_H

#include "../Common/RecurrenceOperands.h"

namespace mortar {

/// Emits `program` over all heads, sequences and tokens at the builder's place. `scratch`
/// is a memref of f32 with room for a state, and behind it for its longer row.
void emitRecurrenceLoops(mlir::OpBuilder &b, const RecurrenceProgram &program,
                         const RecurrenceOperands &operands, mlir::Value scratch);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_RECURRENCELOOPS_H
