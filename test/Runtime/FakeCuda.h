//===- FakeCuda.h - What the fake driver remembers --------------*- C++ -*-===//

#ifndef MORTAR_TEST_RUNTIME_FAKECUDA_H
#define MORTAR_TEST_RUNTIME_FAKECUDA_H

#include "mortar/Runtime/Driver.h"

/// Counts, and the last launch.
struct FakeCudaState {
  int retained = 0;
  int modules = 0; // loaded now
  std::string loaded; // the text of each that was, a line each
  int captureMode = 0;
  int attributesSet = 0;
  int dynamicShared = 0;
  int launches = 0;
  void *context = nullptr;
  std::string kernel;
  mortar::runtime::LaunchConfig config;
  mortar::runtime::LaunchAttribute attribute;
  std::vector<int64_t> params;
};

extern "C" FakeCudaState *fakeCudaState();

#endif // MORTAR_TEST_RUNTIME_FAKECUDA_H
