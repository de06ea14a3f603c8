//===- CompilerTest.cpp - The compiler's C API, used well and badly -------===//

#include "mortar-c/Compiler.h"

#include "mortar/InitAll.h"
#include "mortar/Runtime/Artifact.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr const char *layer = R"mlir(
func.func @layer(%x: tensor<?x8xf32>, %r: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %s = mortar.residual_add %x, %r
    : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %n : tensor<?x8xf32>
}
)mlir";

std::string lastError() { return mortarRuntimeLastError(); }

MortarCompileOptions optionsFor(const char *target) {
  MortarCompileOptions options = {};
  options.size = sizeof(options);
  options.target = target;
  options.noCubin = 1;
  options.cache = MORTAR_CACHE_OFF;
  return options;
}

int compile(const std::string &module, const MortarCompileOptions &options,
            MortarProgram *program) {
  return mortarCompile(module.data(), module.size(), &options, program);
}

/// What compiling says when it fails.
std::string refusal(const std::string &module, const MortarCompileOptions &options) {
  MortarProgram program = 77;
  EXPECT_EQ(compile(module, options, &program), MORTAR_RUNTIME_ERROR);
  EXPECT_EQ(program, 77u);
  return lastError();
}

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
// Hosts
//===----------------------------------------------------------------------===//

/// Compiles `layer` from bytecode, which a child process reads.
void compileBytecode() {
  mlir::DialectRegistry registry;
  mortar::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(layer, &context);
  ASSERT_TRUE(succeeded(mlir::writeBytecodeToFile(*module, os)));
  MortarProgram program = 0;
  ASSERT_EQ(compile(bytes, optionsFor("sm_90"), &program), 0) << lastError();
  EXPECT_EQ(mortarProgramDestroy(program), 0);
}

/// As processes with CUDA, PyTorch or JAX do, which reserve more than they use.
TEST(Host, ReservesAddresses) {
  size_t size = size_t(8) << 30;
  void *reserved = mmap(nullptr, size, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(reserved, MAP_FAILED);
  compileBytecode();
  munmap(reserved, size);
}

TEST(Host, IgnoresItsChildren) {
  auto before = signal(SIGCHLD, SIG_IGN);
  compileBytecode();
  EXPECT_EQ(refusal("ML\xefR\x0d damaged", optionsFor("sm_90")),
            "module:0:0: expected bytecode that MLIR wrote, but found some that its "
            "reader refuses");
  signal(SIGCHLD, before);
}

bool recoversFromCrashes() {
  bool recovers = false;
  llvm::CrashRecoveryContext context;
  context.RunSafely(
      [&] { recovers = llvm::CrashRecoveryContext::GetCurrent() != nullptr; });
  return recovers;
}

/// One that links LLVM itself, and has it recover.
TEST(Host, RecoversFromItsOwnCrashes) {
  MortarProgram program = 0;
  for (bool host : {false, true}) {
    if (host)
      llvm::CrashRecoveryContext::Enable();
    ASSERT_EQ(compile(layer, optionsFor("sm_90"), &program), 0) << lastError();
    EXPECT_EQ(mortarProgramDestroy(program), 0);
    EXPECT_EQ(recoversFromCrashes(), host);
  }
  llvm::CrashRecoveryContext::Disable();
}

/// With a ptxas of our own.
class WithPtxas : public ::testing::Test {
protected:
  WithPtxas() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("mortar-ptxas", home));
    mkdir((home + "/bin").str().c_str(), 0700);
    setenv("CUDA_HOME", home.c_str(), 1);
  }
  ~WithPtxas() override {
    unsetenv("CUDA_HOME");
    llvm::sys::fs::remove_directories(home);
  }

  /// What it does, in the shell; $out and $in are its files.
  void does(const std::string &what) {
    std::string path = (home + "/bin/ptxas").str();
    std::ofstream(path) << "#!/bin/sh\n"
                           "while [ $# -gt 1 ]; do [ $1 != -o ] || out=$2; shift; done\n"
                           "in=$1\n"
                        << what << "\n";
    ASSERT_EQ(chmod(path.c_str(), 0700), 0);
  }
  /// Looks like a cubin.
  static constexpr const char *succeeds =
      "(printf '\\177ELF\\002\\001\\001'; cat $in) > $out";

  /// Compiles, with machine code; the artifact, or the error.
  static std::string make() {
    MortarCompileOptions options = optionsFor("sm_90");
    options.noCubin = 0;
    MortarProgram program = 0;
    if (compile(layer, options, &program) != 0)
      return lastError();
    const void *bytes = nullptr;
    size_t size = 0;
    EXPECT_EQ(mortarProgramArtifact(program, &bytes, &size), 0);
    std::string made(static_cast<const char *>(bytes), size);
    EXPECT_EQ(mortarProgramDestroy(program), 0);
    return made;
  }

  llvm::SmallString<128> home;
};

