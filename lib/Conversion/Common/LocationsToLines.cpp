//===- LocationsToLines.cpp - locations that debug info can hold ----------===//

#include "mortar/Conversion/Passes.h"

#include "mlir/IR/BuiltinOps.h"

namespace mortar {
#define GEN_PASS_DEF_LOCATIONSTOLINESPASS
#include "mortar/Conversion/Passes.h.inc"
} // namespace mortar

using namespace mlir;

/// The first line of a file in `loc`, or failing that a name.
static LocationAttr simplify(Location loc) {
  if (auto line = loc->findInstanceOf<FileLineColRange>())
    return line;
  if (auto name = loc->findInstanceOf<NameLoc>())
    return NameLoc::get(name.getName());
  return UnknownLoc::get(loc.getContext());
}

namespace {
struct LocationsToLinesPass
    : ::mortar::impl::LocationsToLinesPassBase<LocationsToLinesPass> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      op->setLoc(simplify(op->getLoc()));
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (BlockArgument arg : block.getArguments())
            arg.setLoc(simplify(arg.getLoc()));
    });
  }
};
} // namespace
