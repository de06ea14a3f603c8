//===- ReadInputTest.cpp - what files can't say in text -------------------===//

#include "Corpus.h"

#include "mortar/IR/Mortar.h"
#include "mortar/Pipelines/ReadInput.h"
#include "mortar/Transforms/Passes.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mortar;
using namespace mortar::badinput;

namespace {

class ReadInput : public ::testing::Test {
protected:
  ReadInput()
      : context(makeContext(false)),
        handler(context.get(), [this](Diagnostic &error) {
          said += error.str() + "\n";
          return success();
        }) {}

  OwningOpRef<ModuleOp> parse(StringRef text) {
    return parseSourceString<ModuleOp>(text, context.get());
  }
  OwningOpRef<ModuleOp> read(StringRef bytes) {
    llvm::SourceMgr sources;
    return readInput(llvm::MemoryBuffer::getMemBufferCopy(bytes, "file"),
                     sources, context.get());
  }

  std::unique_ptr<MLIRContext> context;
  std::string said;
  ScopedDiagnosticHandler handler;
};

constexpr const char *norm = R"(
func.func @f(%x: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %0 = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x8xbf16>) -> tensor<?x8xbf16>
  return %0 : tensor<?x8xbf16>
})";

template <typename OpTy> OpTy first(ModuleOp module) {
  OpTy found;
  module.walk([&](OpTy op) { found = op; });
  return found;
}

} // namespace

/// Upstream's reader takes most of what is damaged for granted: some of these
/// end it.
TEST_F(ReadInput, DamagedBytecodeIsAnError) {
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  ASSERT_TRUE(succeeded(writeBytecodeToFile(*parse(norm), os)));
  ASSERT_TRUE(read(bytes)) << said;
  size_t crashed = 0, refused = 0;
  for (size_t at = 4; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = char(0xff);
    said.clear();
    if (read(damaged))
      continue;
    EXPECT_NE(said.find("expected"), std::string::npos) << said;
    ++refused;
    crashed +=
        said.find("expected bytecode that MLIR wrote, but found some that ends "
                  "its reader: ") != std::string::npos;
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(crashed, 0u); // or a child process is no longer needed
}

TEST_F(ReadInput, WhatHasADefaultMayBeMissing) {
  auto module = parse(norm);
  auto op = first<RmsNormOp>(*module);
  op.getProperties().weight_offset = {};
  EXPECT_TRUE(failed(verify(op)));
  EXPECT_NE(
      said.find("(C4) expected weight_offset to be 0 or 1, but found none"),
      std::string::npos)
      << said;

  module = parse(R"(
func.func @f(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
    mortar.yield %a : vector<8xf32>
  }
  return
})");
  auto region = first<FusedOp>(*module);
  region.getProperties().domain = {};
  said.clear();
  EXPECT_TRUE(failed(verify(region)));
  EXPECT_NE(said.find("expected a domain, rows or recurrence, but found none"),
            std::string::npos)
      << said;
}

TEST_F(ReadInput, DeepIRIsRefused) {
  auto module = parse(norm);
  Operation *op = &module->getBody()->front();
  for (int depth = 0; depth < 300; ++depth) {
    OpBuilder b(op);
    auto outer = ModuleOp::create(b, op->getLoc());
    op->moveBefore(outer.getBody(), outer.getBody()->begin());
    op = outer;
  }
  PassManager pm(context.get());
  pm.addPass(createCheckInputPass());
  EXPECT_TRUE(failed(pm.run(*module)));
  EXPECT_NE(
      said.find("expected at most 256 ops within each other, but found more"),
      std::string::npos)
      << said;
}

/// Builders check types only where assertions are on, and bytecode nowhere.
TEST_F(ReadInput, ElementsOfTypes) {
  auto module = parse("func.func private @f(tensor<4xf32>)\n"
                      "func.func @g(%x: tensor<4xf32>) { return }");
  auto bad = RankedTensorType::get(
      {4}, FunctionType::get(context.get(), TypeRange(), TypeRange()));
  for (Operation &op : *module->getBody())
    for (Region &region : op.getRegions())
      for (Block &block : region)
        for (BlockArgument arg : block.getArguments())
          arg.setType(bad);
  PassManager pm(context.get());
  pm.enableVerifier(false);
  pm.addPass(createCheckInputPass());
  EXPECT_TRUE(failed(pm.run(*module)));
  EXPECT_NE(
      said.find("expected argument 0 to have an element type that it may have"),
      std::string::npos)
      << said;
}
