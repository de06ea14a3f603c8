// The dialect in C++, and how it joins Mortar.
#ifndef SHOP_H
#define SHOP_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "ShopDialect.h.inc"
#define GET_OP_CLASSES
#include "Shop.h.inc"

namespace shop {
/// Lets the dialect's ops join Mortar's kernels.
void registerMortarModels(mlir::DialectRegistry &registry);
} // namespace shop

#endif // SHOP_H
