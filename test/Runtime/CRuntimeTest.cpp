//===- CRuntimeTest.cpp - The C API, without a device ---------------------===//

#include "mortar-c/Runtime.h"

#include "Samples.h"

#include <dlfcn.h>
#include <thread>

using namespace mortar::runtime;
using namespace mortar::runtime::test;

namespace {

std::string lastError() { return mortarRuntimeLastError(); }

class CRuntime : public ::testing::Test {
protected:
  CRuntime() : bytes(serialize(makeArtifact())) {
    EXPECT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(),
                                     MORTAR_LOAD_TO_INSPECT, &executable),
              MORTAR_RUNTIME_OK)
        << lastError();
    for (const TensorArg &arg : arguments.args)
      tensors.push_back(
          {arg.data, arg.shape, arg.strides, arg.rank, uint32_t(arg.type)});
  }
  ~CRuntime() override { (void)mortarRuntimeDestroy(executable); }

  std::string bytes;
  MortarExecutable executable = 0;
  Arguments arguments{5};
  std::vector<MortarTensor> tensors;
};

TEST_F(CRuntime, Versions) {
  uint32_t api = 0, format = 0, numerics = 0;
  ASSERT_EQ(mortarRuntimeVersion(&api, &format), MORTAR_RUNTIME_OK);
  EXPECT_EQ(api, 1u);
  EXPECT_EQ(format, 3u);
  ASSERT_EQ(mortarRuntimeNumericsVersion(executable, &numerics),
            MORTAR_RUNTIME_OK);
  EXPECT_EQ(numerics, 7u);
}

TEST_F(CRuntime, Strings) {
  const char *producer = nullptr, *remarks = nullptr, *image = nullptr;
  ASSERT_EQ(mortarRuntimeProducer(executable, &producer), MORTAR_RUNTIME_OK);
  EXPECT_STREQ(producer, "samples");
  ASSERT_EQ(mortarRuntimeRemarks(executable, &remarks), MORTAR_RUNTIME_OK);
  EXPECT_STREQ(remarks, "[{\"remark\": 1}]");
  ASSERT_EQ(mortarRuntimeImage(executable, &image), MORTAR_RUNTIME_OK);
  EXPECT_STREQ(image, "");
}

TEST_F(CRuntime, EntryAndArguments) {
  uint32_t count = 0, entry = 9, type = 9, role = 9, constant = 9, rank = 9;
  const char *name = nullptr;
  ASSERT_EQ(mortarRuntimeEntryCount(executable, &count), 0);
  EXPECT_EQ(count, 1u);
  ASSERT_EQ(mortarRuntimeFindEntry(executable, "rms_norm", &entry), 0);
  EXPECT_EQ(entry, 0u);
  ASSERT_EQ(mortarRuntimeEntryName(executable, 0, &name), 0);
  EXPECT_STREQ(name, "rms_norm");
  ASSERT_EQ(mortarRuntimeArgumentCount(executable, 0, &count), 0);
  EXPECT_EQ(count, 4u);
  ASSERT_EQ(mortarRuntimeArgumentName(executable, 0, 1, &name), 0);
  EXPECT_STREQ(name, "weight");
  ASSERT_EQ(mortarRuntimeArgumentType(executable, 0, 0, &type), 0);
  EXPECT_EQ(type, uint32_t(MORTAR_BF16));
  ASSERT_EQ(mortarRuntimeArgumentRole(executable, 0, 2, &role), 0);
  EXPECT_EQ(role, uint32_t(MORTAR_INOUT));
  ASSERT_EQ(mortarRuntimeArgumentConstant(executable, 0, 1, &constant), 0);
  EXPECT_EQ(constant, 1u);
  ASSERT_EQ(mortarRuntimeArgumentRank(executable, 0, 3, &rank), 0);
  EXPECT_EQ(rank, 2u);
  int64_t dims[2] = {};
  ASSERT_EQ(mortarRuntimeArgumentDims(executable, 0, 3, dims, 2), 0);
  EXPECT_EQ(dims[0], -1);
  EXPECT_EQ(dims[1], 8);
  EXPECT_EQ(mortarRuntimeArgumentDims(executable, 0, 3, dims, 1), 1);
  EXPECT_EQ(lastError(), "expected room for 2 extents, found 1");
  ASSERT_EQ(mortarRuntimeResultCount(executable, 0, &count), 0);
  EXPECT_EQ(count, 2u);
  ASSERT_EQ(mortarRuntimeResultArgument(executable, 0, 1, &count), 0);
  EXPECT_EQ(count, 2u);
}

