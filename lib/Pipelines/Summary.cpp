//===- Summary.cpp - what fusing did, in numbers --------------------------===//

#include "mortar/Pipelines/Summary.h"

#include "mortar/Transforms/Fusion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mortar;

/// Grows when a field goes or changes its meaning; a new field doesn't change it.
static constexpr int jsonVersion = 1;

/// Bytes of one row of `type`, or of one scalar.
static int64_t bytesOfRow(Type type) {
  auto row = dyn_cast<VectorType>(type);
  int64_t count = row ? row.getNumElements() : 1;
  Type element = getElementTypeOrSelf(type);
  return element.isIntOrFloat() ? count * (element.getIntOrFloatBitWidth() / 8) : 0;
}

static KernelSummary summarize(FusedOp region) {
  KernelSummary kernel;
  kernel.ops = describeOps(region, "+");
  auto weighs = [&](Value value) {
    // Weights stay in the cache from row to row.
    auto arg = dyn_cast<BlockArgument>(value);
    RowMap map = arg ? region.getArgumentMap(arg) : RowMap::Row;
    return isPerRow(map) && map != RowMap::Head && !isIndex(map);
  };
  for (Operation &op : region.getBodyBlock()->without_terminator()) {
    if (!isa<FusionOpInterface>(op))
      continue;
    ++kernel.opCount;
    for (Value operand : op.getOperands())
      if (weighs(operand) && !operand.getDefiningOp<arith::ConstantOp>())
        kernel.bytesBefore += bytesOfRow(operand.getType());
    for (Type type : op.getResultTypes())
      kernel.bytesBefore += bytesOfRow(type);
  }
  for (Value argument : region.getBodyBlock()->getArguments())
    if (weighs(argument))
      kernel.bytesAfter += bytesOfRow(argument.getType());
  for (Value value : region.getBodyBlock()->getTerminator()->getOperands())
    kernel.bytesAfter += bytesOfRow(value.getType());
  return kernel;
}

Summary mortar::summarize(ModuleOp module) {
  Summary summary;
  for (auto func : module.getOps<func::FuncOp>()) {
    FunctionSummary made{func.getName().str(), {}};
    func.walk([&](FusedOp region) { made.kernels.push_back(::summarize(region)); });
    if (!made.kernels.empty())
      summary.functions.push_back(std::move(made));
  }
  return summary;
}

size_t Summary::countKernels() const {
  size_t count = 0;
  for (const FunctionSummary &function : functions)
    count += function.kernels.size();
  return count;
}

void Summary::print(raw_ostream &os) const {
  size_t width = 24;
  for (const FunctionSummary &function : functions)
    for (const KernelSummary &kernel : function.kernels)
      width = std::max(width, kernel.ops.size());
  os << llvm::formatv("{0}  {1,8}  {2,7}  {3,13}  {4,13}\n",
                      llvm::left_justify("kernel", width),
                      "ops", "kernels", "bytes/row was", "bytes/row now");
  for (const FunctionSummary &function : functions) {
    os << "@" << function.name << "\n";
    int64_t ops = 0, before = 0, after = 0;
    for (const KernelSummary &kernel : function.kernels) {
      os << llvm::formatv("{0}  {1,8}  {2,7}  {3,13}  {4,13}\n",
                          llvm::left_justify(kernel.ops, width),
                          kernel.opCount, 1, kernel.bytesBefore, kernel.bytesAfter);
      ops += kernel.opCount;
      before += kernel.bytesBefore;
      after += kernel.bytesAfter;
    }
    if (function.kernels.size() > 1)
      os << llvm::formatv("{0}  {1,8}  {2,7}  {3,13}  {4,13}\n",
                          llvm::left_justify("  in all", width),
                          ops, function.kernels.size(), before, after);
  }
  for (const FusionRemark &remark : remarks)
    if (remark.isNotFused()) {
      if (remark.file.empty())
        os << "unknown location";
      else
        os << remark.file << ":" << remark.line << ":" << remark.column;
      os << ": " << remark.text << ": " << remark.reason << " [" << remark.condition
         << "]\n";
    }
}

std::string Summary::toJSON() const {
  llvm::json::Array functionsOut, remarksOut;
  for (const FunctionSummary &function : functions) {
    llvm::json::Array kernels;
    for (const KernelSummary &kernel : function.kernels)
      kernels.push_back(llvm::json::Object{{"ops", kernel.ops},
                                           {"kernels_before", kernel.opCount},
                                           {"bytes_per_row_before", kernel.bytesBefore},
                                           {"bytes_per_row_after", kernel.bytesAfter}});
    functionsOut.push_back(llvm::json::Object{{"name", toUTF8(function.name)},
                                              {"kernels", std::move(kernels)}});
  }
  for (const FusionRemark &remark : remarks)
    remarksOut.push_back(remark.toJSON());
  llvm::json::Value all = llvm::json::Object{{"version", jsonVersion},
                                             {"functions", std::move(functionsOut)},
                                             {"remarks", std::move(remarksOut)}};
  return llvm::formatv("{0:2}\n", all).str();
}

//===----------------------------------------------------------------------===//
// Reading JSON
//===----------------------------------------------------------------------===//

namespace mortar {
static bool fromJSON(const llvm::json::Value &value, KernelSummary &kernel,
                     llvm::json::Path path) {
  llvm::json::ObjectMapper map(value, path);
  return map && map.map("ops", kernel.ops) && map.map("kernels_before", kernel.opCount) &&
         map.map("bytes_per_row_before", kernel.bytesBefore) &&
         map.map("bytes_per_row_after", kernel.bytesAfter);
}
static bool fromJSON(const llvm::json::Value &value, FunctionSummary &function,
                     llvm::json::Path path) {
  llvm::json::ObjectMapper map(value, path);
  return map && map.map("name", function.name) && map.map("kernels", function.kernels);
}
static bool fromJSON(const llvm::json::Value &value, FusionRemark &remark,
                     llvm::json::Path path) {
  llvm::json::ObjectMapper map(value, path);
  std::string kind;
  if (!map || !map.map("kind", kind))
    return false;
  remark.kind = kind == "not-fused" ? FusionRemark::Kind::NotFused
                                    : FusionRemark::Kind::Kernel;
  return map.map("condition", remark.condition) &&
         map.map("function", remark.function) && map.map("file", remark.file) &&
         map.map("line", remark.line) && map.map("column", remark.column) &&
         map.map("remark", remark.text) && map.map("reason", remark.reason) &&
         map.map("suggestion", remark.suggestion);
}
} // namespace mortar

runtime::Expected<Summary> Summary::fromJSON(StringRef text) {
  auto value = llvm::json::parse(text);
  if (!value)
    return runtime::Status::error("expected remarks as JSON, found other text: ",
                                  llvm::toString(value.takeError()));
  Summary summary;
  int64_t version = 0;
  llvm::json::Path::Root root("remarks");
  llvm::json::ObjectMapper map(*value, root);
  if (map && map.map("version", version) && version == jsonVersion &&
      map.map("functions", summary.functions) && map.map("remarks", summary.remarks))
    return summary;
  return runtime::Status::error("expected remarks of version ", jsonVersion,
                                ", found version ", version, ": ",
                                llvm::toString(root.getError()));
}
