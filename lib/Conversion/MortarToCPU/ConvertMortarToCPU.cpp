//===- ConvertMortarToCPU.cpp - regions become loops ----------------------===//

#include "RowLoops.h"

#include "mortar/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
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
    SmallVector<FusedOp> regions;
    getOperation().walk([&](FusedOp region) { regions.push_back(region); });
    for (FusedOp region : regions) {
      FailureOr<RowProgram> program = RowProgram::read(region);
      if (failed(program))
        return signalPassFailure();
      if (program->reduces && program->length > maxReducedLength) {
        region.emitError() << "expected rows of at most " << maxReducedLength
                           << " elements under a reduction, but found "
                           << program->length;
        return signalPassFailure();
      }
      OpBuilder b(region);
      FailureOr<HostOperands> operands = takeApart(b, region);
      if (failed(operands))
        return signalPassFailure();
      emitRowLoops(b, *program, *operands);
      region.erase();
    }
  }
};
} // namespace
