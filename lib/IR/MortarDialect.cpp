//===- MortarDialect.cpp - registration, and what all verifiers share -----===//

#include "RowTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mortar;

#include "mortar/IR/MortarDialect.cpp.inc"
#include "mortar/IR/MortarEnums.cpp.inc"
#include "mortar/IR/MortarInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mortar/IR/MortarAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "mortar/IR/MortarOps.cpp.inc"

namespace {
/// Mortar's ops are pure on tensors, so a function that holds them may be inlined.
struct MortarInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const override {
    return true;
  }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const override {
    return true;
  }
};
} // namespace

void MortarDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mortar/IR/MortarAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mortar/IR/MortarOps.cpp.inc"
      >();
  addInterfaces<MortarInlinerInterface>();
}

/// What Mortar's ops fold to are arith's constants.
Operation *MortarDialect::materializeConstant(OpBuilder &b, Attribute value, Type type,
                                              Location loc) {
  return arith::ConstantOp::materialize(b, value, type, loc);
}

/// The attributes of function arguments mean nothing elsewhere.
static bool belongsOnArgument(StringRef name) {
  return name == MortarDialect::constantAttr || name == MortarDialect::outputAttr ||
         name == MortarDialect::resultAttr;
}

LogicalResult MortarDialect::verifyOperationAttribute(Operation *op,
                                                      NamedAttribute attr) {
  if (belongsOnArgument(attr.getName()))
    return op->emitOpError() << "expected " << attr.getName()
                             << " on a function's argument, but found it on an operation";
  return success();
}

LogicalResult MortarDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                      unsigned argIndex,
                                                      NamedAttribute attr) {
  StringRef name = attr.getName();
  if (!belongsOnArgument(name))
    return success();
  if (!isa<FunctionOpInterface>(op))
    return op->emitOpError() << "expected " << attr.getName()
                             << " on a function's argument, but found it on a region's";
  bool wantsNumber = name == resultAttr;
  if (wantsNumber ? !isa<IntegerAttr>(attr.getValue())
                  : !isa<UnitAttr>(attr.getValue()))
    return op->emitOpError() << "expected " << attr.getName() << " of argument "
                             << argIndex << " to be "
                             << (wantsNumber ? "an integer" : "a unit attribute")
                             << ", but found " << attr.getValue();
  return success();
}

LogicalResult mortar::verifySameRows(Operation *op, StringRef constraint,
                                     StringRef name, Type expected,
                                     StringRef otherName, Type found) {
  auto a = cast<ShapedType>(expected), b = cast<ShapedType>(found);
  if (isa<VectorType>(a) != isa<VectorType>(b) ||
      failed(verifyCompatibleShape(a, b)))
    return op->emitOpError() << "(" << constraint << ") expected " << otherName
                             << " to have the shape of " << name << ", " << expected
                             << ", but found " << found;
  return success();
}

LogicalResult mortar::verifyInnerType(Operation *op, StringRef constraint,
                                      std::optional<Type> inner, StringRef name) {
  if (!inner || inner->isF32() || inner->isF16() || inner->isBF16())
    return success();
  return op->emitOpError() << "(" << constraint
                           << ") expected " << name
                           << " type f32, f16 or bf16, but found " << *inner;
}

LogicalResult mortar::verifyGroupSize(Operation *op, StringRef constraint,
                                      std::optional<int64_t> size, Type input) {
  if (!size)
    return success();
  int64_t length = rowLength(input);
  bool known = !ShapedType::isDynamic(length);
  if (*size >= 1 && (known ? *size == length || (*size > 1 && length % *size == 0)
                           : true))
    return success();
  auto error = op->emitOpError() << "(" << constraint << ") expected a group_size ";
  if (known)
    error << "of " << length << ", or one that divides it and is greater than 1";
  else
    error << "of at least 1";
  return error << ", but found " << *size;
}

/// A row's type, or a scalar's, of other elements.
static Type withElement(Type type, Type element) {
  auto row = dyn_cast<ShapedType>(type);
  return row ? Type(row.clone(element)) : element;
}

Value mortar::widenRow(OpBuilder &b, Location loc, Value row) {
  if (getElementTypeOrSelf(row).isF32())
    return row;
  return arith::ExtFOp::create(b, loc, withElement(row.getType(), b.getF32Type()), row);
}

Value mortar::roundRow(OpBuilder &b, Location loc, Value row, Type element) {
  if (getElementTypeOrSelf(row) == element)
    return row;
  return arith::TruncFOp::create(b, loc, withElement(row.getType(), element), row);
}

Value mortar::splatRow(OpBuilder &b, Location loc, Value like, APFloat value) {
  auto type = cast<ShapedType>(like.getType()).clone(b.getF32Type());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, value));
}
