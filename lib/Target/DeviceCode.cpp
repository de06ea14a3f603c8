//===- DeviceCode.cpp - kernels to PTX and cubin --------------------------===//

#include "mortar/Target/DeviceCode.h"

#include "MachineCode.h"
#include "WorkerThread.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <sys/wait.h>

using namespace mlir;

static void initializeNVPTX() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

namespace {
/// LLVM ends the process when it can't select an instruction; a compiler must not. What
/// recovers from that handles signals, so it goes when nobody compiles: the process may
/// be another's. One that had it on itself keeps it.
class RecoveryEnabled {
public:
  RecoveryEnabled() {
    std::lock_guard<std::mutex> lock(mutex);
    if (users++ != 0)
      return;
    hadIt = isOn();
    if (!hadIt)
      llvm::CrashRecoveryContext::Enable();
  }
  ~RecoveryEnabled() {
    std::lock_guard<std::mutex> lock(mutex);
    if (--users == 0 && !hadIt)
      llvm::CrashRecoveryContext::Disable();
  }

private:
  /// LLVM doesn't say, but only then is there a context to run in.
  static bool isOn() {
    bool on = false;
    llvm::CrashRecoveryContext context;
    context.RunSafely([&] { on = llvm::CrashRecoveryContext::GetCurrent() != nullptr; });
    return on;
  }

  static inline std::mutex mutex;
  static inline unsigned users = 0;
  static inline bool hadIt = false;
};
} // namespace

/// LLVM writes the first PTX version that knew the chip. For sm_90 that is 7.8, and its
/// prefetches need 8.0, which every driver since CUDA 12 reads.
static StringRef ptxFeatures(StringRef chip) { return chip == "sm_90" ? "+ptx80" : ""; }

namespace {
/// A gpu.module on its way through LLVM.
struct DeviceModule {
  gpu::GPUModuleOp kernels;
  std::unique_ptr<llvm::TargetMachine> machine;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  std::string ptx;
  bool emitted = false;

  LogicalResult translate(StringRef chip);
  void generate();
};
} // namespace

LogicalResult DeviceModule::translate(StringRef chip) {
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string problem;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target)
    return kernels.emitError() << "expected LLVM to have the NVPTX target: " << problem;
  machine.reset(target->createTargetMachine(
      triple, chip, ptxFeatures(chip), llvm::TargetOptions(), std::nullopt, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  if (!machine || !machine->getMCSubtargetInfo()->isCPUStringValid(chip))
    return kernels.emitError() << "expected a chip that LLVM knows, but found '" << chip
                               << "'";
  module = translateModuleToLLVMIR(kernels, context, "mortar");
  if (!module)
    return kernels.emitError("expected kernels in the LLVM dialect that translate to "
                             "LLVM IR, but they don't");
  return success();
}

/// Touches nothing of MLIR's, so that any thread may do it.
void DeviceModule::generate() {
  RecoveryEnabled enabled;
  llvm::CrashRecoveryContext recovery;
  bool survived = recovery.RunSafely([&] {
    module->setDataLayout(machine->createDataLayout());
    module->setTargetTriple(machine->getTargetTriple());
    emitted = mortar::emitMachineCode(*module, *machine, llvm::OptimizationLevel::O3,
                                      llvm::CodeGenFileType::AssemblyFile, ptx);
  });
  emitted &= survived;
}

FailureOr<SmallVector<std::string>>
mortar::translateToPTX(ArrayRef<gpu::GPUModuleOp> all, StringRef chip, bool threads) {
  initializeNVPTX();
  std::vector<DeviceModule> modules(all.size());
  {
    std::vector<std::unique_ptr<WorkerThread>> workers; // joined at the scope's end
    // The last first: kernels on demand access single elements, and take the longest.
    for (size_t i = modules.size(); i-- > 0;) {
      DeviceModule &made = modules[i];
      made.kernels = all[i];
      if (failed(made.translate(chip)))
        return failure();
      if (threads && i != 0)
        workers.push_back(
            std::make_unique<WorkerThread>([&made] { made.generate(); }));
      else
        made.generate();
    }
  }
  SmallVector<std::string> ptx;
  for (DeviceModule &made : modules) {
    if (!made.emitted)
      return made.kernels.emitError()
             << "LLVM can't generate code of these kernels for " << chip;
    ptx.push_back(std::move(made.ptx));
  }
  return ptx;
}

std::string mortar::findPtxas() {
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"})
    if (auto home = llvm::sys::Process::GetEnv(variable)) {
      llvm::SmallString<128> path(*home);
      llvm::sys::path::append(path, "bin", "ptxas");
      if (llvm::sys::fs::can_execute(path))
        return path.str().str();
    }
  auto found = llvm::sys::findProgramByName("ptxas");
  return found ? *found : "";
}

namespace {
/// A file that is gone at the end of its scope.
struct TemporaryFile {
  llvm::SmallString<128> path;
  explicit TemporaryFile(StringRef suffix) {
    if (llvm::sys::fs::createTemporaryFile("mortar", suffix, path))
      path.clear();
  }
  ~TemporaryFile() {
    if (!path.empty())
      llvm::sys::fs::remove(path);
  }
};
} // namespace

/// Runs a program to its end. False if it failed; `problem` says why if the program
/// itself doesn't. True, too, if this process isn't told: its host may ignore its
/// children, or wait for all of them. LLVM's ExecuteAndWait needs to be told and, to
/// limit the time, takes the host's SIGALRM.
static bool runToEnd(StringRef program, ArrayRef<StringRef> arguments,
                     ArrayRef<std::optional<StringRef>> redirects, std::string &problem) {
  llvm::sys::ProcessInfo child = llvm::sys::ExecuteNoWait(
      program, arguments, std::nullopt, redirects, /*MemoryLimit=*/0, &problem);
  if (child.Pid == llvm::sys::ProcessInfo::InvalidPid)
    return false;
  int status = 0;
  pid_t ended;
  while ((ended = waitpid(child.Pid, &status, 0)) < 0 && errno == EINTR)
    ;
  if (ended == child.Pid && WIFSIGNALED(status))
    problem = strsignal(WTERMSIG(status));
  return ended < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

FailureOr<std::string> mortar::assemblePTX(Location loc, StringRef ptx, StringRef chip,
                                           StringRef ptxas, std::string *report) {
  TemporaryFile source("ptx"), cubin("cubin"), log("log");
  if (source.path.empty() || cubin.path.empty() || log.path.empty())
    return emitError(loc, "expected to write to the temporary folder, but can't");
  std::error_code error;
  {
    llvm::raw_fd_ostream stream(source.path, error);
    stream << ptx;
  }
  std::string arch = ("-arch=" + chip).str();
  // Nothing may be contracted that isn't written as fma.
  StringRef arguments[] = {ptxas, arch,   "-fmad=false", "-lineinfo",
                           "-v",  "-o",   cubin.path,    source.path};
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log.path),
                                          StringRef(log.path)};
  std::string problem;
  bool succeeded = runToEnd(ptxas, arguments, redirects, problem);
  auto said = llvm::MemoryBuffer::getFile(log.path);
  StringRef text = said ? (*said)->getBuffer() : StringRef();
  if (report)
    *report = text.str();
  auto made = llvm::MemoryBuffer::getFile(cubin.path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  // Where nobody is told how ptxas ended, it succeeded if it wrote: that is its last step.
  if (!succeeded || !made || (*made)->getBufferSize() == 0)
    return emitError(loc) << "expected ptxas ('" << ptxas << "') to assemble the "
                          << "kernels for " << chip << ", but it failed: "
                          << (problem.empty() ? text.trim() : StringRef(problem));
  return (*made)->getBuffer().str();
}
