//===- HostProcessTest.cpp - The compiler in processes with habits of their own ===//

#include "CompilerTest.h"

#include "mortar/InitAll.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"

#include <csignal>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

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

} // namespace
