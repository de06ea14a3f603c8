//===- Remarks.h - what fused, what didn't and why --------------*- C++ -*-===//
#ifndef MORTAR_PIPELINES_REMARKS_H
#define MORTAR_PIPELINES_REMARKS_H

#include "mlir/IR/Location.h"
#include "llvm/Support/JSON.h"

#include <string>
#include <vector>

namespace mortar {

/// A remark of category mortar-fusion: a kernel was made, or a candidate did not fuse.
struct FusionRemark {
  enum class Kind { Kernel, NotFused };

  Kind kind = Kind::Kernel;
  std::string condition; // the one that failed, "budget"; empty for a kernel
  std::string function;
  std::string file; // empty, and the numbers 0, where the place isn't known
  unsigned line = 0, column = 0;
  std::string text;       // "residual_add -> rms_norm not fused"
  std::string reason;     // the facts
  std::string suggestion; // may be empty

  bool isNotFused() const { return kind == Kind::NotFused; }
  mlir::Location place(mlir::MLIRContext *context) const;
  llvm::json::Value toJSON() const;
};

/// `text` for JSON, which holds UTF-8 only; names and paths may be any bytes.
std::string toUTF8(llvm::StringRef text);

/// Collects the remarks that passes emit while it lives. A context has one remark
/// engine; if a tool has set up its own, that goes on and this collects nothing.
class RemarkCollector {
public:
  explicit RemarkCollector(mlir::MLIRContext *context);
  ~RemarkCollector();
  bool isCollecting() const { return installed; }
  std::vector<FusionRemark> take();

private:
  std::shared_ptr<std::vector<FusionRemark>> remarks;
  mlir::MLIRContext *context;
  bool installed = false;
};

} // namespace mortar

#endif // MORTAR_PIPELINES_REMARKS_H
