//===- ScratchReduction.cpp - loops, and the tree on a CPU ----------------===//

#include "ScratchReduction.h"

#include "../Common/RowProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mortar;

void mortar::emitLoop(ImplicitLocOpBuilder &b, int64_t from, int64_t to, int64_t step,
                      function_ref<void(Value)> body) {
  if (from >= to)
    return;
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  auto made = scf::ForOp::create(b, constant(from), constant(to), constant(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  body(made.getInductionVar());
}

Value mortar::reduceScratch(ImplicitLocOpBuilder &b, Value scratch, ReductionKind kind,
                            Value begin, int64_t count) {
  Location loc = b.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  auto add = [&](Value lhs, Value rhs) { return b.createOrFold<arith::AddIOp>(lhs, rhs); };
  auto at = [&](Value index) { return SmallVector<Value, 1>{add(begin, index)}; };
  for (; count > 1; count = (count + 1) / 2) {
    int64_t pairs = count / 2, whole = pairs / simdWidth * simdWidth;
    emitLoop(b, 0, whole, simdWidth, [&](Value i) {
      auto type = VectorType::get({2 * simdWidth}, b.getF32Type());
      Value first = arith::MulIOp::create(b, i, constant(2));
      Value both = vector::LoadOp::create(b, type, scratch, at(first));
      SmallVector<int64_t> even, odd;
      for (int64_t k = 0; k < 2 * simdWidth; k += 2) {
        even.push_back(k);
        odd.push_back(k + 1);
      }
      Value lhs = vector::ShuffleOp::create(b, both, both, even);
      Value rhs = vector::ShuffleOp::create(b, both, both, odd);
      vector::StoreOp::create(b, combine(b, loc, kind, lhs, rhs), scratch, at(i));
    });
    emitLoop(b, whole, pairs, 1, [&](Value i) {
      Value first = arith::MulIOp::create(b, i, constant(2));
      Value lhs = memref::LoadOp::create(b, scratch, at(first));
      Value rhs = memref::LoadOp::create(b, scratch, at(add(first, constant(1))));
      memref::StoreOp::create(b, combine(b, loc, kind, lhs, rhs), scratch, at(i));
    });
    if (count % 2) {
      Value left = memref::LoadOp::create(b, scratch, at(constant(count - 1)));
      memref::StoreOp::create(b, left, scratch, at(constant(pairs)));
    }
  }
  return memref::LoadOp::create(b, scratch, at(constant(0)));
}
