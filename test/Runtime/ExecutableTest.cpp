//===- ExecutableTest.cpp - Loading and launching, on the fake driver -----===//
//
// Run with FakeCuda's libcuda.so.1 found first (see CMakeLists.txt).
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"
#include "Samples.h"
#include "mortar-c/Runtime.h"

#include <dlfcn.h>
#include <thread>

using namespace mortar::runtime;
using namespace mortar::runtime::test;

namespace {

class ExecutableTest : public ::testing::Test {
protected:
  void SetUp() override {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    auto get =
        reinterpret_cast<FakeCudaState *(*)()>(dlsym(library, "fakeCudaState"));
    if (!get)
      GTEST_SKIP() << "found a real driver, not the fake one";
    state = get();
    state->launches = state->attributesSet = 0;
    state->loaded.clear();
    // The fake takes the number of parameters from the name's last digit.
    artifact.images.resize(1);
    artifact.kernels[0].name = "narrow_4";
    artifact.kernels[1].name = "wide_2";
  }

  std::string loadError() {
    return Executable::load(artifact).status().message();
  }
  Status launch(const Executable &executable) {
    return executable.launch(0, arguments.args,
                             reinterpret_cast<void *>(0x10000), 4096,
                             reinterpret_cast<CUstream>(0x77));
  }

