//===- mortar-bench.cpp - What embedding Mortar costs ---------------------===//
//
//   mortar-bench LIBMORTAR LIBMORTAR_RUNTIME [gpu]
//
// Size and load time of the two libraries; one fused op compiled and found in
// the cache, through the C API; what a launch does on the host before the
// driver's call. With `gpu` also the driver's own step, and launches beside
// bare calls of cuLaunchKernelEx. Linked to the runtime alone.
//
//===----------------------------------------------------------------------===//

#include "mortar-c/Compiler.h"
#include "mortar/Runtime/Executable.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mortar::runtime;

namespace {

constexpr int64_t columns = 4096;
constexpr const char *layer = R"mlir(
func.func @layer(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xbf16>, %w: tensor<4096xbf16>)
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  %s = mortar.residual_add %x, %r
    : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %s, %n : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}
)mlir";

[[noreturn]] void fail(const std::string &message) {
  std::fprintf(stderr, "mortar-bench: %s\n", message.c_str());
  std::exit(1);
}
void check(const Status &status) {
  if (!status.ok())
    fail(status.message());
}

template <typename Body> double milliseconds(Body body) {
  auto begin = std::chrono::steady_clock::now();
  body();
  std::chrono::duration<double, std::milli> taken =
      std::chrono::steady_clock::now() - begin;
  return taken.count();
}
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

//===----------------------------------------------------------------------===//
// Libraries
//===----------------------------------------------------------------------===//

/// How long dlopen takes in a process of its own.
double loadOnce(const char *path) {
  int ends[2];
  if (pipe(ends) != 0)
    fail("expected a pipe");
  pid_t child = fork();
  if (child == 0) {
    void *library = nullptr;
    double taken =
        milliseconds([&] { library = dlopen(path, RTLD_NOW | RTLD_LOCAL); });
    if (!library)
      fail(dlerror());
    _exit(write(ends[1], &taken, sizeof taken) != sizeof taken);
  }
  double taken = 0;
  close(ends[1]);
  if (read(ends[0], &taken, sizeof taken) != sizeof taken)
    fail(std::string("expected to load ") + path);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return taken;
}

void measureLibrary(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0)
    fail(std::string("expected a library, found none at ") + path);
  std::vector<double> times;
  for (int i = 0; i < 21; ++i)
    times.push_back(loadOnce(path));
  std::printf("%-44s %8.2f MB  dlopen %.2f ms\n", std::strrchr(path, '/') + 1,
              double(status.st_size) / 1e6, median(times));
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

struct CApi {
  decltype(&mortarCompile) compile;
  decltype(&mortarProgramArtifact) artifact;
  decltype(&mortarProgramDestroy) destroy;
  decltype(&mortarRuntimeLoadBytes) load;
  decltype(&mortarRuntimeLaunch) launch;
  decltype(&mortarRuntimeDestroy) unload;
  decltype(&mortarRuntimeLastError) lastError;

  explicit CApi(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
      fail(dlerror());
    auto find = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(
          dlsym(library, name));
      if (!function)
        fail(std::string("expected libmortar to have ") + name);
    };
    find(compile, "mortarCompile");
    find(artifact, "mortarProgramArtifact");
    find(destroy, "mortarProgramDestroy");
    find(load, "mortarRuntimeLoadBytes");
    find(launch, "mortarRuntimeLaunch");
    find(unload, "mortarRuntimeDestroy");
    find(lastError, "mortarRuntimeLastError");
  }
  void check(int status) const {
    if (status != MORTAR_RUNTIME_OK)
      fail(lastError());
  }

  /// The artifact.
  std::string operator()(const char *target, uint32_t cache,
                         const char *folder) const {
    MortarCompileOptions options = {};
    options.size = sizeof(options);
    options.target = target;
    options.noCubin = 1;
    options.cache = cache;
    options.cacheFolder = folder;
    MortarProgram program = 0;
    check(compile(layer, std::strlen(layer), &options, &program));
    const void *bytes = nullptr;
    size_t size = 0;
    check(artifact(program, &bytes, &size));
    std::string made(static_cast<const char *>(bytes), size);
    check(destroy(program));
    return made;
  }
};

