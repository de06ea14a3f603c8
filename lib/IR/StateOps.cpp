//===- StateOps.cpp -------------------------------------------------------===//

#include "mortar/IR/Mortar.h"

using namespace mlir;
using namespace mortar;

LogicalResult StateBroadcastOp::verify() {
  auto matrix = cast<VectorType>(getResult().getType());
  int64_t expected = matrix.getDimSize(getAxis() == StateAxis::Keys ? 1 : 0);
  if (rowLength(getInput().getType()) != expected)
    return emitOpError() << "(C1) expected a row of " << expected << " "
                         << stringifyStateAxis(getAxis()) << " for " << matrix
                         << ", but found " << getInput().getType();
  return success();
}

LogicalResult StateReduceOp::verify() {
  auto matrix = cast<VectorType>(getInput().getType());
  if (rowLength(getResult().getType()) != matrix.getDimSize(0))
    return emitOpError() << "(C1) expected a result of " << matrix.getDimSize(0)
                         << " values for " << matrix << ", but found "
                         << getResult().getType();
  return success();
}