  FakeCudaState *state = nullptr;
  Artifact artifact = makeArtifact();
  Arguments arguments{5};
};

TEST_F(ExecutableTest, LoadsLaunchesAndUnloads) {
  {
    auto executable = Executable::load(artifact);
    ASSERT_TRUE(executable.ok()) << executable.message();
    EXPECT_EQ((*executable)->imageName(), "sm_90 PTX");
    EXPECT_EQ(state->modules, 1);
    EXPECT_EQ(state->retained, 1);
    ASSERT_EQ(launch(**executable).message(), "");
    EXPECT_EQ(state->launches, 1);
    EXPECT_EQ(state->kernel, "wide_2");
    EXPECT_EQ(state->config.grid[0], 5u);
    EXPECT_EQ(state->config.block[0], 64u);
    EXPECT_EQ(state->config.dynamicSharedBytes, 20u);
    EXPECT_EQ(state->config.stream, reinterpret_cast<CUstream>(0x77));
    EXPECT_EQ(state->params, (std::vector<int64_t>{0x1000, 0x4000}));
    EXPECT_EQ(*(*executable)->workspaceBytes(0, arguments.args), 20u);
    EXPECT_EQ((*(*executable)->resultShapes(0, arguments.args)).size(), 2u);
  }
  EXPECT_EQ(state->modules, 0);
}

TEST_F(ExecutableTest, ProgrammaticLaunchIsTheKernelsChoice) {
  auto executable = Executable::load(artifact);
  ASSERT_EQ(launch(**executable).message(), "");
  ASSERT_EQ(state->config.numAttributes, 1u);
  EXPECT_EQ(state->attribute.id, 6u);
  EXPECT_EQ(state->attribute.value.number, 1);
  const int64_t strides[] = {12, 1}; // the other kernel
  arguments.args[0].strides = strides;
  ASSERT_EQ(launch(**executable).message(), "");
  EXPECT_EQ(state->kernel, "narrow_4");
  EXPECT_EQ(state->config.numAttributes, 0u);
}

TEST_F(ExecutableTest, ContextOfTheCallerIsUsedAndKept) {
  const Driver &cuda = **driver();
  int mine = 0;
  auto context = reinterpret_cast<CUcontext>(&mine);
  (void)cuda.cuCtxSetCurrent(context);
  auto executable = Executable::load(artifact);
  ASSERT_TRUE(executable.ok());
  // A thread with no context gets this one for the launch, and none after.
  std::thread([&] {
    EXPECT_EQ(launch(**executable).message(), "");
    EXPECT_EQ(state->context, context);
    CUcontext after = context;
    (void)cuda.cuCtxGetCurrent(&after);
    EXPECT_EQ(after, nullptr);
  }).join();
  (void)cuda.cuCtxSetCurrent(nullptr);
}

TEST_F(ExecutableTest, LargeSharedMemoryIsAskedForOnce) {
  auto withShared = [&](int64_t bytes) {
    Artifact changed = artifact;
    auto &body = changed.entries[0].body;
    body.numRegisters = 17;
    body.code.insert(body.code.begin(), Const{16, bytes});
    std::get<Launch>(body.code[19]).dynamicSharedBytes = 16;
    return Executable::load(changed);
  };
  auto small = withShared(48 * 1024 - 128);
  ASSERT_TRUE(small.ok()) << small.message();
  EXPECT_EQ(launch(**small).message(), "");
  EXPECT_EQ(state->attributesSet, 0);
  auto large = withShared(48 * 1024 - 127);
  EXPECT_EQ(launch(**large).message(), "");
  EXPECT_EQ(launch(**large).message(), "");
  EXPECT_EQ(state->attributesSet, 1);
  EXPECT_EQ(state->dynamicShared, 232448 - 128);
  EXPECT_EQ(launch(**withShared(232448)).message(),
            "entry 'rms_norm': kernel 'wide_2': expected at most 232448 bytes "
            "of shared memory a block, found 232576");
}

TEST_F(ExecutableTest, CompilerLogLandsInTheMessage) {
  artifact.images[0].bytes = "broken";
  EXPECT_EQ(loadError(), "sm_90 PTX: cuModuleLoadDataEx: "
                         "CUDA_ERROR_INVALID_PTX (a PTX JIT compilation "
                         "failed): line 1: bad; line 2: worse");
}

TEST_F(ExecutableTest, RefusesToLoad) {
  Artifact sound = artifact;
  artifact.images[0].chip = "sm_100";
  EXPECT_EQ(loadError(), "device 0 (Fake H100): expected device code for "
                         "sm_90, found sm_100 PTX");
  artifact = sound;
  artifact.kernels[0].name = "missing_4";
  EXPECT_EQ(loadError(), "sm_90 PTX: kernel 'missing_4': cuModuleGetFunction: "
                         "CUDA_ERROR_FAKE (fake)");
  artifact = sound;
  artifact.kernels[1].name = "wide_3";
  EXPECT_EQ(loadError(), "sm_90 PTX: entry 'rms_norm': kernel 'wide_3': expected 3 "
                         "parameters, found 2");
  artifact = sound;
  artifact.kernels[1].name = "float_2";
  EXPECT_EQ(loadError(), "sm_90 PTX: kernel 'float_2': expected parameter 0 to have 8 "
                         "bytes, found 4");
  artifact = sound;
  artifact.kernels.clear();
  EXPECT_NE(loadError(), ""); // validated, though never serialized
  EXPECT_EQ(state->modules, 0);
}

/// One image a kernel, of which the first is on demand.
class OnDemandTest : public ExecutableTest {
protected:
  void SetUp() override {
    ExecutableTest::SetUp();
    artifact.images = {{"sm_90", CodeImage::PTX, "wide", {1}},
                       {"sm_90", CodeImage::PTX, "narrow", {0}}};
    artifact.kernels[0].onDemand = true;
  }
  Status launchNarrow(const Executable &executable) {
    arguments.args[0].strides = strides;
    Status status = launch(executable);
    arguments.args[0].strides = nullptr;
    return status;
  }
  const int64_t strides[2] = {12, 1};
};

TEST_F(OnDemandTest, LoadsAtTheFirstLaunch) {
  {
    auto executable = Executable::load(artifact);
    ASSERT_TRUE(executable.ok()) << executable.message();
    EXPECT_EQ(launch(**executable).message(), "");
    EXPECT_EQ(state->loaded, "wide\n");
    EXPECT_EQ(launchNarrow(**executable).message(), "");
    EXPECT_EQ(state->kernel, "narrow_4");
    EXPECT_EQ(launchNarrow(**executable).message(), "");
    EXPECT_EQ(state->loaded, "wide\nnarrow\n");
    EXPECT_EQ(state->captureMode, 0);
    EXPECT_EQ(launch(**executable).message(), "");
    EXPECT_EQ(state->kernel, "wide_2");
  }
  EXPECT_EQ(state->modules, 0);
}

TEST_F(OnDemandTest, ThreadsLoadOnce) {
  auto executable = Executable::load(artifact);
  ASSERT_TRUE(executable.ok()) << executable.message();
  arguments.args[0].strides = strides;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&] { EXPECT_EQ(launch(**executable).message(), ""); });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(state->loaded, "wide\nnarrow\n");
}

