//===- GPUPrograms.cpp - programs on the GPU ------------------------------===//

#include "mortar/Execution/Programs.h"

#include "mortar/Runtime/Executable.h"

#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mortar::execution;
namespace rt = mortar::runtime;

namespace {

/// Runs of a graph's launches; one launch alone would mostly time the host.
constexpr unsigned launchesPerGraph = 20;

#define CHECK_CUDA(NAME, ...)                                                            \
  if (Status status = driver.check(driver.NAME(__VA_ARGS__), #NAME); !status.ok())       \
  return status

/// Memory, a stream and arguments on the device for one entry.
class Session {
public:
  Session(const rt::Driver &driver, const rt::Executable &code, size_t entry)
      : driver(driver), code(code), entry(entry) {}
  ~Session() {
    for (rt::CUdeviceptr address : memory)
      driver.cuMemFree(address);
    if (stream)
      driver.cuStreamDestroy(stream);
  }

  Status open(std::vector<Image> &images) {
    CHECK_CUDA(cuStreamCreate, &stream, /*non-blocking*/ 1);
    for (Image &image : images) {
      rt::CUdeviceptr address = 0;
      if (Status status = allocate(address, image.size()); !status.ok())
        return status;
      CHECK_CUDA(cuMemcpyHtoD, address, image.data(), image.size());
      args.push_back(image.at(reinterpret_cast<void *>(address)));
    }
    auto bytes = code.workspaceBytes(entry, args);
    if (!bytes)
      return bytes.status();
    workspaceBytes = *bytes;
    return workspaceBytes ? allocate(workspace, workspaceBytes) : Status();
  }

  Status launch() {
    return code.launch(entry, args, reinterpret_cast<void *>(workspace), workspaceBytes,
                       stream);
  }
  Status wait() {
    CHECK_CUDA(cuStreamSynchronize, stream);
    return {};
  }
  Status readBack(std::vector<Image> &images) {
    for (auto [image, address] : llvm::zip(images, memory)) // workspace comes last
      CHECK_CUDA(cuMemcpyDtoH, image.data(), address, image.size());
    return {};
  }
  Expected<std::vector<double>> time(unsigned runs);

private:
  Status allocate(rt::CUdeviceptr &address, size_t bytes) {
    CHECK_CUDA(cuMemAlloc, &address, bytes);
    memory.push_back(address);
    return {};
  }
  Status capture(rt::CUgraph &graph);

  const rt::Driver &driver;
  const rt::Executable &code;
  size_t entry;
  rt::CUstream stream = nullptr;
  std::vector<rt::CUdeviceptr> memory;
  std::vector<rt::TensorArg> args;
  rt::CUdeviceptr workspace = 0;
  size_t workspaceBytes = 0;
};

Status Session::capture(rt::CUgraph &graph) {
  CHECK_CUDA(cuStreamBeginCapture, stream, rt::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  Status launched;
  for (unsigned i = 0; i < launchesPerGraph && launched.ok(); ++i)
    launched = launch();
  Status ended =
      driver.check(driver.cuStreamEndCapture(stream, &graph), "cuStreamEndCapture");
  return launched.ok() ? ended : launched;
}

Expected<std::vector<double>> Session::time(unsigned runs) {
  rt::CUgraph graph = nullptr;
  rt::CUgraphExec exec = nullptr;
  rt::CUevent from = nullptr, to = nullptr;
  llvm::scope_exit cleanUp([&] {
    if (from)
      driver.cuEventDestroy(from);
    if (to)
      driver.cuEventDestroy(to);
    if (exec)
      driver.cuGraphExecDestroy(exec);
    if (graph)
      driver.cuGraphDestroy(graph);
  });
  // The first launch may set a function's shared memory, which is not to be captured.
  if (Status status = launch(); !status.ok())
    return status;
  if (Status status = wait(); !status.ok())
    return status;
  if (Status status = capture(graph); !status.ok())
    return status;
  CHECK_CUDA(cuGraphInstantiate, &exec, graph, 0);
  CHECK_CUDA(cuEventCreate, &from, 0);
  CHECK_CUDA(cuEventCreate, &to, 0);
  std::vector<double> times;
  constexpr unsigned warmUps = 3;
  for (unsigned i = 0; i < warmUps + runs; ++i) {
    float milliseconds = 0;
    CHECK_CUDA(cuEventRecord, from, stream);
    CHECK_CUDA(cuGraphLaunch, exec, stream);
    CHECK_CUDA(cuEventRecord, to, stream);
    CHECK_CUDA(cuEventSynchronize, to);
    CHECK_CUDA(cuEventElapsedTime, &milliseconds, from, to);
    if (i >= warmUps)
      times.push_back(milliseconds * 1000.0 / launchesPerGraph);
  }
  return times;
}

#undef CHECK_CUDA

class GPUDevice : public Program {
public:
  GPUDevice(const rt::Driver &driver, std::unique_ptr<rt::Executable> loaded,
            mortar::Summary summary)
      : driver(driver), code(std::move(loaded)) {
    declarations = code->artifact();
    fusing = std::move(summary);
  }

private:
  Status runOn(size_t entry, std::vector<Image> &images) override {
    Session session(driver, *code, entry);
    if (Status status = session.open(images); !status.ok())
      return status;
    if (Status status = session.launch(); !status.ok())
      return status;
    if (Status status = session.wait(); !status.ok())
      return status;
    return session.readBack(images);
  }

  Expected<std::vector<double>> timeOn(size_t entry, std::vector<Image> &images,
                                       unsigned runs) override {
    Session session(driver, *code, entry);
    if (Status status = session.open(images); !status.ok())
      return status;
    return session.time(runs);
  }

  const rt::Driver &driver;
  std::unique_ptr<rt::Executable> code;
};

Expected<std::unique_ptr<Program>> load(rt::Artifact artifact, mortar::Summary summary) {
  auto driver = rt::driver();
  if (!driver)
    return driver.status();
  auto code = rt::Executable::load(std::move(artifact));
  if (!code)
    return code.status();
  return std::unique_ptr<Program>(
      new GPUDevice(**driver, std::move(*code), std::move(summary)));
}

} // namespace

Expected<std::unique_ptr<Program>>
mortar::execution::compileOnGPU(mlir::ModuleOp module, const CompileOptions &options) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(module.clone());
  auto program = compileForGPU(*copy, options);
  if (failed(program))
    return Status::error("");
  return load(std::move(program->artifact), std::move(program->summary));
}

Expected<std::unique_ptr<Program>> mortar::execution::loadOnGPU(rt::Artifact artifact) {
  return load(std::move(artifact), {});
}

Expected<std::string> mortar::execution::findGPU() {
  auto driver = rt::driver();
  if (!driver)
    return driver.status();
  rt::CUdevice device = 0;
  int major = 0, minor = 0;
  const rt::Driver &d = **driver;
  if (Status status = d.check(d.cuDeviceGet(&device, 0), "cuDeviceGet"); !status.ok())
    return status;
  for (auto [value, attribute] :
       {std::pair(&major, rt::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
        std::pair(&minor, rt::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)})
    if (Status status = d.check(d.cuDeviceGetAttribute(value, attribute, device),
                                "cuDeviceGetAttribute");
        !status.ok())
      return status;
  return "sm_" + std::to_string(major) + std::to_string(minor);
}
