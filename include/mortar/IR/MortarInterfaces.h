//===- MortarInterfaces.h - what fusion asks of an op -----------*- C++ -*-===//
#ifndef MORTAR_IR_MORTARINTERFACES_H
#define MORTAR_IR_MORTARINTERFACES_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/PatternMatch.h"

#include "mortar/IR/MortarEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mortar/IR/MortarAttrs.h.inc"

namespace mortar {
/// FusionOpInterface::coarsen of ops that compute each element of a row by itself.
mlir::Operation *coarsenElementwise(mlir::Operation *op, mlir::OpBuilder &b,
                                    mlir::ValueRange operands, int64_t heads);
} // namespace mortar

#include "mortar/IR/MortarInterfaces.h.inc"

namespace mortar {

/// Attaches FusionOpInterface to the elementwise ops of arith and math, so that
/// casts, biases and scales between Mortar's ops join its kernels.
void registerElementwiseFusionModels(mlir::DialectRegistry &registry);

} // namespace mortar

#endif // MORTAR_IR_MORTARINTERFACES_H
