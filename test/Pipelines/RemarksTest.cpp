//===- RemarksTest.cpp - remarks as an embedder gets them -----------------===//

#include "mortar-c/Runtime.h"
#include "mortar/InitAll.h"
#include "mortar/Pipelines/Compiler.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mortar;

namespace {

// A norm on mixed types stays apart from the add before it.
constexpr const char *apart = R"(
func.func @f(%x: tensor<?x64xbf16>, %w: tensor<64xf32>) -> tensor<?x64xbf16> {
  %s = mortar.residual_add %x, %x
    : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x64xbf16>, tensor<64xf32>) -> tensor<?x64xbf16>
  return %n : tensor<?x64xbf16>
})";

struct NoStreamer : remark::detail::MLIRRemarkStreamerBase {
  void streamOptimizationRemark(const remark::detail::Remark &) override {}
};

class Remarks : public ::testing::Test {
protected:
  Remarks() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
      errors.push_back(diagnostic.str());
      errorPlaces.push_back(diagnostic.getLocation());
      return success();
    });
    options.cubin = false;
  }
  FailureOr<GPUProgram> compile() {
    module = parseSourceString<ModuleOp>(apart, &context, "apart.mlir");
    return compileForGPU(*module, options);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  CompileOptions options;
  std::vector<std::string> errors;
  std::vector<Location> errorPlaces;
};

TEST_F(Remarks, ThreadsChangeNoByte) {
  std::string bytes[2];
  for (bool threads : {false, true}) {
    options.threads = threads;
    auto program = compile();
    ASSERT_TRUE(succeeded(program));
    EXPECT_EQ(program->artifact.images.size(), 2u);
    bytes[threads] = runtime::serialize(program->artifact);
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST_F(Remarks, AnArtifactGivesTheJSONBack) {
  auto program = compile();
  ASSERT_TRUE(succeeded(program));
  std::string bytes = runtime::serialize(program->artifact);
  MortarExecutable executable = 0;
  ASSERT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(), MORTAR_LOAD_TO_INSPECT,
                                   &executable),
            MORTAR_RUNTIME_OK);
  const char *json = nullptr;
  ASSERT_EQ(mortarRuntimeRemarks(executable, &json), MORTAR_RUNTIME_OK);
  EXPECT_EQ(json, program->summary.toJSON());

  auto parsed = llvm::json::parse(json);
  ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
  EXPECT_EQ(parsed->getAsObject()->getInteger("version"), 1);
  const llvm::json::Array *remarks = parsed->getAsObject()->getArray("remarks");
  ASSERT_EQ(remarks->size(), 3u);
  llvm::json::Value expected = llvm::json::Object{
      {"kind", "not-fused"},
      {"condition", "dtype-rule"},
      {"function", "f"},
      {"file", "apart.mlir"},
      {"line", 5},
      {"column", 8},
      {"remark", "residual_add -> rms_norm not fused"},
      {"reason", "the norm's row is made of bf16, and its weight is f32"},
      {"suggestion", "give the weight the rows' type, or set mixed-dtypes=fuse"}};
  EXPECT_TRUE((*remarks)[1] == expected) << json;
  EXPECT_EQ(mortarRuntimeDestroy(executable), MORTAR_RUNTIME_OK);
}

/// As with IR that a program builds.
TEST_F(Remarks, UnknownPlacesAreEmpty) {
  module = parseSourceString<ModuleOp>(apart, &context);
  module->walk([&](Operation *op) { op->setLoc(UnknownLoc::get(&context)); });
  Summary summary;
  ASSERT_TRUE(succeeded(fuseAndOutline(*module, options, summary)));
  ASSERT_EQ(summary.remarks.size(), 3u);
  for (const FusionRemark &remark : summary.remarks) {
    EXPECT_EQ(remark.file, "");
    EXPECT_EQ(remark.line, 0u);
    EXPECT_EQ(remark.place(&context), UnknownLoc::get(&context));
  }
  std::string table;
  llvm::raw_string_ostream os(table);
  summary.print(os);
  EXPECT_NE(table.find("unknown location: residual_add -> rms_norm not fused"),
            std::string::npos);
}

TEST_F(Remarks, RequiredFusionsAreErrorsAtTheirPlaces) {
  options.requireFusions = true;
  EXPECT_TRUE(failed(compile()));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0], "expected every candidate to fuse, but found residual_add -> "
                       "rms_norm not fused: the norm's row is made of bf16, and its "
                       "weight is f32 [dtype-rule]");
  EXPECT_EQ(errorPlaces[0], FileLineColLoc::get(&context, "apart.mlir", 5, 8));

  options.toleratedConditions = {"dtype-rule"};
  EXPECT_TRUE(succeeded(compile()));
  options.toleratedConditions = {"budget"};
  EXPECT_TRUE(failed(compile()));
  options.mixedDtypes = true;
  EXPECT_TRUE(succeeded(compile()));
}

/// Where nobody looked, nothing is promised.
TEST_F(Remarks, RequiredFusionsAreNeverTakenOnTrust) {
  options.requireFusions = true;
  options.fuse = false;
  EXPECT_TRUE(failed(compile()));
  EXPECT_EQ(errors.back(), "expected fusing to be on where fusions are required, but "
                           "found it off");
  options.fuse = true;
  remark::RemarkCategories categories;
  ASSERT_TRUE(succeeded(remark::enableOptimizationRemarks(
      context, std::make_unique<NoStreamer>(),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories)));
  EXPECT_TRUE(failed(compile()));
  EXPECT_EQ(errors.back(), "expected a context without a remark engine where fusions "
                           "are required, but found one, which gets their remarks");
}

/// What an artifact keeps can be read again.
TEST_F(Remarks, JSONIsReadAgain) {
  auto program = compile();
  ASSERT_TRUE(succeeded(program));
  std::string json = program->summary.toJSON();
  auto summary = Summary::fromJSON(json);
  ASSERT_TRUE(summary.ok()) << summary.message();
  EXPECT_EQ(summary->toJSON(), json);
  EXPECT_EQ(Summary::fromJSON("{").message().substr(0, 50),
            "expected remarks as JSON, found other text: [1:1, ");
  std::string newer = json;
  newer.replace(newer.find("\"version\": 1"), 12, "\"version\": 9");
  EXPECT_EQ(Summary::fromJSON(newer).message().substr(0, 47),
            "expected remarks of version 1, found version 9:");
}

} // namespace
