//===- Summary.h - what fusing did, in numbers ------------------*- C++ -*-===//
#ifndef MORTAR_PIPELINES_SUMMARY_H
#define MORTAR_PIPELINES_SUMMARY_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"
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

/// A remark of category mortar-fusion: a refusal (kind "missed") or a kernel made
/// ("passed").
struct FusionRemark {
  std::string kind, name, function, location, text, reason, suggestion;
};

struct Summary {
  std::vector<FunctionSummary> functions;
  std::vector<FusionRemark> remarks;

  size_t countKernels() const;
  /// A table a function, then what was refused and why.
  void print(llvm::raw_ostream &os) const;
  llvm::json::Value toJSON() const;
};

/// Reads the regions of a fused module on tensors.
Summary summarize(mlir::ModuleOp module);

/// Collects the remarks that passes emit while it lives. A context has one at a time;
/// if a tool has set up remarks of its own, those go on and this collects nothing.
class RemarkCollector {
public:
  explicit RemarkCollector(mlir::MLIRContext *context);
  ~RemarkCollector();
  std::vector<FusionRemark> take();

private:
  std::shared_ptr<std::vector<FusionRemark>> remarks;
  mlir::MLIRContext *context;
  bool installed = false;
};

} // namespace mortar

#endif // MORTAR_PIPELINES_SUMMARY_H
