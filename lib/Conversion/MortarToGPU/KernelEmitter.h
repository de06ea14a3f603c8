//===- KernelEmitter.h - the parts of a kernel ------------------*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_KERNELEMITTER_H
#define MORTAR_LIB_CONVERSION_KERNELEMITTER_H

#include "KernelBuilder.h"
#include "RowReduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mortar {

/// An operand inside the kernel.
struct KernelOperand {
  const HostOperand *host;
  mlir::Value
      matrix; // memref<rows x length>, or memref<length> if every row has the same
};

/// Emits one kernel: where a thread stands (KernelPlace.cpp), what it loads and stores
/// (KernelMemory.cpp), what it computes (KernelCompute.cpp), and in which order
/// (KernelBuilder.cpp).
class KernelEmitter {
public:
  KernelEmitter(mlir::ImplicitLocOpBuilder &b, const RowProgram &program,
                const HostOperands &operands, const RowSchedule &schedule,
                const ChipTraits &chip)
      : b(b), program(program), region(program.region), operands(operands),
        schedule(schedule), chip(chip) {}

  mlir::gpu::GPUFuncOp build(llvm::StringRef name);

private:
  void takeParameters(mlir::Block &entry);
  void findPlace();
  void placeInWholeRow(mlir::Value thread, mlir::Value block);
  void placeInSplitRows(mlir::Value thread, mlir::Value block);
  std::pair<mlir::Value, mlir::Value> findChunk(mlir::Value dealt);
  void prefetch(unsigned input);
  llvm::SmallVector<mlir::Value> groupOf(const KernelOperand &operand, size_t c);
  void loadConstant(unsigned input);
  void loadRows();
  void compute(mlir::Operation &op, mlir::gpu::GPUFuncOp kernel);
  void store(unsigned destination, mlir::Value yielded);
  void storeWhereYielded(mlir::Value value);

  llvm::SmallVector<mlir::Value> elementOf(const KernelOperand &operand,
                                           mlir::Value column);
  mlir::Value columnOf(size_t c, int64_t half, bool wide);
  mlir::Value loadChunk(unsigned input, int64_t half, size_t c);
  void reduce(RowReduceOp op, mlir::gpu::GPUFuncOp kernel);
  void storeIf(mlir::Value condition, llvm::function_ref<void(mlir::OpBuilder &)> body);

  mlir::Value constant(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, value);
  }
  mlir::Value add(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::AddIOp>(lhs, rhs);
  }
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::MulIOp>(lhs, rhs);
  }
  mlir::Value less(mlir::Value lhs, mlir::Value rhs) {
    return mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::ult, lhs, rhs);
  }
  mlir::Value both(mlir::Value lhs, mlir::Value rhs) {
    return !lhs ? rhs : !rhs ? lhs : mlir::arith::AndIOp::create(b, lhs, rhs).getResult();
  }
  mlir::Value atMost(mlir::Value value, mlir::Value most) {
    return mlir::arith::MinUIOp::create(b, value, most);
  }

  mlir::ImplicitLocOpBuilder &b;
  const RowProgram &program;
  FusedOp region;
  const HostOperands &operands;
  const RowSchedule &schedule;
  const ChipTraits &chip;

  mlir::Value numRows;
  llvm::SmallVector<KernelOperand> inner;
  ThreadPlace place;
  /// This thread's row, clamped to the last, and whether it exists; null if it always
  /// does.
  mlir::Value row, rowExists;
  /// The first element of each chunk, clamped to the last, and whether the chunk exists.
  llvm::SmallVector<mlir::Value> columns, chunkExists;
  /// Row values: one vector a chunk; a wide row's second half comes after its first.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> rows;
  /// Group values: for each chunk its group's.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> groups;
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
};

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_KERNELEMITTER_H
