//===- PlanTest.cpp - The interpreter, instruction by instruction ---------===//

#include "Samples.h"

#include <algorithm>
#include <cstring>

using namespace mortar::runtime;
using namespace mortar::runtime::test;

namespace {

/// Validates and runs a program without arguments; its one output.
Expected<int64_t> run(std::vector<Instruction> code, uint32_t output,
                      RunContext context = {}) {
  Entry entry;
  entry.name = "test";
  entry.body.numRegisters = 16;
  entry.body.code = std::move(code);
  entry.body.outputs = {output};
  if (Status status = validateEntry(entry, context.kernels.size());
      !status.ok())
    return status;
  int64_t result = 0;
  if (Status status = runProgram(entry.body, context, &result); !status.ok())
    return status;
  return result;
}

Expected<int64_t> evaluate(BinaryOp op, int64_t lhs, int64_t rhs) {
  return run({Const{0, lhs}, Const{1, rhs}, Binary{op, 2, 0, 1}}, 2);
}

struct BinaryCase {
  BinaryOp op;
  int64_t lhs, rhs, expected;
};

constexpr int64_t low = INT64_MIN, high = INT64_MAX;

const BinaryCase binaryCases[] = {
    {BinaryOp::Add, high, 1, low},      {BinaryOp::Sub, low, 1, high},
    {BinaryOp::Mul, high, 2, -2},       {BinaryOp::DivS, -7, 2, -3},
    {BinaryOp::DivS, low, -1, low},     {BinaryOp::DivU, -1, 2, high},
    {BinaryOp::RemS, -7, 2, -1},        {BinaryOp::RemS, low, -1, 0},
    {BinaryOp::RemU, -1, 10, 5},        {BinaryOp::FloorDivS, -7, 2, -4},
    {BinaryOp::FloorDivS, 7, -2, -4},   {BinaryOp::FloorDivS, 7, 2, 3},
    {BinaryOp::FloorDivS, -6, 2, -3},   {BinaryOp::FloorDivS, low, -1, low},
    {BinaryOp::CeilDivS, 7, 2, 4},      {BinaryOp::CeilDivS, -7, -2, 4},
    {BinaryOp::CeilDivS, -7, 2, -3},    {BinaryOp::CeilDivS, 6, 2, 3},
    {BinaryOp::CeilDivS, low, -1, low}, {BinaryOp::CeilDivU, 7, 2, 4},
    {BinaryOp::CeilDivU, 0, 5, 0},      {BinaryOp::CeilDivU, -1, 2, low},
    {BinaryOp::And, 12, 10, 8},         {BinaryOp::Or, 12, 10, 14},
    {BinaryOp::Xor, 12, 10, 6},         {BinaryOp::Shl, 1, 63, low},
    {BinaryOp::Shl, 1, 64, 0},          {BinaryOp::Shl, 1, -1, 0},
    {BinaryOp::ShrS, -8, 1, -4},        {BinaryOp::ShrS, -8, 64, -1},
    {BinaryOp::ShrU, -1, 63, 1},        {BinaryOp::ShrU, -1, 64, 0},
    {BinaryOp::MinS, -1, 1, -1},        {BinaryOp::MaxS, -1, 1, 1},
    {BinaryOp::MinU, -1, 1, 1},         {BinaryOp::MaxU, -1, 1, -1},
    {BinaryOp::CmpEq, 3, 3, 1},         {BinaryOp::CmpEq, 3, 4, 0},
    {BinaryOp::CmpNe, 3, 4, 1},         {BinaryOp::CmpNe, 3, 3, 0},
    {BinaryOp::CmpLtS, -1, 1, 1},       {BinaryOp::CmpLtS, 1, 1, 0},
    {BinaryOp::CmpLeS, 1, 1, 1},        {BinaryOp::CmpLeS, 1, -1, 0},
    {BinaryOp::CmpGtS, 1, -1, 1},       {BinaryOp::CmpGtS, 1, 1, 0},
    {BinaryOp::CmpGeS, 1, 1, 1},        {BinaryOp::CmpGeS, -1, 1, 0},
    {BinaryOp::CmpLtU, 1, -1, 1},       {BinaryOp::CmpLtU, -1, 1, 0},
    {BinaryOp::CmpLeU, 1, 1, 1},        {BinaryOp::CmpLeU, -1, 1, 0},
    {BinaryOp::CmpGtU, -1, 1, 1},       {BinaryOp::CmpGtU, 1, 1, 0},
    {BinaryOp::CmpGeU, 1, 1, 1},        {BinaryOp::CmpGeU, 1, -1, 0},
};

TEST(Plan, Binary) {
  std::vector<bool> seen(numBinaryOps);
  for (const BinaryCase &c : binaryCases) {
    seen[size_t(c.op)] = true;
    Expected<int64_t> result = evaluate(c.op, c.lhs, c.rhs);
    ASSERT_TRUE(result.ok()) << result.message();
    EXPECT_EQ(*result, c.expected)
        << binaryOpName(c.op) << ' ' << c.lhs << ' ' << c.rhs;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), false), 0);
}

