//===- Checker.h - one program, run in every way ----------------*- C++ -*-===//
//
// The reference is the unfused program on the interpreter: each op a kernel of its own,
// with stores in between. Whatever else a program is turned into must give its bits.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_TEST_PROOF_CHECKER_H
#define MORTAR_TEST_PROOF_CHECKER_H

#include "mortar/Execution/Programs.h"
#include "mortar/Interpreter/Interpreter.h"
#include "mortar/Pipelines/Pipelines.h"

#include "mlir/IR/OwningOpRef.h"

#include <map>

namespace mortar::proof {

/// What happened over many programs.
struct Statistics {
  uint64_t programs = 0, ops = 0, kernels = 0, comparisons = 0, elements = 0;
  /// By kind of check, such as "cpu" or "commute".
  std::map<std::string, uint64_t> checks;
  /// In one kernel: an op that hands a value to another, and one that is handed one.
  /// Counted whenever a program, or what an equality makes of it, is fused.
  std::map<std::string, uint64_t> joinedAsProducer, joinedAsConsumer;
  /// Kernels on the joined rows of heads.
  uint64_t joinedHeads = 0;
  /// Remarks by failed condition.
  std::map<std::string, uint64_t> declines;

  void add(const Statistics &other);
};

/// A way to fuse.
struct Fusion {
  std::string name;
  bool merge = true;
  bool mixedDtypes = false;
  int64_t maxLiveBytes = FusionOptions().maxLiveBytes;
};

/// A module fused, outlined and decomposed, as the interpreter takes it.
struct Lowered {
  mlir::OwningOpRef<mlir::ModuleOp> fused;      // before decomposition
  mlir::OwningOpRef<mlir::ModuleOp> decomposed;
  std::vector<FusionRemark> remarks;
  size_t ops = 0, kernels = 0;
};

using Results = std::vector<execution::Tensor>;

/// Checks one program; a program is a module with a function @program.
class Checker {
public:
  Checker(mlir::ModuleOp program, uint64_t seed, Statistics &statistics);

  /// Fused in several ways on the interpreter; hygiene of fusing. False after a failure,
  /// which `failure` tells.
  bool checkFusion();
  /// What ought not to change the result, and doesn't.
  bool checkEqualities();
  /// As compiled code on the "cpu" or the "emulator".
  bool checkDevice(llvm::StringRef device);

  std::string failure;

private:
  using Tensors = std::vector<execution::Tensor>;

  bool fail(const llvm::Twine &what);
  mlir::func::FuncOp findProgram(mlir::ModuleOp module) const;
  bool makeInputs();
  mlir::FailureOr<Lowered> lower(mlir::ModuleOp module, const Fusion &fusion);
  mlir::FailureOr<Results> interpret(mlir::ModuleOp module, const Tensors &inputs,
                                     execution::Program *device = nullptr,
                                     execution::Placement placement = {});
  bool compare(llvm::StringRef name, const Results &found, const Results &expected);
  void count(const Lowered &lowered);
  void countColumnMajor(const execution::Program &compiled,
                        execution::Placement placement);
  bool checkHygiene(const Lowered &lowered, const Fusion &fusion);
  bool checkVariant(llvm::StringRef name, mlir::ModuleOp changed, size_t extraResults);
  bool checkRows();

  mlir::ModuleOp program;
  uint64_t seed;
  Statistics &statistics;
  std::string diagnostics; // of the step under way
  bool mixesRows = false;  // it calls something foreign
  bool branches = false;
  std::vector<execution::Tensor> inputs;
  Results reference;
  size_t fusedKernels = 0, fusedRemarks = 0;
};

} // namespace mortar::proof

#endif // MORTAR_TEST_PROOF_CHECKER_H
