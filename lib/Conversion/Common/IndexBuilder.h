//===- IndexBuilder.h - sizes and addresses on the host ---------*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_INDEXBUILDER_H
#define MORTAR_LIB_CONVERSION_INDEXBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mortar {

/// Index arithmetic that reads like arithmetic. All is unsigned but what `compare` is told.
struct IndexBuilder : mlir::ImplicitLocOpBuilder {
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Value = mlir::Value;
  using Predicate = mlir::arith::CmpIPredicate;

  Value constant(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(*this, value);
  }
  Value flag(bool value) {
    return mlir::arith::ConstantIntOp::create(*this, value, 1);
  }
  Value add(Value a, Value b) { return createOrFold<mlir::arith::AddIOp>(a, b); }
  Value sub(Value a, Value b) { return createOrFold<mlir::arith::SubIOp>(a, b); }
  Value mul(Value a, Value b) { return createOrFold<mlir::arith::MulIOp>(a, b); }
  Value div(Value a, Value b) { return createOrFold<mlir::arith::DivUIOp>(a, b); }
  Value rem(Value a, Value b) { return createOrFold<mlir::arith::RemUIOp>(a, b); }
  Value both(Value a, Value b) { return createOrFold<mlir::arith::AndIOp>(a, b); }
  Value either(Value a, Value b) { return createOrFold<mlir::arith::OrIOp>(a, b); }
  Value select(Value condition, Value a, Value b) {
    return createOrFold<mlir::arith::SelectOp>(condition, a, b);
  }
  Value equal(Value a, Value b) { return compare(Predicate::eq, a, b); }
  Value atMost(Value a, Value b) { return compare(Predicate::ule, a, b); }
  Value atLeast(Value a, Value b) { return compare(Predicate::uge, a, b); }
  Value compare(Predicate predicate, Value a, Value b) {
    return createOrFold<mlir::arith::CmpIOp>(predicate, a, b);
  }
  void check(Value condition, const llvm::Twine &message) {
    mlir::cf::AssertOp::create(*this, condition, message.str());
  }
};

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_INDEXBUILDER_H