/// The signals that this process handles.
std::string caughtSignals() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line) && line.rfind("SigCgt", 0) != 0)
    ;
  return line;
}

TEST_F(WithPtxas, LeavesSignalsAlone) {
  does(std::string("sleep 0.6; ") + succeeds);
  std::thread([] {}).join(); // after which the C library handles one itself
  std::string caught = caughtSignals();
  // The second begins before the first ends, and ends after it.
  std::thread first([] { EXPECT_EQ(make().substr(0, 6), "MORTAR"); });
  usleep(300000);
  std::thread second([] { EXPECT_EQ(make().substr(0, 6), "MORTAR"); });
  first.join();
  second.join();
  EXPECT_EQ(caughtSignals(), caught);
  auto before = signal(SIGALRM, [](int) {});
  alarm(1000);
  EXPECT_NE(make().find("\177ELF"), std::string::npos);
  EXPECT_GT(alarm(0), 900u); // the host's own
  signal(SIGALRM, before);
}

TEST_F(WithPtxas, FailuresAreErrors) {
  std::string failed = "expected ptxas ('" + (home + "/bin/ptxas").str() +
                       "') to assemble the kernels for sm_90, but it failed: ";
  does("echo complaints; exit 3");
  EXPECT_EQ(make(), "module:0:0: " + failed + "complaints");
  does("echo complaints; kill -TERM $$");
  EXPECT_EQ(make(), "module:0:0: " + failed + "Terminated");
  auto before = signal(SIGCHLD, SIG_IGN);
  does("echo complaints; exit 3");
  EXPECT_EQ(make(), "module:0:0: " + failed + "complaints");
  does(succeeds);
  EXPECT_EQ(make().substr(0, 6), "MORTAR");
  signal(SIGCHLD, before);
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

//===----------------------------------------------------------------------===//
// Running on this CPU
//===----------------------------------------------------------------------===//

class OnHost : public ::testing::Test {
protected:
  OnHost() {
    EXPECT_EQ(compile(layer, optionsFor("host"), &program), 0) << lastError();
    const void *bytes = nullptr;
    size_t size = 0;
    EXPECT_EQ(mortarProgramArtifact(program, &bytes, &size), 0);
    artifact.assign(static_cast<const char *>(bytes), size);
    EXPECT_EQ(mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_ON_DEVICE, &executable), 0)
        << lastError();
    EXPECT_EQ(mortarProgramDestroy(program), 0); // what was loaded stays
    for (MortarTensor &arg : args)
      arg = {buffers[&arg - args], shape, nullptr, 2, MORTAR_F32};
  }
  ~OnHost() override { EXPECT_EQ(mortarRuntimeDestroy(executable), 0); }

  int launch(void *stream = nullptr) {
    return mortarRuntimeLaunch(executable, 0, args, 3, nullptr, 0, stream);
  }

  MortarProgram program = 0;
  MortarExecutable executable = 0;
  std::string artifact;
  int64_t shape[2] = {4, 8};
  float buffers[3][33] = {};
  MortarTensor args[3];
};

TEST_F(OnHost, Runs) {
  for (int i = 0; i < 32; ++i)
    buffers[0][i] = buffers[1][i] = 2;
  ASSERT_EQ(launch(), 0) << lastError();
  for (int i = 0; i < 32; ++i)
    EXPECT_FLOAT_EQ(buffers[2][i], 1);
  EXPECT_EQ(buffers[2][32], 0);
  const char *image = nullptr;
  ASSERT_EQ(mortarRuntimeImage(executable, &image), 0);
  EXPECT_STREQ(image, "host object");
}

TEST_F(OnHost, OverlappingOutputIsAnError) {
  args[2].data = buffers[0] + 8;
  ASSERT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("entry 'layer': "), std::string::npos) << lastError();
  EXPECT_NE(lastError().find("overlap"), std::string::npos) << lastError();
}

