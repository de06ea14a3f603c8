//===- Summary.h - what fusing did, in numbers ------------------*- C++ -*-===//
#ifndef MORTAR_PIPELINES_SUMMARY_H
#define MORTAR_PIPELINES_SUMMARY_H

#include "mortar/Pipelines/Remarks.h"
#include "mortar/Runtime/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace mortar {

/// One region, and what its ops would be as kernels of their own.
struct KernelSummary {
  std::string ops;          // "residual_add+rms_norm"
  int64_t opCount = 0;      // kernels before
  int64_t bytesBefore = 0;  // read and written for one row, each op alone
  int64_t bytesAfter = 0;   // read and written for one row, fused
};

struct FunctionSummary {
  std::string name;
  std::vector<KernelSummary> kernels;
};

struct Summary {
  std::vector<FunctionSummary> functions;
  std::vector<FusionRemark> remarks;

  size_t countKernels() const;
  /// A table a function, then what was refused and why.
  void print(llvm::raw_ostream &os) const;
  /// The kernels and the remarks as JSON, which a line of its own ends: what
  /// mortar-compile writes and an artifact keeps. README.md says what each field means.
  std::string toJSON() const;
  /// What toJSON wrote. The error says what was expected.
  static runtime::Expected<Summary> fromJSON(llvm::StringRef text);
};

/// Reads the regions of a fused module on tensors.
Summary summarize(mlir::ModuleOp module);

} // namespace mortar

#endif // MORTAR_PIPELINES_SUMMARY_H