TEST_F(OnDemandTest, WhatFailsIsTheLaunchs) {
  artifact.images[1].bytes = "broken";
  auto executable = Executable::load(artifact);
  ASSERT_TRUE(executable.ok()) << executable.message();
  for (int time = 0; time < 2; ++time)
    EXPECT_EQ(launchNarrow(**executable).message(),
              "entry 'rms_norm': sm_90 PTX: cuModuleLoadDataEx: "
              "CUDA_ERROR_INVALID_PTX (a PTX JIT compilation failed): line 1: bad; line "
              "2: worse");
  EXPECT_EQ(launch(**executable).message(), "");
  artifact.images[1].bytes = "narrow";
  artifact.kernels[0].name = "narrow_3";
  executable = Executable::load(artifact);
  EXPECT_EQ(launchNarrow(**executable).message(),
            "entry 'rms_norm': sm_90 PTX: entry 'rms_norm': kernel 'narrow_3': expected "
            "3 parameters, found 4");
  EXPECT_EQ(state->modules, 1);
}

TEST_F(OnDemandTest, EveryKernelNeedsAnImage) {
  artifact.images[1].chip = "sm_100";
  EXPECT_EQ(loadError(), "device 0 (Fake H100): expected device code for sm_90, found "
                         "sm_100 PTX");
  artifact.images.pop_back();
  EXPECT_EQ(loadError(), "device 0 (Fake H100): expected device code for sm_90, found "
                         "none at all");
  EXPECT_EQ(state->modules, 0);
}

/// What C gets to see of all this.
class CExecutableTest : public ExecutableTest {
protected:
  int load() {
    std::string bytes = serialize(artifact);
    return mortarRuntimeLoadBytes(bytes.data(), bytes.size(),
                                  MORTAR_LOAD_ON_DEVICE, &executable);
  }
  int launch(void *workspace = reinterpret_cast<void *>(0x10000)) {
    std::vector<MortarTensor> tensors;
    for (const TensorArg &arg : arguments.args)
      tensors.push_back(
          {arg.data, arg.shape, arg.strides, arg.rank, uint32_t(arg.type)});
    return mortarRuntimeLaunch(executable, 0, tensors.data(), tensors.size(),
                               workspace, 4096, reinterpret_cast<void *>(0x77));
  }
  std::string lastError() { return mortarRuntimeLastError(); }

  MortarExecutable executable = 0;
};

TEST_F(CExecutableTest, LaunchesOnTheGivenStream) {
  ASSERT_EQ(load(), 0) << lastError();
  ASSERT_EQ(launch(), 0) << lastError();
  EXPECT_EQ(state->config.stream, reinterpret_cast<CUstream>(0x77));
  EXPECT_EQ(state->params.size(), 2u);
  const char *image = nullptr;
  ASSERT_EQ(mortarRuntimeImage(executable, &image), 0);
  EXPECT_STREQ(image, "sm_90 PTX");
  ASSERT_EQ(mortarRuntimeDestroy(executable), 0);
  EXPECT_EQ(state->modules, 0);
}

TEST_F(CExecutableTest, RefusesBadArguments) {
  ASSERT_EQ(load(), 0) << lastError();
  arguments.args[0].data = reinterpret_cast<void *>(0x1001);
  EXPECT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("expected data aligned to 2 bytes, found address"),
            std::string::npos)
      << lastError();
  arguments.args[0].data = nullptr;
  EXPECT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("expected a data pointer for 40 elements, found"),
            std::string::npos)
      << lastError();
  arguments.args[0].data = reinterpret_cast<void *>(0x1000);
  EXPECT_EQ(launch(reinterpret_cast<void *>(0x10001)), 1);
  EXPECT_EQ(state->launches, 0);
  EXPECT_EQ(launch(), 0) << lastError();
  ASSERT_EQ(mortarRuntimeDestroy(executable), 0);
}

TEST_F(CExecutableTest, RefusesWhatTheDeviceCannotRun) {
  artifact.images[0].chip = "sm_100";
  EXPECT_EQ(load(), 1);
  EXPECT_EQ(lastError(), "device 0 (Fake H100): expected device code for "
                         "sm_90, found sm_100 PTX");
  artifact.images[0] = {"znver4+avx2", CodeImage::Object, "an ELF file"};
  EXPECT_EQ(load(), 1);
  EXPECT_EQ(lastError(), "expected device code for a GPU, found an object for "
                         "a CPU, which libmortar runs and this runtime doesn't");
  EXPECT_EQ(executable, 0u);
}

} // namespace