TEST_F(CRuntime, NumbersOutOfRange) {
  uint32_t number = 77;
  EXPECT_EQ(mortarRuntimeArgumentCount(executable, 1, &number), 1);
  EXPECT_EQ(lastError(), "expected an entry below 1, found 1");
  EXPECT_EQ(mortarRuntimeArgumentType(executable, 0, 4, &number), 1);
  EXPECT_EQ(lastError(),
            "entry 'rms_norm': expected an argument below 4, found 4");
  EXPECT_EQ(mortarRuntimeResultArgument(executable, 0, 2, &number), 1);
  EXPECT_EQ(lastError(),
            "entry 'rms_norm': expected a result below 2, found 2");
  EXPECT_EQ(mortarRuntimeFindEntry(executable, "x", &number), 1);
  EXPECT_EQ(number, 77u);
}

TEST_F(CRuntime, Queries) {
  int64_t dims[4] = {};
  ASSERT_EQ(
      mortarRuntimeResultShapes(executable, 0, tensors.data(), 4, dims, 4), 0)
      << lastError();
  EXPECT_EQ(std::vector<int64_t>(dims, dims + 4),
            (std::vector<int64_t>{5, 8, 5, 8}));
  EXPECT_EQ(
      mortarRuntimeResultShapes(executable, 0, tensors.data(), 4, dims, 3), 1);
  EXPECT_EQ(lastError(), "expected room for 4 extents, found 3");
  uint32_t takes = 0;
  ASSERT_EQ(mortarRuntimeTakesWorkspace(executable, 0, &takes), 0);
  EXPECT_EQ(takes, 1u);
  size_t bytes = 0;
  ASSERT_EQ(
      mortarRuntimeWorkspaceBytes(executable, 0, tensors.data(), 4, &bytes), 0);
  EXPECT_EQ(bytes, 20u);
  EXPECT_EQ(
      mortarRuntimeWorkspaceBytes(executable, 0, tensors.data(), 3, &bytes), 1);
  EXPECT_EQ(lastError(), "entry 'rms_norm': expected 4 arguments, found 3");
  EXPECT_EQ(mortarRuntimeWorkspaceBytes(executable, 0, tensors.data(),
                                        size_t(-1), &bytes),
            1);
}

TEST_F(CRuntime, InspectedIsNotLaunched) {
  EXPECT_EQ(mortarRuntimeLaunch(executable, 0, tensors.data(), 4, nullptr, 0,
                                nullptr),
            1);
  EXPECT_EQ(lastError(), "expected an executable loaded on a device, found one "
                         "loaded to inspect");
}

/// Every function on a handle, with null wherever it takes a pointer.
std::vector<int> callAllWithNull(MortarExecutable handle) {
  return {mortarRuntimeNumericsVersion(handle, nullptr),
          mortarRuntimeProducer(handle, nullptr),
          mortarRuntimeRemarks(handle, nullptr),
          mortarRuntimeImage(handle, nullptr),
          mortarRuntimeEntryCount(handle, nullptr),
          mortarRuntimeEntryName(handle, 0, nullptr),
          mortarRuntimeFindEntry(handle, nullptr, nullptr),
          mortarRuntimeFindEntry(handle, "rms_norm", nullptr),
          mortarRuntimeArgumentCount(handle, 0, nullptr),
          mortarRuntimeArgumentName(handle, 0, 0, nullptr),
          mortarRuntimeArgumentType(handle, 0, 0, nullptr),
          mortarRuntimeArgumentRole(handle, 0, 0, nullptr),
          mortarRuntimeArgumentConstant(handle, 0, 0, nullptr),
          mortarRuntimeArgumentRank(handle, 0, 0, nullptr),
          mortarRuntimeArgumentDims(handle, 0, 0, nullptr, 0),
          mortarRuntimeArgumentDims(handle, 0, 0, nullptr, 8),
          mortarRuntimeResultCount(handle, 0, nullptr),
          mortarRuntimeResultArgument(handle, 0, 0, nullptr),
          mortarRuntimeResultShapes(handle, 0, nullptr, 4, nullptr, 4),
          mortarRuntimeTakesWorkspace(handle, 0, nullptr),
          mortarRuntimeWorkspaceBytes(handle, 0, nullptr, 4, nullptr),
          mortarRuntimeLaunch(handle, 0, nullptr, 4, nullptr, 0, nullptr)};
}

