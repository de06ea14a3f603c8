//===- Interpreter.h - what a module means, value by value ------*- C++ -*-===//
//
// Runs fused and decomposed functions on tensors: the body of each region once for every
// row, each primitive on every element, sums by the tree of row_reduce, storage rounded
// by APFloat. It shares nothing with the lowerings, and is obvious rather than fast: what
// it says is what they are compared with.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_INTERPRETER_INTERPRETER_H
#define MORTAR_INTERPRETER_INTERPRETER_H

#include "mortar/Execution/Programs.h"
#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <functional>
#include <vector>

namespace mortar::interpreter {

/// A tensor, a row or (of no dimensions) a scalar: the elements' bits in row-major order,
/// unused high bits zero. Elements are floats of at most 32 bits, integers or index.
struct Array {
  mlir::Type elementType;
  std::vector<int64_t> shape;
  std::vector<uint64_t> bits;

  int64_t asIndex() const { return int64_t(bits[0]); }
};

Array fromTensor(const execution::Tensor &tensor, mlir::MLIRContext *context);
/// Fails, without a diagnostic, for element types that no tensor at run time has.
mlir::FailureOr<execution::Tensor> toTensor(const Array &array);

/// One op on every element; all operands have one shape. Fails with an error at the op if
/// it isn't a constant or elementwise arith or math, or is one it doesn't know.
mlir::FailureOr<Array> evaluateElementwise(mlir::Operation *op,
                                           llvm::ArrayRef<const Array *> operands);

/// The program of one row (in a recurrence, of one token) on what it sees of each input;
/// gives what it yields. The body must be decomposed.
mlir::FailureOr<std::vector<Array>> evaluateRow(FusedOp region,
                                                std::vector<Array> arguments,
                                                bool isPadding = false);

/// A recurrence on its inputs. `results` are its destinations: the states as they were
/// before, the others of their shapes, all of whose elements are written.
llvm::LogicalResult runRecurrence(FusedOp region, std::vector<const Array *> inputs,
                                  std::vector<Array> &results);

/// Runs functions of one module. Everything it doesn't know is an error at the op.
class Interpreter {
public:
  /// What a call gives. Fails after an error of its own, or declines by std::nullopt:
  /// then the callee is interpreted, and an external one is an error.
  using CallHandler = std::function<mlir::FailureOr<std::optional<std::vector<Array>>>(
      mlir::func::FuncOp callee, const std::vector<Array> &arguments)>;

  explicit Interpreter(mlir::ModuleOp module, CallHandler handler = {})
      : module(module), handler(std::move(handler)) {}

  mlir::FailureOr<std::vector<Array>> run(mlir::func::FuncOp function,
                                          const std::vector<Array> &arguments);

private:
  using Values = llvm::DenseMap<mlir::Value, Array>;

  mlir::FailureOr<std::vector<Array>> runBlock(mlir::Block &block, Values &values);
  mlir::FailureOr<std::vector<Array>> runOp(mlir::Operation *op, Values &values);
  mlir::FailureOr<std::vector<Array>> runRegion(FusedOp region, Values &values);
  mlir::FailureOr<std::vector<Array>> runCall(mlir::func::CallOp call, Values &values);

  mlir::ModuleOp module;
  CallHandler handler;
};

/// `module`, which is left as it is, fused and decomposed as for a device, as a program
/// that the interpreter runs: slow, but without any lowering. It can't be timed.
execution::Expected<std::unique_ptr<execution::Program>>
makeInterpretedProgram(mlir::ModuleOp module, const CompileOptions &options);

} // namespace mortar::interpreter

#endif // MORTAR_INTERPRETER_INTERPRETER_H
