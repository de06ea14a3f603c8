//===- Float8.h - f8E4M3FN by integer operations ----------------*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_FLOAT8_H
#define MORTAR_LIB_CONVERSION_FLOAT8_H

#include "mlir/IR/Builders.h"

namespace mortar {

/// f8E4M3FN (a scalar or vector) to f32: exact.
mlir::Value widenF8E4M3(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value);

/// f32 of magnitude at most 448, or NaN, to f8E4M3FN: to nearest even, subnormals kept,
/// any NaN to 0x7f, as cvt.rn.satfinite.e4m3x2.f32 has it. Greater magnitudes must have
/// been clamped.
mlir::Value roundToF8E4M3(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_FLOAT8_H
