//===- fuzz-c-runtime.cpp - the C API, called in any order ----------------===//
//
// Any pointer may be null, any handle dead or made up, any number anything. A
// pointer that isn't null points to as much as the header says.
//
//===----------------------------------------------------------------------===//

#include "../Runtime/Samples.h"

#include "mortar-c/Runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {
class Caller {
public:
  Caller(const uint8_t *data, size_t size) : data(data), end(data + size) {}

  void run();

private:
  uint8_t byte() { return data == end ? 0 : *data++; }
  uint32_t number() {
    uint8_t chosen = byte();
    return chosen < 250    ? chosen % 5
           : chosen == 250 ? UINT32_MAX
                           : 1u << (chosen - 230);
  }
  size_t size() { return byte() < 240 ? byte() % 20 : SIZE_MAX; }
  int64_t extent() {
    static constexpr int64_t odd[] = {8,  1,  5,         0,         -1,
                                      16, 64, INT64_MAX, INT64_MIN, 1l << 40};
    return odd[byte() % std::size(odd)];
  }
  MortarExecutable handle();
  /// Sound, or null.
  template <typename T> T *maybe(T &place) {
    return byte() % 8 ? &place : nullptr;
  }
  const MortarTensor *tensors(size_t &count);
  void callOne();
  void check(int status);

  const uint8_t *data, *end;
  std::vector<MortarExecutable> handles;
  std::vector<MortarTensor> args;
  std::vector<std::array<int64_t, 64>> extents;
};
} // namespace

MortarExecutable Caller::handle() {
  uint8_t chosen = byte();
  if (chosen > 240)
    return MortarExecutable(chosen) << (chosen - 240) * 4;
  return handles.empty() ? 0 : handles[chosen % handles.size()]; // live or dead
}

const MortarTensor *Caller::tensors(size_t &count) {
  count = byte() % 16 ? 4 : byte() % 8;
  extents.assign(2 * count, {});
  args.assign(count, {});
  for (size_t i = 0; i < count; ++i) {
    // The sample's own arguments, with this and that changed.
    static constexpr uint32_t ranks[] = {2, 1, 2, 2},
                              types[] = {MORTAR_BF16, MORTAR_F32, MORTAR_F32,
                                         MORTAR_BF16};
    args[i] = {reinterpret_cast<void *>(0x1000 * (i + 1)),
               extents[2 * i].data(),
               byte() % 4 ? nullptr : extents[2 * i + 1].data(), ranks[i % 4],
               types[i % 4]};
    for (auto *list : {&extents[2 * i], &extents[2 * i + 1]})
      for (int64_t &value : *list)
        value = byte() % 4 ? 8 : extent();
    switch (byte() % 16) {
    case 0:
      args[i].data = nullptr;
      break;
    case 1:
      args[i].data = reinterpret_cast<void *>(uintptr_t(byte()));
      break;
    case 2:
      args[i].shape = nullptr;
      break;
    case 3:
      args[i].rank = byte() % 64;
      break;
    case 4:
      args[i].type = number();
      break;
    default:
      break;
    }
  }
  if (byte() % 16 == 0) {
    count = size();
    return nullptr;
  }
  return args.data();
}

void Caller::check(int status) {
  if (status == MORTAR_RUNTIME_OK)
    return;
  if (status != MORTAR_RUNTIME_ERROR || !*mortarRuntimeLastError()) {
    fprintf(stderr, "an error without a word\n");
    abort();
  }
}

void Caller::callOne() {
  static const std::string sound =
      mortar::runtime::serialize(mortar::runtime::test::makeArtifact());
  uint32_t out32 = 0, other32 = 0;
  const char *text = nullptr;
  size_t bytes = 0, count = 0;
  int64_t dims[64];
  MortarExecutable made = 0;
  static constexpr const char *names[] = {"rms_norm", "", "none"};
  switch (byte() % 23) {
  case 0:
    return check(mortarRuntimeVersion(maybe(out32), maybe(other32)));
  case 1: {
    std::string copy = sound;
    if (byte() % 4 == 0)
      copy[byte() % copy.size()] ^= byte();
    const char *at = byte() % 8 ? copy.data() : nullptr;
    size_t length = byte() % 8 ? copy.size() : byte();
    int status = mortarRuntimeLoadBytes(at, std::min(length, copy.size()),
                                        number(), maybe(made));
    if (made)
      handles.push_back(made);
    return check(status);
  }
  case 2:
    return check(mortarRuntimeLoadFile(byte() % 2 ? "/nowhere" : nullptr,
                                       number(), maybe(made)));
  case 3:
    return check(mortarRuntimeDestroy(handle()));
  case 4:
    return check(mortarRuntimeNumericsVersion(handle(), maybe(out32)));
  case 5:
    return check(mortarRuntimeProducer(handle(), maybe(text)));
  case 6:
    return check(mortarRuntimeRemarks(handle(), maybe(text)));
  case 7:
    return check(mortarRuntimeImage(handle(), maybe(text)));
  case 8:
    return check(mortarRuntimeEntryCount(handle(), maybe(out32)));
  case 9:
    return check(mortarRuntimeEntryName(handle(), number(), maybe(text)));
  case 10:
    return check(mortarRuntimeFindEntry(
        handle(), byte() % 4 ? names[byte() % 3] : nullptr, maybe(out32)));
  case 11:
    return check(mortarRuntimeArgumentCount(handle(), number(), maybe(out32)));
  case 12:
    return check(
        mortarRuntimeArgumentName(handle(), number(), number(), maybe(text)));
  case 13:
    return check(
        mortarRuntimeArgumentType(handle(), number(), number(), maybe(out32)));
  case 14:
    return check(
        mortarRuntimeArgumentRole(handle(), number(), number(), maybe(out32)));
  case 15:
    return check(mortarRuntimeArgumentConstant(handle(), number(), number(),
                                               maybe(out32)));
  case 16:
    return check(
        mortarRuntimeArgumentRank(handle(), number(), number(), maybe(out32)));
  case 17:
    return check(mortarRuntimeArgumentDims(handle(), number(), number(),
                                           byte() % 8 ? dims : nullptr,
                                           byte() % 65));
  case 18:
    return check(mortarRuntimeResultArgument(handle(), number(), number(),
                                             maybe(out32)));
  case 19: {
    const MortarTensor *at = tensors(count);
    return check(mortarRuntimeResultShapes(handle(), number(), at, count,
                                           byte() % 8 ? dims : nullptr,
                                           byte() % 65));
  }
  case 20: {
    const MortarTensor *at = tensors(count);
    return check(mortarRuntimeWorkspaceBytes(handle(), number(), at, count,
                                             maybe(bytes)));
  }
  case 21:
    return check(mortarRuntimeTakesWorkspace(handle(), number(), maybe(out32)));
  default: {
    const MortarTensor *at = tensors(count);
    return check(mortarRuntimeLaunch(handle(), number(), at, count,
                                     byte() % 2 ? dims : nullptr, size(),
                                     nullptr));
  }
  }
}

void Caller::run() {
  while (data != end)
    callOne();
  for (MortarExecutable live : handles)
    (void)mortarRuntimeDestroy(live);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Caller(data, size).run();
  return 0;
}
