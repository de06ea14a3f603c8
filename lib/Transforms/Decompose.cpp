//===- Decompose.cpp - regions in row primitives --------------------------===//

#include "mortar/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace mortar {
#define GEN_PASS_DEF_DECOMPOSEPASS
#include "mortar/Transforms/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {
struct DecomposePass : ::mortar::impl::DecomposePassBase<DecomposePass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    WalkResult result = getOperation()->walk([&](FusedOp region) {
      // Decomposed, the ops' names are gone; a kernel keeps them as its own.
      if (!region.getLabel())
        region.setLabel(describeOps(region, "_"));
      for (Operation &op :
           llvm::make_early_inc_range(region.getBodyBlock()->without_terminator())) {
        auto fusible = dyn_cast<FusionOpInterface>(op);
        if (!fusible)
          continue;
        rewriter.setInsertionPoint(&op);
        if (failed(fusible.decompose(rewriter))) {
          op.emitError() << "'" << op.getName()
                         << "' has no decomposition into row primitives";
          return WalkResult::interrupt();
        }
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