TEST(Plan, DivisionByZeroIsAnError) {
  for (BinaryOp op :
       {BinaryOp::DivS, BinaryOp::DivU, BinaryOp::RemS, BinaryOp::RemU,
        BinaryOp::FloorDivS, BinaryOp::CeilDivS, BinaryOp::CeilDivU})
    EXPECT_EQ(evaluate(op, 5, 0).message(), std::string("instruction 2: ") +
                                                binaryOpName(op) +
                                                ": division by zero");
}

TEST(Plan, SelectAndIf) {
  for (int64_t condition : {0, 1, -5}) {
    Expected<int64_t> selected = run(
        {Const{0, condition}, Const{1, 10}, Const{2, 20}, Select{3, 0, 1, 2}},
        3);
    EXPECT_EQ(*selected, condition ? 10 : 20);
    // Nested, with what both arms assign read afterwards.
    Expected<int64_t> branched =
        run({Const{0, condition}, Const{1, 1}, If{0, 4, 1},
             /*then*/ If{1, 1, 1}, Const{2, 10}, Const{2, 11}, Const{3, 0},
             /*else*/ Const{2, 20}, Binary{BinaryOp::Add, 4, 2, 1}},
            4);
    ASSERT_TRUE(branched.ok()) << branched.message();
    EXPECT_EQ(*branched, condition ? 11 : 21);
  }
}

TEST(Plan, IfWithoutElseRunsOnlyWhenTrue) {
  EXPECT_EQ(*run({Const{0, 0}, Const{1, 5}, If{0, 1, 0}, Const{1, 6}}, 1), 5);
  EXPECT_EQ(*run({Const{0, 1}, Const{1, 5}, If{0, 1, 0}, Const{1, 6}}, 1), 6);
}

TEST(Plan, CheckFailsWithItsMessage) {
  EXPECT_TRUE(run({Const{0, 1}, Check{0, "no"}}, 0).ok());
  EXPECT_EQ(run({Const{0, 0}, Check{0, "rows: no"}}, 0).message(), "rows: no");
}

TEST(Plan, ArgumentsDimsAndStrides) {
  const int64_t shape[] = {2, 3, 5}, strides[] = {100, 7, -1};
  TensorArg arg;
  arg.data = reinterpret_cast<void *>(0x1230);
  arg.shape = shape;
  arg.rank = 3;
  RunContext context;
  context.args = ArrayView<TensorArg>(&arg, 1);
  Program program;
  program.numRegisters = 5;
  program.code = {ArgPointer{0, 0}, ArgDim{1, 0, 2}, ArgStride{2, 0, 0},
                  ArgStride{3, 0, 1}, ArgStride{4, 0, 2}};
  program.outputs = {0, 1, 2, 3, 4};
  std::vector<int64_t> found(5);
  ASSERT_TRUE(runProgram(program, context, found.data()).ok());
  EXPECT_EQ(found, (std::vector<int64_t>{0x1230, 5, 15, 5, 1}));
  arg.strides = strides;
  ASSERT_TRUE(runProgram(program, context, found.data()).ok());
  EXPECT_EQ(found, (std::vector<int64_t>{0x1230, 5, 100, 7, -1}));
}

TEST(Plan, MoreRegistersThanTheStackHolds) {
  Program program;
  program.numRegisters = 1000;
  for (uint32_t reg = 0; reg < 1000; ++reg)
    program.code.push_back(Const{reg, reg});
  program.outputs = {999, 0};
  for (int again = 0; again < 2; ++again) {
    int64_t found[2] = {};
    ASSERT_TRUE(runProgram(program, {}, found).ok());
    EXPECT_EQ(found[0], 999);
    EXPECT_EQ(found[1], 0);
  }
}

TEST(Plan, WorkspaceIsAlignedAndSummed) {
  std::vector<Instruction> code = {Const{0, 10}, Workspace{1, 0}, Const{2, 300},
                                   Workspace{3, 2}};
  EXPECT_EQ(*run(code, 3), 256);
  Program program;
  program.numRegisters = 4;
  program.code = code;
  program.outputs = {1, 3};
  size_t used = 0;
  ASSERT_TRUE(runProgram(program, {}, nullptr, &used).ok());
  EXPECT_EQ(used, 556u);

  Recorder recorder;
  RunContext context;
  context.launcher = &recorder;
  context.workspace = reinterpret_cast<void *>(0x10000);
  context.workspaceBytes = 556;
  int64_t found[2] = {};
  ASSERT_TRUE(runProgram(program, context, found).ok());
  EXPECT_EQ(found[0], 0x10000);
  EXPECT_EQ(found[1], 0x10100);

  context.workspaceBytes = 555;
  EXPECT_EQ(runProgram(program, context).message(),
            "instruction 3: expected a workspace of at least 556 bytes, found "
            "555");
  context.workspaceBytes = 556;
  context.workspace = reinterpret_cast<void *>(0x10010);
  EXPECT_EQ(runProgram(program, context).message(),
            "instruction 1: expected a workspace aligned to 256 bytes, found "
            "address 65552");
  context.workspace = nullptr;
  EXPECT_EQ(runProgram(program, context).message(),
            "instruction 1: expected a workspace pointer, found null");
}

