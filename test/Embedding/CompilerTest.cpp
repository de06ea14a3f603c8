//===- CompilerTest.cpp - The compiler's C API, used well and badly -------===//

#include "CompilerTest.h"

#include "mortar/Runtime/Artifact.h"

#include <cstring>
#include <thread>

namespace {

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

TEST(Compiler, Versions) {
  uint32_t api = 0, format = 0, numerics = 0;
  ASSERT_EQ(mortarCompilerVersion(&api, &format, &numerics), 0);
  EXPECT_EQ(api, 1u);
  EXPECT_EQ(format, mortar::runtime::artifactFormatVersion);
  EXPECT_GE(numerics, 1u);
  EXPECT_EQ(mortarCompilerVersion(&api, nullptr, &numerics), 1);
  EXPECT_EQ(lastError(), "expected a pointer for 'format', found null");
}

TEST(Compiler, MakesAnArtifactForAGPU) {
  MortarProgram program = 0;
  ASSERT_EQ(compile(layer, optionsFor("sm_90"), &program), 0) << lastError();
  const char *remarks = nullptr, *table = nullptr;
  const void *bytes = nullptr;
  size_t size = 0;
  uint32_t cached = 9;
  ASSERT_EQ(mortarProgramRemarks(program, &remarks), 0);
  EXPECT_NE(strstr(remarks, "\"residual_add+rms_norm\""), nullptr) << remarks;
  ASSERT_EQ(mortarProgramTable(program, &table), 0);
  EXPECT_NE(strstr(table, "@layer\nresidual_add+rms_norm"), nullptr) << table;
  ASSERT_EQ(mortarProgramWasCached(program, &cached), 0);
  EXPECT_EQ(cached, 0u);
  ASSERT_EQ(mortarProgramArtifact(program, &bytes, &size), 0);
  MortarExecutable executable = 0;
  ASSERT_EQ(mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_TO_INSPECT, &executable), 0);
  const char *again = nullptr;
  ASSERT_EQ(mortarRuntimeRemarks(executable, &again), 0);
  EXPECT_STREQ(again, remarks);
  EXPECT_EQ(mortarRuntimeDestroy(executable), 0);
  EXPECT_EQ(mortarProgramDestroy(program), 0);
}

TEST(Compiler, KernelsOnDemandHaveTheirOwnPtx) {
  using namespace mortar::runtime;
  MortarCompileOptions options = optionsFor("sm_90");
  options.noCubin = 1;
  MortarProgram program = 0;
  ASSERT_EQ(compile(layer, options, &program), 0) << lastError();
  const void *bytes = nullptr;
  size_t size = 0;
  ASSERT_EQ(mortarProgramArtifact(program, &bytes, &size), 0);
  Expected<Artifact> artifact = parseArtifact(bytes, size);
  ASSERT_TRUE(artifact.ok()) << artifact.message();
  EXPECT_EQ(mortarProgramDestroy(program), 0);
  ASSERT_EQ(artifact->images.size(), 2u);
  for (uint32_t number = 0; number < artifact->kernels.size(); ++number) {
    const Kernel &kernel = artifact->kernels[number];
    EXPECT_EQ(kernel.onDemand, kernel.name.find("_x1") != std::string::npos)
        << kernel.name;
    for (const CodeImage &image : artifact->images) {
      EXPECT_EQ(image.contains(number),
                kernel.onDemand == (&image != &artifact->images[0]));
      EXPECT_EQ(image.contains(number),
                image.bytes.find(".entry " + kernel.name + "(") != std::string::npos);
    }
  }
}

TEST(Compiler, DefaultsAreAllZeros) {
  MortarProgram program = 0;
  MortarCompileOptions options = {};
  options.size = sizeof(options);
  options.cache = MORTAR_CACHE_OFF;
  ASSERT_EQ(compile(layer, options, &program), 0) << lastError();
  EXPECT_EQ(mortarProgramDestroy(program), 0);
}

TEST(Compiler, DiagnosticsHavePlaces) {
  MortarCompileOptions options = optionsFor("sm_90");
  options.name = "layer.mlir";
  std::string said;
  options.user = &said;
  options.onDiagnostic = [](const MortarDiagnostic *d, void *user) {
    *static_cast<std::string *>(user) += std::string(d->file) + ":" +
                                         std::to_string(d->line) + ":" +
                                         std::to_string(d->severity) + " " + d->message;
  };
  EXPECT_EQ(refusal("\n  nonsense", options).substr(0, 17), "layer.mlir:2:3: c");
  EXPECT_EQ(said.substr(0, 15), "layer.mlir:2:2 ") << said;
}

TEST(Compiler, RequiredFusionsAreErrors) {
  MortarCompileOptions options = optionsFor("sm_90");
  options.requireFusions = 1;
  options.noFuse = 1;
  EXPECT_EQ(refusal(layer, options),
            "module:0:0: expected fusing to be on where fusions are required, but found "
            "it off");
}

//===----------------------------------------------------------------------===//
// Bad input
//===----------------------------------------------------------------------===//