TEST_F(OnHost, MisalignedPointerIsAnError) {
  args[0].data = reinterpret_cast<char *>(buffers[0]) + 1;
  ASSERT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("expected data aligned to 4 bytes, found address"),
            std::string::npos)
      << lastError();
}

TEST_F(OnHost, SmallOutputIsAnError) {
  int64_t less[2] = {3, 8};
  args[2].shape = less;
  ASSERT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("expected extent 0 to be 4, found 3"), std::string::npos)
      << lastError();
}

TEST_F(OnHost, StreamIsAnError) {
  ASSERT_EQ(launch(this), 1);
  EXPECT_EQ(lastError(), "expected no stream for code of a CPU, which has run when the "
                         "call returns, found one");
}

TEST_F(OnHost, AnotherCPUsCodeIsAnError) {
  // Which has instructions (FMA4, XOP) that came and went with it.
  MortarProgram other = 0;
  if (compile(layer, optionsFor("bdver4"), &other) != 0)
    GTEST_SKIP() << lastError();
  const void *bytes = nullptr;
  size_t size = 0;
  MortarExecutable none = 5;
  ASSERT_EQ(mortarProgramArtifact(other, &bytes, &size), 0);
  EXPECT_EQ(mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_ON_DEVICE, &none), 1);
  EXPECT_EQ(lastError().substr(0, 31), "expected a CPU like bdver4, wit") << lastError();
  EXPECT_EQ(none, 5u);
  EXPECT_EQ(mortarProgramDestroy(other), 0);
}

TEST_F(OnHost, DamagedArtifactIsAnError) {
  artifact[artifact.size() / 2] ^= 1;
  MortarExecutable none = 5;
  EXPECT_EQ(mortarRuntimeLoadBytes(artifact.data(), artifact.size(),
                                   MORTAR_LOAD_ON_DEVICE, &none),
            1);
  EXPECT_EQ(lastError(), "checksum mismatch: the artifact is damaged");
}

/// The sizes of all symbols in an object, beyond what they stand in.
void enlargeSymbols(std::string &object) {
  auto *file = reinterpret_cast<Elf64_Ehdr *>(&object[0]);
  auto *sections = reinterpret_cast<Elf64_Shdr *>(&object[file->e_shoff]);
  for (int i = 0; i < file->e_shnum; ++i)
    if (sections[i].sh_type == SHT_SYMTAB)
      for (size_t at = 0; at < sections[i].sh_size; at += sizeof(Elf64_Sym))
        reinterpret_cast<Elf64_Sym *>(&object[sections[i].sh_offset + at])->st_size =
            1 << 20;
}

TEST_F(OnHost, OddArtifactsAreErrors) {
  auto sound = mortar::runtime::parseArtifact(artifact.data(), artifact.size());
  ASSERT_TRUE(sound.ok()) << sound.message();
  auto loadError = [](const mortar::runtime::Artifact &artifact) {
    std::string bytes = mortar::runtime::serialize(artifact);
    MortarExecutable none = 0;
    EXPECT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(), MORTAR_LOAD_ON_DEVICE,
                                     &none),
              1);
    return lastError();
  };
  mortar::runtime::Artifact odd = *sound;
  odd.images.push_back(odd.images[0]);
  EXPECT_EQ(loadError(odd), "expected one object for a CPU, found 2 images");
  odd = *sound;
  odd.images[0].bytes = "no ELF file";
  EXPECT_NE(loadError(odd).find("expected a 64-bit ELF file"), std::string::npos)
      << lastError();
  odd = *sound;
  odd.entries[0].name = "another";
  EXPECT_NE(loadError(odd).find("mortar_packed_another"), std::string::npos)
      << lastError();
  odd = *sound;
  enlargeSymbols(odd.images[0].bytes);
  testing::internal::CaptureStderr();
  EXPECT_NE(loadError(odd).find("past the end of its containing block"),
            std::string::npos)
      << lastError();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), ""); // what LLVM would print
  for (const char *cpu : {"znver99", "sm_90", "avx2", ""}) {
    odd = *sound;
    odd.images[0].chip = cpu;
    EXPECT_NE(loadError(odd).find("expected code for a CPU that LLVM knows, like "
                                  "x86-64-v3, found it for '" +
                                  std::string(cpu) + "'"),
              std::string::npos)
        << lastError();
  }
}

} // namespace
