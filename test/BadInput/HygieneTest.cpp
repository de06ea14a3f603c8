//===- HygieneTest.cpp - rewriting is a function of the program -----------===//
//
// On every valid module of the tests: fusing again changes nothing, every stage
// reads back from text and from bytecode as itself, and the order of functions
// doesn't matter.
//
//===----------------------------------------------------------------------===//

#include "Corpus.h"

#include "mortar/IR/Mortar.h"
#include "mortar/Pipelines/Pipelines.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>
#include <map>

using namespace mlir;
using namespace mortar;
using namespace mortar::badinput;

namespace {

using Build = llvm::function_ref<void(OpPassManager &)>;

class Hygiene : public ::testing::Test {
protected:
  static void SetUpTestSuite() { corpus = new auto(loadCorpus(MORTAR_CORPUS)); }

  /// Calls `check` with each module that parses without unknown ops.
  template <typename Check> void forEach(Check check) {
    size_t seen = 0;
    for (const Piece &piece : *corpus) {
      auto context = makeContext(/*allowUnregistered=*/true);
      ScopedDiagnosticHandler silent(context.get(),
                                     [](Diagnostic &) { return success(); });
      auto module = parseSourceString<ModuleOp>(piece.text, context.get());
      ASSERT_TRUE(module) << piece.name;
      SCOPED_TRACE(piece.name);
      check(*module);
      ++seen;
    }
    EXPECT_GE(seen, 100u); // or the corpus was not found
  }

  static bool run(ModuleOp module, Build build) {
    PassManager pm(module->getName());
    build(pm);
    return succeeded(pm.run(module));
  }

  static std::string print(Operation *op) {
    std::string text;
    llvm::raw_string_ostream(text) << *op;
    return text;
  }

  static void checkReadsBack(ModuleOp module, const char *stage) {
    std::string text = print(module), bytecode;
    llvm::raw_string_ostream os(bytecode);
    ASSERT_TRUE(succeeded(writeBytecodeToFile(module, os))) << stage;
    for (const std::string &form : {text, bytecode}) {
      auto again = parseSourceString<ModuleOp>(form, module.getContext());
      ASSERT_TRUE(again) << stage << "\n" << text;
      EXPECT_EQ(text, print(*again)) << stage;
    }
  }

  static std::vector<Piece> *corpus;
};

std::vector<Piece> *Hygiene::corpus;

void fuse(OpPassManager &pm) { buildFusePipeline(pm, FusePipelineOptions()); }
void toGPU(OpPassManager &pm) {
  buildToGPUPipeline(pm, ToGPUPipelineOptions());
}

/// Each function's regions as text, by the function's name before gaps were
/// cut.
std::map<std::string, std::vector<std::string>> kernelsOf(ModuleOp module) {
  std::map<std::string, std::vector<std::string>> kernels;
  module.walk([&](FusedOp region) {
    auto func = region->getParentOfType<func::FuncOp>();
    std::string text;
    llvm::raw_string_ostream os(text);
    region.print(os, OpPrintingFlags().useLocalScope());
    if (func)
      kernels[func.getName().str()].push_back(text);
  });
  return kernels;
}

} // namespace

TEST_F(Hygiene, FusingAgainChangesNothing) {
  forEach([](ModuleOp module) {
    if (!run(module, fuse))
      return;
    std::string once = print(module);
    ASSERT_TRUE(run(module, fuse));
    EXPECT_EQ(once, print(module));
  });
}

TEST_F(Hygiene, EveryStageReadsBack) {
  size_t lowered = 0;
  forEach([&](ModuleOp module) {
    checkReadsBack(module, "source");
    if (!run(module, fuse))
      return;
    checkReadsBack(module, "fused");
    OwningOpRef<ModuleOp> gpu(module.clone());
    if (!run(module, buildBufferizePipeline))
      return;
    checkReadsBack(module, "bufferized");
    if (!run(*gpu, toGPU))
      return;
    checkReadsBack(*gpu, "gpu");
    ++lowered;
  });
  EXPECT_GE(lowered, 20u);
}

TEST_F(Hygiene, FunctionsInAnotherOrderGiveTheSameKernels) {
  size_t shuffled = 0;
  forEach([&](ModuleOp module) {
    OwningOpRef<ModuleOp> other(module.clone());
    SmallVector<Operation *> inOrder;
    for (Operation &op : *other->getBody())
      inOrder.push_back(&op);
    // Alias definitions aside, a module's order means nothing: from back to
    // front.
    for (Operation *op : inOrder)
      op->moveBefore(other->getBody(), other->getBody()->begin());
    bool fused = run(module, fuse);
    ASSERT_EQ(fused, run(*other, fuse));
    if (!fused)
      return;
    EXPECT_EQ(kernelsOf(module), kernelsOf(*other));
    shuffled += inOrder.size() > 1;
  });
  EXPECT_GE(shuffled, 20u);
}
