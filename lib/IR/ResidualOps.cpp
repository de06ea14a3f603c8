//===- ResidualOps.cpp ----------------------------------------------------===//

#include "RowTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mortar;

LogicalResult ResidualAddOp::verify() {
  if (failed(verifySameRows(*this, "C1", "lhs", getLhs().getType(), "rhs",
                            getRhs().getType())))
    return failure();
  return verifySameRows(*this, "C1", "lhs", getLhs().getType(), "result",
                        getResult().getType());
}

bool ResidualAddOp::isTransparentToDtypeRule() { return true; }

LogicalResult ResidualAddOp::decompose(RewriterBase &rewriter) {
  Location loc = getLoc();
  Value sum = arith::AddFOp::create(rewriter, loc, widenRow(rewriter, loc, getLhs()),
                                    widenRow(rewriter, loc, getRhs()));
  rewriter.replaceOp(*this, roundRow(rewriter, loc, sum,
                                     getElementTypeOrSelf(getType())));
  return success();
}
