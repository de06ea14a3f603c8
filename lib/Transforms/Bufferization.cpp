//===- Bufferization.cpp - mortar.fused in one-shot bufferization ---------===//
//
// The region is destination style and its body works on vectors, so bufferizing it
// is swapping tensors for memrefs. Its body is never looked into.
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mortar;

namespace {
struct FusedOpBufferization
    : DstBufferizableOpInterfaceExternalModel<FusedOpBufferization, FusedOp> {
  /// Each destination is written whole and never read, but for states.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    auto fused = cast<FusedOp>(op);
    return !fused.isDpsInit(&operand) ||
           fused.getInitMap(operand.getOperandNumber() - fused.getInputs().size()) ==
               RowMap::State;
  }

  /// A row is read whole before any of it is written, and rows don't see each other:
  /// an input may share its buffer with a destination of the same shape.
  bool bufferizesToElementwiseAccess(Operation *op, const AnalysisState &,
                                     ArrayRef<OpOperand *> operands) const {
    auto fused = cast<FusedOp>(op);
    return llvm::all_of(operands, [&](OpOperand *operand) {
      return fused.isDpsInit(operand) ||
             isWholeRow(fused.getInputMap(operand->getOperandNumber()));
    });
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto fused = cast<FusedOp>(op);
    SmallVector<Value> inputs, inits;
    SmallVector<RowMap> inputMaps, initMaps;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      unsigned number = operand.getOperandNumber();
      if (fused.isDpsInit(&operand)) {
        initMaps.push_back(fused.getInitMap(inits.size()));
        inits.push_back(*buffer);
      } else {
        inputMaps.push_back(fused.getInputMap(number));
        inputs.push_back(*buffer);
      }
    }
    rewriter.setInsertionPoint(op);
    auto buffered = FusedOp::create(rewriter, op->getLoc(), inputs, inputMaps, inits,
                                    initMaps, fused.getDomain());
    buffered.setLabelAttr(fused.getLabelAttr());
    buffered->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    rewriter.mergeBlocks(fused.getBodyBlock(), buffered.getBodyBlock(),
                         buffered.getBodyBlock()->getArguments());
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};
} // namespace

void mortar::registerBufferizableOpInterfaceModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, MortarDialect *) {
    FusedOp::attachInterface<FusedOpBufferization>(*context);
  });
}
