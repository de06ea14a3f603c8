//===- Samples.h - Artifacts and programs for the tests ---------*- C++ -*-===//

#ifndef MORTAR_TEST_RUNTIME_SAMPLES_H
#define MORTAR_TEST_RUNTIME_SAMPLES_H

#include "mortar/Runtime/Executable.h"

#include <gtest/gtest.h>

namespace mortar::runtime::test {

/// Remembers launches.
struct Recorder : Launcher {
  struct Record {
    std::string kernel;
    uint32_t index;
    LaunchDims dims;
    std::vector<int64_t> params;
    void *stream;
  };
  std::vector<Record> records;
  Status answer;

  Status launch(const Kernel &kernel, uint32_t index, const LaunchDims &dims,
                const int64_t *params, size_t numParams,
                void *stream) override {
    records.push_back(
        {kernel.name, index, dims, {params, params + numParams}, stream});
    return answer;
  }
};

inline Argument makeArgument(std::string name, ElementType type,
                             std::vector<int64_t> shape,
                             Argument::Role role = Argument::Input,
                             bool constant = false) {
  Argument arg;
  arg.name = std::move(name);
  arg.type = type;
  arg.shape = std::move(shape);
  arg.role = role;
  arg.constant = constant;
  return arg;
}

/// rms_norm of x[M, 8] in two kernels: the wide one where x's rows are 16-byte
/// aligned; M floats of workspace; a copy into `residual` in place. Every
/// instruction occurs.
inline Entry makeEntry() {
  Entry entry;
  entry.name = "rms_norm";
  entry.args = {
      makeArgument("x", ElementType::BF16, {-1, 8}),
      makeArgument("weight", ElementType::F32, {8}, Argument::Input, true),
      makeArgument("residual", ElementType::F32, {-1, 8}, Argument::InOut),
      makeArgument("out", ElementType::BF16, {-1, 8}, Argument::Output)};
  entry.args[3].strided = true;
  entry.results = {{3}, {2}};
  entry.body.numRegisters = 16;
  entry.body.code = {
      ArgDim{0, 0, 0},                  // 0: M
      ArgDim{1, 2, 0},                  //
      Binary{BinaryOp::CmpEq, 2, 0, 1}, //
      Check{2, "residual: expected as many rows as x has"},
      Const{3, 4},                      //
      Binary{BinaryOp::Mul, 4, 0, 3},   //
      Workspace{5, 4},                  // 5: M floats
      ArgPointer{6, 0},                 //
      ArgPointer{7, 3},                 //
      ArgStride{8, 0, 0},               //
      Const{9, 1},                      //
      Const{10, 32},                    //
      Const{11, 0},                     //
      Const{12, 7},                     //
      Binary{BinaryOp::And, 13, 8, 12}, //
      If{13, 1, 2},                     //
      Launch{0, {0, 9, 9}, {10, 9, 9}, 11, {6, 7, 5, 0}},
      Const{14, 64}, //
      Launch{1, {0, 9, 9}, {14, 9, 9}, 4, {6, 7}},
      Select{15, 13, 9, 11}, //
  };
  entry.body.outputs = {15};
  entry.shapes.numRegisters = 1;
  entry.shapes.code = {ArgDim{0, 0, 0}};
  entry.shapes.outputs = {0};
  return entry;
}

inline Artifact makeArtifact() {
  Artifact artifact;
  artifact.numericsVersion = 7;
  artifact.images = {{"sm_90", CodeImage::PTX, ".version 8.0 // text"},
                     {"sm_90a", CodeImage::Cubin, std::string("\x7f\0E", 3)}};
  Kernel narrow, wide;
  narrow.name = "rms_norm_narrow";
  narrow.maxThreads = 32;
  wide.name = "rms_norm_wide";
  wide.maxThreads = 64;
  wide.staticSharedBytes = 128;
  wide.programmaticLaunch = true;
  artifact.kernels = {narrow, wide};
  artifact.entries = {makeEntry()};
  artifact.remarksJson = "[{\"remark\": 1}]";
  artifact.producer = "samples";
  return artifact;
}

/// Arguments for makeEntry with M rows, all sound.
struct Arguments {
  explicit Arguments(int64_t rows) : extents{rows, 8} {
    auto make = [&](uint64_t address, const int64_t *shape, uint32_t rank,
                    ElementType type) {
      TensorArg arg;
      arg.data = reinterpret_cast<void *>(address);
      arg.shape = shape;
      arg.rank = rank;
      arg.type = type;
      return arg;
    };
    args = {make(0x1000, extents, 2, ElementType::BF16),
            make(0x2000, extents + 1, 1, ElementType::F32),
            make(0x3000, extents, 2, ElementType::F32),
            make(0x4000, extents, 2, ElementType::BF16)};
  }
  Arguments(const Arguments &) = delete;

  int64_t extents[2];
  std::vector<TensorArg> args;
};

} // namespace mortar::runtime::test

#endif // MORTAR_TEST_RUNTIME_SAMPLES_H
