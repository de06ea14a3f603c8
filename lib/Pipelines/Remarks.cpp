//===- Remarks.cpp - what fused, what didn't and why ----------------------===//

#include "mortar/Pipelines/Remarks.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mortar;

std::string mortar::toUTF8(StringRef text) {
  return llvm::json::isUTF8(text) ? text.str() : llvm::json::fixUTF8(text);
}

Location FusionRemark::place(MLIRContext *context) const {
  if (file.empty())
    return UnknownLoc::get(context);
  return FileLineColLoc::get(context, file, line, column);
}

llvm::json::Value FusionRemark::toJSON() const {
  return llvm::json::Object{{"kind", isNotFused() ? "not-fused" : "kernel"},
                            {"condition", condition},
                            {"function", toUTF8(function)},
                            {"file", toUTF8(file)},
                            {"line", line},
                            {"column", column},
                            {"remark", toUTF8(text)},
                            {"reason", toUTF8(reason)},
                            {"suggestion", toUTF8(suggestion)}};
}

//===----------------------------------------------------------------------===//
// RemarkCollector
//===----------------------------------------------------------------------===//

namespace {
struct CollectingStreamer : remark::detail::MLIRRemarkStreamerBase {
  std::shared_ptr<std::vector<FusionRemark>> into;

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    FusionRemark made;
    if (remark.getRemarkType() == llvm::remarks::Type::Missed) {
      made.kind = FusionRemark::Kind::NotFused;
      made.condition = remark.getRemarkName().str();
    }
    made.function = remark.getFunction().str();
    if (auto file = remark.getLocation()->findInstanceOf<FileLineColLoc>()) {
      made.file = file.getFilename().str();
      made.line = file.getLine();
      made.column = file.getColumn();
    }
    for (const auto &arg : remark.getArgs()) {
      if (arg.key == "Remark")
        made.text = arg.val;
      else if (arg.key == "Reason")
        made.reason = arg.val;
      else if (arg.key == "Suggestion")
        made.suggestion = arg.val;
    }
    into->push_back(std::move(made));
  }
};
} // namespace

RemarkCollector::RemarkCollector(MLIRContext *context)
    : remarks(std::make_shared<std::vector<FusionRemark>>()), context(context) {
  if (context->getRemarkEngine())
    return;
  auto streamer = std::make_unique<CollectingStreamer>();
  streamer->into = remarks;
  remark::RemarkCategories categories;
  categories.passed = categories.missed = "mortar.*";
  installed = succeeded(remark::enableOptimizationRemarks(
      *context, std::move(streamer),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories));
}

RemarkCollector::~RemarkCollector() {
  if (installed)
    context->setRemarkEngine(nullptr);
}

std::vector<FusionRemark> RemarkCollector::take() { return std::move(*remarks); }
