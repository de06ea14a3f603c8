//===- ConvertMortarToCPU.cpp - regions become loops ----------------------===//

#include "RecurrenceLoops.h"
#include "RowLoops.h"

#include "mortar/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mortar {
#define GEN_PASS_DEF_CONVERTMORTARTOCPUPASS
#include "mortar/Conversion/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {
/// A reduced row lies on the stack, as f32.
constexpr int64_t maxReducedLength = 65536;

struct ConvertMortarToCPUPass
    : ::mortar::impl::ConvertMortarToCPUPassBase<ConvertMortarToCPUPass> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](func::FuncOp func) {
      return failed(convert(func)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult convert(func::FuncOp func);
};
} // namespace

LogicalResult ConvertMortarToCPUPass::convert(func::FuncOp func) {
  SmallVector<RowProgram> programs;
  SmallVector<RecurrenceProgram> recurrences;
  int64_t longest = 0;
  WalkResult result = func.walk([&](FusedOp region) {
    if (region.isRecurrence()) {
      FailureOr<RecurrenceProgram> program = RecurrenceProgram::read(region);
      if (failed(program))
        return WalkResult::interrupt();
      const RecurrenceShape &shape = program->shape;
      // A state, and behind it the longer of its rows.
      longest = std::max(longest, shape.values * shape.keys +
                                      std::max(shape.values, shape.keys));
      recurrences.push_back(*program);
      return WalkResult::advance();
    }
    FailureOr<RowProgram> program = RowProgram::read(region);
    if (failed(program))
      return WalkResult::interrupt();
    if (program->reduces)
      longest = std::max(longest, program->length);
    if (program->reduces && program->length > maxReducedLength) {
      region.emitError() << "expected rows of at most " << maxReducedLength
                         << " elements under a reduction, but found "
                         << program->length;
      return WalkResult::interrupt();
    }
    programs.push_back(*program);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  // One for all regions, at the function's start: the stack is small.
  OpBuilder b(func.getContext());
  Value scratch;
  if (longest) {
    b.setInsertionPointToStart(&func.front());
    scratch = memref::AllocaOp::create(b, func.getLoc(),
                                       MemRefType::get({longest}, b.getF32Type()));
  }
  for (RowProgram &program : programs) {
    b.setInsertionPoint(program.region);
    FailureOr<HostOperands> operands = takeApart(b, program.region);
    if (failed(operands))
      return failure();
    emitRowLoops(b, program, *operands, scratch);
    program.region.erase();
  }
  for (RecurrenceProgram &program : recurrences) {
    b.setInsertionPoint(program.region);
    FailureOr<RecurrenceOperands> operands = takeApart(b, program);
    if (failed(operands))
      return failure();
    emitRecurrenceLoops(b, program, *operands, scratch);
    program.region.erase();
  }
  return success();
}
