//===- RecurrenceEmitter.h - the parts of a recurrence's kernel -*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_RECURRENCEEMITTER_H
#define MORTAR_LIB_CONVERSION_RECURRENCEEMITTER_H

#include "../Common/IndexBuilder.h"
#include "../Common/RecurrenceOperands.h"
#include "KernelBuilder.h"
#include "RecurrenceSchedule.h"

namespace mortar {

/// Emits one kernel: where a thread stands, its sequence and tokens
/// (RecurrenceKernel.cpp), states and their slots (RecurrenceStates.cpp), what it loads,
/// computes and stores of a token (RecurrenceToken.cpp).
class RecurrenceEmitter {
public:
  RecurrenceEmitter(IndexBuilder &b, const RecurrenceProgram &program,
                    const RecurrenceOperands &operands,
                    const RecurrenceSchedule &schedule, const ChipTraits &chip)
      : b(b), program(program), region(program.region), shape(program.shape),
        operands(operands), schedule(schedule), chip(chip) {}

  mlir::gpu::GPUFuncOp build(llvm::StringRef name);

private:
  using Values = llvm::SmallVector<mlir::Value>;

  // RecurrenceKernel.cpp
  void takeParameters(mlir::Block &entry);
  void findPlace();
  void findSequence();
  void emitTokens();
  Values emitToken(mlir::Value number, mlir::ValueRange state, mlir::ValueRange inputs);
  Values findToken(mlir::Value number);

  // RecurrenceStates.cpp
  mlir::Value readIndex(int input, mlir::ValueRange at);
  mlir::Value isValid(mlir::Value slot);
  mlir::Value findSlot(mlir::Value column);
  Values loadState();
  void storeState(mlir::Value slot, mlir::ValueRange state);
  Values reduceState(mlir::ValueRange products);
  Values spreadValues(mlir::ValueRange row);

  // RecurrenceToken.cpp
  Values loadScalar(unsigned number);
  Values loadRow(unsigned number, Extent extent);
  void findInputs();
  Values loadInputs(mlir::ValueRange ofToken);
  void takeInputs(mlir::ValueRange loaded);
  Values piecesOf(mlir::Value value, Extent extent);
  void compute(mlir::Operation &op);
  mlir::Value reduceRow(RowReduceOp op);
  Values keepPrefix(RowPrefixOp op);
  void store(unsigned destination, mlir::Value yielded);

  size_t countPieces(Extent extent) const {
    int64_t rows = schedule.rows, chunks = schedule.chunks;
    return extent == Extent::None   ? 1
           : extent == Extent::Keys ? chunks
           : extent == Extent::Both ? rows * chunks
                                    : rows / schedule.dealt();
  }
  /// Of a piece of a row or state: width keys, or one value.
  llvm::SmallVector<int64_t> shapeOfPiece(Extent extent) const {
    if (extent == Extent::Keys || extent == Extent::Both)
      return {schedule.width};
    return {};
  }
  mlir::Value both(mlir::Value lhs, mlir::Value rhs) {
    return !lhs ? rhs : !rhs ? lhs : b.both(lhs, rhs);
  }
  void ifThen(mlir::Value condition, llvm::function_ref<void()> body);
  /// What `then` gives, or zeros of `types`.
  Values ifElseZeros(mlir::Value condition, mlir::TypeRange types,
                     llvm::function_ref<Values()> then);

  IndexBuilder &b;
  const RecurrenceProgram &program;
  FusedOp region;
  const RecurrenceShape &shape;
  RecurrenceOperands operands; // the kernel's parameters, once it has them
  const RecurrenceSchedule &schedule;
  const ChipTraits &chip;

  mlir::gpu::GPUFuncOp kernel;
  Values memrefs;
  // Where this thread stands. Existence is null where everything exists.
  mlir::Value thread, lane, laneInRow, partOfHead, head, sequence;
  Values columns, columnExists; // of each chunk its first key
  Values stateRows, rowExists;  // of each row of a state that it holds
  Values valueRows, valueExists; // of each of its elements of a row of values
  // The sequence.
  mlir::Value begin, count, firstSlot, isAlive, outsideFirst, outsideLast, numSteps;
  // What is loaded for each token, and the types of its pieces.
  llvm::SmallVector<std::pair<mlir::BlockArgument, Extent>> inputs;
  llvm::SmallVector<mlir::Type> inputTypes;
  // The token.
  Values token;
  mlir::Value isPadding;
  llvm::DenseMap<std::pair<mlir::Value, Extent>, Values> pieces;
  /// Where operands that no token changes are loaded, before and after the wait.
  mlir::OpBuilder::InsertPoint early, late;
  llvm::DenseMap<std::pair<mlir::Value, Extent>, Values> loadedOnce;
};

/// Builds the kernel that runs `program` by `schedule`, at the builder's insertion point.
/// Its parameters: tokens, sequences and slots, then for each operand its base buffer,
/// offset, and all strides but the last.
mlir::gpu::GPUFuncOp buildRecurrenceKernel(mlir::OpBuilder &b, llvm::StringRef name,
                                           const RecurrenceProgram &program,
                                           const RecurrenceOperands &operands,
                                           const RecurrenceSchedule &schedule,
                                           const ChipTraits &chip);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_RECURRENCEEMITTER_H