TEST(Plan, WorkspaceSizesAreChecked) {
  EXPECT_EQ(run({Const{0, -1}, Workspace{1, 0}}, 1).message(),
            "instruction 1: expected a workspace size of at least 0, found -1");
  EXPECT_EQ(
      run({Const{0, high}, Workspace{1, 0}, Workspace{1, 0}}, 1).message(),
      "instruction 2: expected a workspace below 2^63 bytes, found "
      "9223372036854775808 + 9223372036854775807");
}

class PlanLaunch : public ::testing::Test {
protected:
  PlanLaunch() {
    kernel.name = "k";
    kernel.maxThreads = 64;
    context.kernels = ArrayView<Kernel>(&kernel, 1);
    context.launcher = &recorder;
    context.stream = this;
  }
  /// Launches with a grid, a block and dynamic shared memory.
  std::string launch(std::array<int64_t, 3> grid, std::array<int64_t, 3> block,
                     int64_t shared) {
    return run({Const{0, grid[0]}, Const{1, grid[1]}, Const{2, grid[2]},
                Const{3, block[0]}, Const{4, block[1]}, Const{5, block[2]},
                Const{6, shared}, Const{7, -9},
                Launch{0, {0, 1, 2}, {3, 4, 5}, 6, {7, 0}}},
               0, context)
        .message();
  }

  Kernel kernel;
  Recorder recorder;
  RunContext context;
};

TEST_F(PlanLaunch, PassesEverythingOn) {
  EXPECT_EQ(launch({7, 2, 3}, {4, 8, 2}, 512), "");
  ASSERT_EQ(recorder.records.size(), 1u);
  const Recorder::Record &record = recorder.records[0];
  EXPECT_EQ(record.kernel, "k");
  EXPECT_EQ(record.index, 0u);
  EXPECT_EQ(record.stream, this);
  EXPECT_EQ(record.params, (std::vector<int64_t>{-9, 7}));
  const uint32_t expected[] = {7, 2, 3, 4, 8, 2, 512};
  EXPECT_EQ(0, std::memcmp(&record.dims, expected, sizeof(expected)));
}

TEST_F(PlanLaunch, EmptyGridLaunchesNothing) {
  EXPECT_EQ(launch({0, 2, 3}, {4, 8, 2}, 0), "");
  EXPECT_EQ(launch({1, 2, 0}, {4, 8, 2}, 0), "");
  EXPECT_TRUE(recorder.records.empty());
}

TEST_F(PlanLaunch, QueryLaunchesNothingButChecks) {
  context.launcher = nullptr;
  EXPECT_EQ(launch({7, 2, 3}, {4, 8, 2}, 0), "");
  EXPECT_NE(launch({-1, 2, 3}, {4, 8, 2}, 0), "");
}

TEST_F(PlanLaunch, RefusesWhatCudaWould) {
  EXPECT_EQ(launch({-1, 1, 1}, {1, 1, 1}, 0),
            "instruction 8: kernel 'k': expected a grid extent 0 from 0 to "
            "2147483647, found -1");
  EXPECT_EQ(launch({1, 65536, 1}, {1, 1, 1}, 0),
            "instruction 8: kernel 'k': expected a grid extent 1 from 0 to "
            "65535, found 65536");
  EXPECT_EQ(launch({1, 1, 1}, {1, 1, 0}, 0),
            "instruction 8: kernel 'k': expected a block extent 2 from 1 to "
            "64, found 0");
  EXPECT_EQ(launch({1, 1, 1}, {8, 9, 1}, 0),
            "instruction 8: kernel 'k': expected at most 64 threads a block, "
            "found 72");
  EXPECT_EQ(launch({1, 1, 1}, {1, 1, 1}, -1),
            "instruction 8: kernel 'k': expected dynamic shared memory from 0 "
            "to 2147483647 bytes, found -1");
  EXPECT_TRUE(recorder.records.empty());
}

TEST_F(PlanLaunch, LauncherErrorEndsTheRun) {
  recorder.answer = Status::error("device lost");
  EXPECT_EQ(launch({1, 1, 1}, {1, 1, 1}, 0), "device lost");
}

} // namespace
