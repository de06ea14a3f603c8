//===- Translator.h - from a gpu.func to a Program --------------*- C++ -*-===//
#ifndef MORTAR_LIB_EMULATOR_TRANSLATOR_H
#define MORTAR_LIB_EMULATOR_TRANSLATOR_H

#include "LaneOps.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <map>

namespace mortar::emulator {

/// Where a value lies in the register file.
struct Register {
  uint32_t place = 0;
  LaneType type = LaneType::I64;
  uint32_t elements = 1;
  bool isConstant = false; // never given to another value
  uint32_t bytes() const { return elements * laneBytes(type) * warpSize; }
};

class Translator {
public:
  explicit Translator(mlir::gpu::GPUFuncOp func) : func(func) {}
  mlir::FailureOr<Program> translate();

private:
  // Translator.cpp: the function and its control flow.
  mlir::LogicalResult addParameters();
  mlir::LogicalResult addWorkgroupBuffers();
  mlir::LogicalResult addBlock(mlir::Block &block);
  mlir::LogicalResult addIf(mlir::scf::IfOp op);
  mlir::LogicalResult addFor(mlir::scf::ForOp op);
  mlir::LogicalResult checkAttributes(mlir::Operation &op);
  void nameOp(mlir::Operation &op);

  // TranslateOps.cpp and TranslateVectors.cpp: ops on values. None: no such op.
  mlir::LogicalResult addOp(mlir::Operation &op);
  std::optional<mlir::LogicalResult> addArith(mlir::Operation &op);
  std::optional<mlir::LogicalResult> addVector(mlir::Operation &op);
  std::optional<mlir::LogicalResult> addGPU(mlir::Operation &op);
  mlir::LogicalResult addLanes(mlir::Operation &op, LaneFunction function,
                               uint32_t elements);
  mlir::LogicalResult addConversion(mlir::Operation &op, Conversion conversion);
  mlir::LogicalResult addShuffle(mlir::gpu::ShuffleOp op);
  mlir::LogicalResult moveElements(mlir::Operation &op, Register from,
                                   llvm::ArrayRef<int64_t> sources, Register to,
                                   uint32_t first);

  // TranslateMemory.cpp: memrefs and accesses.
  std::optional<mlir::LogicalResult> addMemory(mlir::Operation &op);
  mlir::LogicalResult addView(mlir::Operation &op);
  mlir::LogicalResult addAccess(mlir::Operation &op, Step step,
                                mlir::Value memref, mlir::OperandRange indices,
                                mlir::Value value, uint64_t alignment,
                                mlir::Value mask = {});
  mlir::FailureOr<View> viewOfArgument(mlir::BlockArgument argument);
  IndexOperand indexOperand(mlir::OpFoldResult value);

  // Registers.cpp: values, and registers that are used again once a value is
  // dead.
  void findLastUses();
  mlir::FailureOr<Register> registerFor(mlir::Type type, mlir::Operation &op);
  mlir::FailureOr<Register> define(mlir::Value value, mlir::Operation &op);
  Register use(mlir::Value value);
  uint32_t allocate(uint32_t bytes);
  void release(unsigned position);
  Register constantIndex(int64_t value);
  void addConstant(Register where, llvm::ArrayRef<char> elements);
  mlir::LogicalResult define(mlir::Operation &op, mlir::TypedAttr constant);

  Instruction &emit(Step step);
  Instruction &emitCopy(Register to, Register from, bool activeOnly);

  mlir::gpu::GPUFuncOp func;
  Program program;
  uint32_t currentOp = 0;
  bool isFirst = true; // the next instruction is its op's first
  llvm::DenseMap<mlir::Value, Register> registers;
  llvm::DenseMap<mlir::Value, View> views;
  llvm::DenseMap<mlir::Operation *, std::pair<unsigned, unsigned>>
      positions; // of
  // where an op begins and where its regions end
  llvm::DenseMap<unsigned, llvm::SmallVector<mlir::Value>> lastUses;
  std::map<uint32_t, std::vector<uint32_t>> freePlaces; // by size
  std::map<int64_t, Register> indexConstants;
};

/// "layer.mlir:3:8", of a fused location up to three.
std::string describeLocation(mlir::Location location);

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_TRANSLATOR_H