TEST_F(CRuntime, NullPointersAreErrors) {
  for (int status : callAllWithNull(executable))
    EXPECT_EQ(status, MORTAR_RUNTIME_ERROR);
  EXPECT_EQ(mortarRuntimeVersion(nullptr, nullptr), 1);
  EXPECT_EQ(mortarRuntimeLoadFile(nullptr, 1, &executable), 1);
  EXPECT_EQ(lastError(), "expected a pointer for 'path', found null");
  EXPECT_EQ(mortarRuntimeLoadFile("/nowhere", 1, nullptr), 1);
  EXPECT_EQ(mortarRuntimeLoadBytes(nullptr, 9, 1, &executable), 1);
  EXPECT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(), 1, nullptr), 1);
  EXPECT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(), 2, &executable),
            1);
  EXPECT_EQ(lastError(),
            "expected load mode 0 (on device) or 1 (to inspect), found 2");
  int64_t dims[4];
  EXPECT_EQ(mortarRuntimeResultShapes(executable, 0, nullptr, 4, dims, 4), 1);
  EXPECT_EQ(lastError(), "expected a pointer for 'args', found null");
}

TEST_F(CRuntime, DeadHandlesAreRefused) {
  ASSERT_EQ(mortarRuntimeDestroy(executable), 0);
  for (MortarExecutable dead :
       {executable, MortarExecutable(0), MortarExecutable(-1)}) {
    for (int status : callAllWithNull(dead))
      EXPECT_EQ(status, MORTAR_RUNTIME_ERROR);
    EXPECT_EQ(lastError(), "expected a live executable, found handle " +
                               std::to_string(dead));
    EXPECT_EQ(mortarRuntimeDestroy(dead), 1);
  }
  // A new one doesn't bring the old one back.
  MortarExecutable next = 0;
  ASSERT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(), 1, &next), 0);
  EXPECT_NE(next, executable);
  uint32_t count;
  EXPECT_EQ(mortarRuntimeEntryCount(executable, &count), 1);
  EXPECT_EQ(mortarRuntimeDestroy(next), 0);
}

TEST_F(CRuntime, DestroyWhileOthersAsk) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      size_t bytes;
      while (mortarRuntimeWorkspaceBytes(executable, 0, tensors.data(), 4,
                                         &bytes) == 0)
        EXPECT_EQ(bytes, 20u);
      EXPECT_NE(lastError(), "");
    });
  ASSERT_EQ(mortarRuntimeDestroy(executable), 0);
  for (std::thread &thread : threads)
    thread.join();
}

TEST_F(CRuntime, ErrorsAreOfTheThread) {
  EXPECT_EQ(mortarRuntimeDestroy(0), 1);
  std::string other = "unset";
  std::thread([&] { other = lastError(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_NE(lastError(), "");
}

TEST_F(CRuntime, DamagedBytes) {
  bytes[40] ^= 1;
  MortarExecutable none = 5;
  EXPECT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(), 1, &none), 1);
  EXPECT_EQ(lastError(), "checksum mismatch: the artifact is damaged");
  EXPECT_EQ(none, 5u);
}

TEST_F(CRuntime, NoDriver) {
  if (dlopen("libcuda.so.1", RTLD_LAZY))
    GTEST_SKIP() << "there is a driver here";
  MortarExecutable none = 0;
  EXPECT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(),
                                   MORTAR_LOAD_ON_DEVICE, &none),
            1);
  EXPECT_EQ(lastError().find("no CUDA driver: expected libcuda.so.1, found "
                             "none ("),
            0u)
      << lastError();
}

/// What Python gets to see.
TEST(CRuntimeLibrary, ExportsTheApiOnly) {
  void *library = dlopen(MORTAR_RUNTIME_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_NE(dlsym(library, "mortarRuntimeLaunch"), nullptr);
  EXPECT_NE(dlsym(library, "mortarRuntimeLastError"), nullptr);
  EXPECT_EQ(dlsym(library, "_ZN6mortar7runtime9serializeERKNS0_8ArtifactE"),
            nullptr);
  dlclose(library);
}

} // namespace