/// The first time, and the median of further ones.
template <typename Body> void report(const char *what, int times, Body body) {
  double first = milliseconds(body);
  std::vector<double> further;
  for (int i = 0; i < times; ++i)
    further.push_back(milliseconds(body));
  std::printf("%-44s %8.2f ms the first time, then %.2f\n", what, first,
              median(further));
}

void measureCompiling(const CApi &api, const char *folder) {
  for (const char *target : {"sm_90", "host"}) {
    std::string name =
        std::string(target) == "host" ? "this CPU" : "sm_90, PTX";
    report(("compile for " + name).c_str(), 20,
           [&] { api(target, MORTAR_CACHE_OFF, folder); });
    api(target, MORTAR_CACHE_ON, folder);
    report(("from the cache, for " + name).c_str(), 100,
           [&] { api(target, MORTAR_CACHE_REQUIRE, folder); });
  }
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

/// One row of each argument, at the addresses given.
struct Row {
  int64_t matrix[2] = {1, columns};
  std::vector<TensorArg> args;
  std::vector<MortarTensor> tensors; // the same for C

  explicit Row(const std::vector<void *> &addresses) {
    for (size_t i = 0; i < addresses.size(); ++i) {
      const int64_t *shape = i == 2 ? matrix + 1 : matrix;
      uint32_t rank = i == 2 ? 1 : 2;
      args.push_back({addresses[i], shape, nullptr, rank, ElementType::BF16});
      tensors.push_back({addresses[i], shape, nullptr, rank, MORTAR_BF16});
    }
  }
};

/// Takes down the last launch.
struct Recorder : Launcher {
  uint32_t kernel = 0;
  LaunchDims dims = {};
  std::vector<int64_t> params;
  Status launch(const Kernel &, uint32_t index, const LaunchDims &launched,
                const int64_t *values, size_t count, void *) override {
    kernel = index;
    dims = launched;
    params.assign(values, values + count);
    return Status();
  }
};

/// Microseconds a call, the median of batches.
template <typename Body, typename After>
double microseconds(Body body, After after, int batches = 51,
                    int calls = 1000) {
  std::vector<double> times;
  for (int batch = 0; batch < batches; ++batch) {
    times.push_back(milliseconds([&] {
                      for (int i = 0; i < calls; ++i)
                        body();
                    }) *
                    1e3 / calls);
    after();
  }
  return median(times);
}

void measureHostWork(const std::string &bytes) {
  Expected<Artifact> artifact = parseArtifact(bytes.data(), bytes.size());
  check(artifact.status());
  Row row({(void *)0x10000, (void *)0x20000, (void *)0x30000, (void *)0x40000,
           (void *)0x50000});
  Recorder recorder;
  double taken = microseconds(
      [&] {
        check(runEntry(*artifact, 0, row.args, nullptr, 0, recorder, nullptr));
      },
      [] {});
  std::printf("%-44s %8.3f us\n",
              "a launch before cuLaunchKernelEx, on the host", taken);
}

void measureOnGPU(const CApi &api, const char *folder) {
  Expected<const Driver *> found = driver();
  check(found.status());
  const Driver &gpu = **found;
  check(currentOrPrimaryContext(gpu).status());
  auto loadAndUnload = [&](uint32_t cache) {
    std::string bytes = api("sm_90", cache, folder);
    MortarExecutable executable = 0;
    api.check(api.load(bytes.data(), bytes.size(), MORTAR_LOAD_ON_DEVICE,
                       &executable));
    api.check(api.unload(executable));
  };
  // The driver keeps what it made in a cache of its own.
  setenv("CUDA_CACHE_DISABLE", "1", 1);
  report("compile, and the driver's step", 20,
         [&] { loadAndUnload(MORTAR_CACHE_OFF); });
  report("from the cache, and the driver's step", 20,
         [&] { loadAndUnload(MORTAR_CACHE_REQUIRE); });

  std::vector<void *> addresses;
  for (int i = 0; i < 5; ++i) {
    CUdeviceptr address = 0;
    check(gpu.check(gpu.cuMemAlloc(&address, columns * 2), "cuMemAlloc"));
    addresses.push_back(reinterpret_cast<void *>(address));
  }
  Row row(addresses);
  CUstream stream = nullptr;
  check(gpu.check(gpu.cuStreamCreate(&stream, 0), "cuStreamCreate"));
  auto wait = [&] {
    check(gpu.check(gpu.cuStreamSynchronize(stream), "synchronize"));
  };

  std::string bytes = api("sm_90", MORTAR_CACHE_REQUIRE, folder);
  Expected<Artifact> artifact = parseArtifact(bytes.data(), bytes.size());
  check(artifact.status());
  Recorder recorder;
  check(runEntry(*artifact, 0, row.args, nullptr, 0, recorder, nullptr));
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  const Kernel &kernel = artifact->kernels[recorder.kernel];
  check(gpu.check(gpu.cuModuleLoadDataEx(&module,
                                         artifact->images[0].bytes.c_str(), 0,
                                         nullptr, nullptr),
                  "cuModuleLoadDataEx"));
  check(
      gpu.check(gpu.cuModuleGetFunction(&function, module, kernel.name.c_str()),
                "cuModuleGetFunction"));
  LaunchAttribute programmatic = {};
  programmatic.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
  programmatic.value.number = 1;
  LaunchConfig config = {};
  std::copy(recorder.dims.grid, recorder.dims.grid + 3, config.grid);
  std::copy(recorder.dims.block, recorder.dims.block + 3, config.block);
  config.dynamicSharedBytes = recorder.dims.dynamicSharedBytes;
  config.stream = stream;
  config.attributes = &programmatic;
  config.numAttributes = kernel.programmaticLaunch;
  std::vector<void *> params;
  for (int64_t &param : recorder.params)
    params.push_back(&param);
  double bare = microseconds(
      [&] {
        (void)gpu.cuLaunchKernelEx(&config, function, params.data(), nullptr);
      },
      wait);

  auto executable = Executable::load(*std::move(artifact));
  check(executable.status());
  double cpp = microseconds(
      [&] { check((*executable)->launch(0, row.args, nullptr, 0, stream)); },
      wait);
  MortarExecutable handle = 0;
  api.check(
      api.load(bytes.data(), bytes.size(), MORTAR_LOAD_ON_DEVICE, &handle));
  double c = microseconds(
      [&] {
        api.check(
            api.launch(handle, 0, row.tensors.data(), 5, nullptr, 0, stream));
      },
      wait);
  std::printf("%-44s %8.2f us bare, %.2f from C++, %.2f from C\n", "a launch",
              bare, cpp, c);
}

} // namespace

int main(int argc, char **argv) {
  bool onGPU = argc == 4 && !std::strcmp(argv[3], "gpu");
  if (argc != 3 && !onGPU)
    fail("expected: mortar-bench PATH/libmortar.so PATH/libmortar_runtime.so "
         "[gpu]");
  std::string folder = "/tmp/mortar-bench-XXXXXX";
  if (!mkdtemp(folder.data()))
    fail("expected to make a folder in /tmp");
  measureLibrary(argv[1]);
  measureLibrary(argv[2]);
  CApi api(argv[1]);
  measureCompiling(api, folder.c_str());
  measureHostWork(api("sm_90", MORTAR_CACHE_REQUIRE, folder.c_str()));
  if (onGPU)
    measureOnGPU(api, folder.c_str());
  return std::system(("rm -r " + folder).c_str());
}