TEST(Compiler, UnknownTargetsAndOptions) {
  EXPECT_NE(refusal(layer, optionsFor("sm_12345")).find("sm_12345"), std::string::npos)
      << lastError();
  EXPECT_NE(refusal(layer, optionsFor("z80")).find(
                "expected a target like sm_90, host or x86-64-v3, but found 'z80'"),
            std::string::npos)
      << lastError();
  MortarCompileOptions options = optionsFor("sm_90");
  options.noFuse = 2;
  EXPECT_EQ(refusal(layer, options), "expected option 'noFuse' to be 0 or 1, found 2");
  options = optionsFor("sm_90");
  options.cache = 4;
  EXPECT_EQ(refusal(layer, options),
            "expected option 'cache' to be 0 to 3 (MORTAR_CACHE_...), found 4");
  for (size_t size : {size_t(0), size_t(8), sizeof(options) + 8, size_t(-1)}) {
    options = optionsFor("sm_90");
    options.size = size;
    EXPECT_EQ(refusal(layer, options), "expected options of size " +
                                           std::to_string(sizeof(options)) + ", found " +
                                           std::to_string(size));
  }
}

TEST(Compiler, OddModules) {
  MortarCompileOptions options = optionsFor("sm_90");
  EXPECT_NE(refusal("", options), "");
  EXPECT_NE(refusal(std::string(1000, '\0'), options), "");
  EXPECT_NE(refusal(std::string(100000, '('), options).find("brackets within each other"),
            std::string::npos);
  EXPECT_NE(refusal("func.func @f() { return }", options)
                .find("expected at least one op of Mortar's in a function"),
            std::string::npos);
  // MLIR's bytecode begins with "ML\xefR" and a version.
  EXPECT_EQ(refusal(std::string("ML\xefR\x0fMLIR99\0rest", 16), options),
            "module:0:0: expected bytecode of version 6 or older, as MLIR 22.1.8 reads "
            "it, but found version 7, written by 'MLIR99'");
  EXPECT_EQ(refusal("ML\xefR\x0d damaged", options),
            "module:0:0: expected bytecode that MLIR wrote, but found some that its "
            "reader refuses");
}

TEST(Compiler, NullPointersAndWildSizesAreErrors) {
  MortarProgram program = 0;
  EXPECT_EQ(mortarCompile(nullptr, 5, nullptr, &program), 1);
  EXPECT_EQ(lastError(), "expected a pointer for 'module', found null");
  EXPECT_EQ(mortarCompile(layer, strlen(layer), nullptr, nullptr), 1);
  EXPECT_EQ(mortarCompile(layer, SIZE_MAX, nullptr, &program), 1);
  EXPECT_EQ(lastError(), "expected a module of which a copy fits into memory, found one of " +
                             std::to_string(SIZE_MAX) + " bytes");
  ASSERT_EQ(compile(layer, optionsFor("sm_90"), &program), 0) << lastError();
  size_t size = 0;
  const void *bytes = nullptr;
  EXPECT_EQ(mortarProgramArtifact(program, nullptr, &size), 1);
  EXPECT_EQ(mortarProgramArtifact(program, &bytes, nullptr), 1);
  EXPECT_EQ(mortarProgramRemarks(program, nullptr), 1);
  EXPECT_EQ(mortarProgramTable(program, nullptr), 1);
  EXPECT_EQ(mortarProgramWasCached(program, nullptr), 1);
  EXPECT_EQ(mortarProgramDestroy(program), 0);
}

TEST(Compiler, DeadAndConfusedHandlesAreErrors) {
  MortarProgram program = 0;
  ASSERT_EQ(compile(layer, optionsFor("host"), &program), 0) << lastError();
  const void *bytes = nullptr;
  size_t size = 0;
  ASSERT_EQ(mortarProgramArtifact(program, &bytes, &size), 0);
  MortarExecutable executable = 0;
  ASSERT_EQ(mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_TO_INSPECT, &executable), 0);
  // One is not taken for the other.
  const char *text = nullptr;
  EXPECT_EQ(mortarProgramRemarks(executable, &text), 1);
  EXPECT_EQ(lastError(),
            "expected a live program, found handle " + std::to_string(executable));
  EXPECT_EQ(mortarRuntimeRemarks(program, &text), 1);
  EXPECT_EQ(lastError(),
            "expected a live executable, found handle " + std::to_string(program));
  EXPECT_EQ(mortarProgramDestroy(executable), 1);
  EXPECT_EQ(mortarRuntimeDestroy(program), 1);

  ASSERT_EQ(mortarProgramDestroy(program), 0);
  for (MortarProgram dead : {program, MortarProgram(0), MortarProgram(-1)}) {
    uint32_t cached;
    EXPECT_EQ(mortarProgramArtifact(dead, &bytes, &size), 1);
    EXPECT_EQ(mortarProgramTable(dead, &text), 1);
    EXPECT_EQ(mortarProgramWasCached(dead, &cached), 1);
    EXPECT_EQ(mortarProgramDestroy(dead), 1);
  }
  EXPECT_EQ(mortarRuntimeDestroy(executable), 0);
}

TEST(Compiler, ManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([] {
      for (int i = 0; i < 3; ++i) {
        MortarProgram program = 0;
        EXPECT_EQ(compile(layer, optionsFor(i % 2 ? "sm_90" : "host"), &program), 0)
            << lastError();
        EXPECT_EQ(mortarProgramDestroy(program), 0);
        refusal("nonsense", optionsFor("sm_90"));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace
