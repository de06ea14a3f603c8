//===- EmulatorPrograms.cpp - programs on the emulated GPU ----------------===//

#include "mortar/Execution/Programs.h"

#include "mortar/Emulator/Emulator.h"
#include "mortar/Runtime/Executable.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/OwningOpRef.h"

#include <set>

using namespace mortar::execution;
namespace rt = mortar::runtime;

namespace {

/// Finds where the plan puts what in the workspace: the pointers that it would
/// pass.
class WorkspaceScout : public rt::Launcher {
public:
  WorkspaceScout(const std::vector<mortar::emulator::Kernel> &kernels,
                 const char *begin, size_t bytes)
      : kernels(kernels), begin(begin), bytes(bytes) {}

  Status launch(const rt::Kernel &, uint32_t kernel, const rt::LaunchDims &,
                const int64_t *params, size_t numParams, void *) override {
    for (size_t i = 0; i < numParams; ++i) {
      auto *pointer = reinterpret_cast<const char *>(params[i]);
      if (kernels[kernel].isPointer(i) && pointer >= begin &&
          pointer < begin + bytes)
        starts.insert(pointer - begin);
    }
    return {};
  }

  std::set<size_t> starts;

private:
  const std::vector<mortar::emulator::Kernel> &kernels;
  const char *begin;
  size_t bytes;
};

class EmulatorLauncher : public rt::Launcher {
public:
  EmulatorLauncher(mortar::emulator::Emulator &emulator,
                   const std::vector<mortar::emulator::Kernel> &kernels)
      : emulator(emulator), kernels(kernels) {}

  Status launch(const rt::Kernel &, uint32_t kernel, const rt::LaunchDims &dims,
                const int64_t *params, size_t numParams, void *) override {
    return emulator.launch(kernels[kernel], dims, params, numParams);
  }

private:
  mortar::emulator::Emulator &emulator;
  const std::vector<mortar::emulator::Kernel> &kernels;
};

class EmulatedDevice : public Program {
public:
  EmulatedDevice(mortar::LoweredGPUProgram program,
                 std::vector<mortar::emulator::Kernel> kernels,
                 uint64_t orderSeed)
      : kernels(std::move(kernels)), orderSeed(orderSeed) {
    declarations = std::move(program.artifact);
    fusing = std::move(program.summary);
  }

  const mortar::emulator::Counts *counts() const override { return &counted; }

private:
  Status runOn(size_t entry, std::vector<Image> &images) override;
  Expected<std::vector<double>> timeOn(size_t, std::vector<Image> &,
                                       unsigned) override {
    return Status::error(
        "expected a device to time, but the emulator's time says nothing "
        "of a GPU's: see its counts (--summary)");
  }

  std::vector<mortar::emulator::Kernel> kernels;
  uint64_t orderSeed;
  mortar::emulator::Counts counted;
};

} // namespace

Status EmulatedDevice::runOn(size_t entry, std::vector<Image> &images) {
  const rt::Entry &declared = declarations.entries[entry];
  mortar::emulator::Emulator emulator(orderSeed);
  std::vector<rt::TensorArg> args;
  std::vector<const mortar::emulator::Buffer *> outputs;
  for (size_t i = 0; i < images.size(); ++i) {
    const rt::Argument &argument = declared.args[i];
    args.push_back(images[i].at(images[i].data()));
    auto &buffer = emulator.memory().add(argument.name, args.back(),
                                         argument.role != rt::Argument::Output,
                                         argument.constant);
    if (argument.role == rt::Argument::Output)
      outputs.push_back(&buffer);
  }
  auto bytes = rt::workspaceBytes(declarations, entry, args);
  if (!bytes)
    return bytes.status();
  std::vector<char> storage(*bytes + rt::workspaceAlignment, char(0xff));
  char *workspace = storage.data();
  workspace += -reinterpret_cast<uintptr_t>(workspace) % rt::workspaceAlignment;
  WorkspaceScout scout(kernels, workspace, *bytes);
  if (Status status = rt::runEntry(declarations, entry, args, workspace, *bytes,
                                   scout, nullptr);
      !status.ok())
    return status;
  size_t number = 0;
  for (auto start = scout.starts.begin(); start != scout.starts.end();
       ++start) {
    size_t end =
        std::next(start) == scout.starts.end() ? *bytes : *std::next(start);
    emulator.memory().add("workspace " + std::to_string(number++),
                          workspace + *start, end - *start,
                          /*isInitialized=*/false);
  }

  EmulatorLauncher launcher(emulator, kernels);
  Status ran = rt::runEntry(declarations, entry, args, workspace, *bytes,
                            launcher, nullptr);
  counted = emulator.counts();
  if (!ran.ok())
    return ran;
  if (Status status = toStatus(emulator.findings()); !status.ok())
    return status.in("entry '", declared.name, "'");
  for (const auto *buffer : outputs)
    if (size_t unwritten = mortar::emulator::Memory::countUnwritten(*buffer))
      return Status::error("entry '", declared.name, "': ", buffer->name,
                           " is an output, ", "but ", unwritten,
                           " bytes of it were never written");
  return {};
}

Expected<std::unique_ptr<Program>> mortar::execution::compileOnEmulator(
    mlir::ModuleOp module, const CompileOptions &options, uint64_t orderSeed) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(module.clone());
  auto program = lowerForGPU(*copy, options);
  if (failed(program))
    return Status::error("");
  std::vector<emulator::Kernel> kernels;
  mlir::WalkResult loaded = copy->walk([&](mlir::gpu::GPUFuncOp func) {
    auto kernel = emulator::Kernel::load(func);
    if (failed(kernel))
      return mlir::WalkResult::interrupt();
    kernels.push_back(std::move(*kernel));
    return mlir::WalkResult::advance();
  });
  if (loaded.wasInterrupted())
    return Status::error("");
  return std::unique_ptr<Program>(
      new EmulatedDevice(std::move(*program), std::move(kernels), orderSeed));
}
