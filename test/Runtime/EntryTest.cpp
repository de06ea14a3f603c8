//===- EntryTest.cpp - Arguments, queries and runs of an entry ------------===//

#include "Samples.h"

using namespace mortar::runtime;
using namespace mortar::runtime::test;

namespace {

class EntryTest : public ::testing::Test {
protected:
  EntryTest() { EXPECT_EQ(validateArtifact(artifact).message(), ""); }

  std::string check() {
    return checkArguments(artifact.entries[0], arguments.args).message();
  }
  TensorArg &arg(size_t index) { return arguments.args[index]; }

  Artifact artifact = makeArtifact();
  Arguments arguments{5};
  Recorder recorder;
  void *workspace = reinterpret_cast<void *>(0x10000);
};

TEST_F(EntryTest, SoundArguments) { EXPECT_EQ(check(), ""); }

TEST_F(EntryTest, Count) {
  arguments.args.pop_back();
  EXPECT_EQ(check(), "entry 'rms_norm': expected 4 arguments, found 3");
}

TEST_F(EntryTest, Type) {
  arg(1).type = ElementType::F16;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 1 ('weight'): expected "
                     "element type f32, found f16");
  arg(1).type = ElementType(99);
  EXPECT_EQ(check(), "entry 'rms_norm', argument 1 ('weight'): expected "
                     "element type f32, found number 99");
}

TEST_F(EntryTest, RankAndShape) {
  arg(0).rank = 1;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 0 ('x'): expected rank 2, "
                     "found 1");
  arg(0).rank = 2;
  arg(0).shape = nullptr;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 0 ('x'): expected a shape of "
                     "rank 2, found null");
}

TEST_F(EntryTest, Extents) {
  const int64_t wide[] = {5, 9}, negative[] = {-1, 8};
  const int64_t huge[] = {INT64_MAX / 8, 8};
  arg(0).shape = wide;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 0 ('x'): expected extent 1 to "
                     "be 8, found 9");
  arg(0).shape = negative;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 0 ('x'): expected extent 0 of "
                     "at least 0, found -1");
  arg(0).shape = huge;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 0 ('x'): expected less than "
                     "2^63 bytes, found more");
}

TEST_F(EntryTest, Address) {
  arg(2).data = nullptr;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 2 ('residual'): expected a "
                     "data pointer for 40 elements, found null");
  const int64_t none[] = {0, 8};
  arg(2).shape = none;
  EXPECT_EQ(check(), "");
  arg(3).data = reinterpret_cast<void *>(0x4001);
  EXPECT_EQ(check(), "entry 'rms_norm', argument 3 ('out'): expected data "
                     "aligned to 2 bytes, found address 16385");
}

TEST_F(EntryTest, Strides) {
  const int64_t apart[] = {8, 2}, columns[] = {1, 5}, backwards[] = {-8, 1};
  arg(0).strides = apart;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 0 ('x'): expected the last "
                     "dimension to have stride 1, found 2");
  arg(0).strides = backwards;
  EXPECT_EQ(check(), "entry 'rms_norm', argument 0 ('x'): expected stride 0 of "
                     "at least 0, found -8");
  // What is declared as strided may lie by column.
  artifact.entries[0].args[0].strided = true;
  arg(0).strides = columns;
  EXPECT_EQ(check(), "");
  // One row has no distance to the next.
  const int64_t one[] = {1, 8};
  arg(0).shape = one;
  arg(0).strides = backwards;
  EXPECT_EQ(check(), "");
}

TEST_F(EntryTest, OutputOfAnotherShapeThanComputed) {
  const int64_t fewer[] = {4, 8};
  arg(3).shape = fewer;
  EXPECT_EQ(check(), "");
  const char *expected = "entry 'rms_norm', argument 3 ('out'): expected "
                         "extent 0 to be 5, found 4";
  EXPECT_EQ(
      runEntry(artifact, 0, arguments.args, workspace, 4096, recorder, nullptr)
          .message(),
      expected);
  EXPECT_EQ(workspaceBytes(artifact, 0, arguments.args).message(), expected);
  EXPECT_TRUE(recorder.records.empty());
}

TEST_F(EntryTest, QueriesAndRunAgree) {
  Expected<size_t> bytes = workspaceBytes(artifact, 0, arguments.args);
  ASSERT_TRUE(bytes.ok()) << bytes.message();
  EXPECT_EQ(*bytes, 20u);
  EXPECT_EQ(runEntry(artifact, 0, arguments.args, workspace, *bytes - 1,
                     recorder, nullptr)
                .message(),
            "entry 'rms_norm': instruction 6: expected a workspace of at least "
            "20 bytes, found 19");
  EXPECT_TRUE(recorder.records.empty());
  ASSERT_TRUE(runEntry(artifact, 0, arguments.args, workspace, *bytes, recorder,
                       nullptr)
                  .ok());
  ASSERT_EQ(recorder.records.size(), 1u);
  EXPECT_EQ(recorder.records[0].kernel, "rms_norm_wide");
  EXPECT_EQ(recorder.records[0].dims.grid[0], 5u);
  EXPECT_EQ(recorder.records[0].params, (std::vector<int64_t>{0x1000, 0x4000}));

  // Rows that aren't a multiple of 8 elements apart take the other kernel.
  const int64_t strides[] = {12, 1};
  arg(0).strides = strides;
  ASSERT_TRUE(runEntry(artifact, 0, arguments.args, workspace, *bytes, recorder,
                       nullptr)
                  .ok());
  ASSERT_EQ(recorder.records.size(), 2u);
  EXPECT_EQ(recorder.records[1].kernel, "rms_norm_narrow");
  EXPECT_EQ(recorder.records[1].params,
            (std::vector<int64_t>{0x1000, 0x4000, 0x10000, 5}));
}

TEST_F(EntryTest, NoRowsLaunchNothing) {
  Arguments empty(0);
  for (TensorArg &each : empty.args)
    if (each.rank == 2)
      each.data = nullptr;
  EXPECT_EQ(*workspaceBytes(artifact, 0, empty.args), 0u);
  EXPECT_EQ(runEntry(artifact, 0, empty.args, nullptr, 0, recorder, nullptr)
                .message(),
            "");
  EXPECT_TRUE(recorder.records.empty());
}

TEST_F(EntryTest, CheckNamesTheEntry) {
  const int64_t fewer[] = {4, 8};
  arg(2).shape = fewer;
  EXPECT_EQ(workspaceBytes(artifact, 0, arguments.args).message(),
            "entry 'rms_norm': residual: expected as many rows as x has");
}

TEST_F(EntryTest, ResultShapesNeedNoOutputs) {
  arg(3) = TensorArg();
  for (TensorArg &each : arguments.args)
    each.data = nullptr;
  auto shapes = resultShapes(artifact, 0, arguments.args);
  ASSERT_TRUE(shapes.ok()) << shapes.message();
  EXPECT_EQ(*shapes, (std::vector<std::vector<int64_t>>{{5, 8}, {5, 8}}));
  arg(0).rank = 3;
  EXPECT_EQ(resultShapes(artifact, 0, arguments.args).message(),
            "entry 'rms_norm', argument 0 ('x'): expected rank 2, found 3");
}

TEST_F(EntryTest, NegativeResultShapeIsAnError) {
  artifact.entries[0].shapes.code = {Const{0, -3}};
  EXPECT_EQ(resultShapes(artifact, 0, arguments.args).message(),
            "entry 'rms_norm': shapes: expected output 0 of at least 0, found "
            "-3");
}

TEST_F(EntryTest, EntryNumbersAndNames) {
  EXPECT_EQ(workspaceBytes(artifact, 1, arguments.args).message(),
            "expected an entry below 1, found 1");
  EXPECT_FALSE(resultShapes(artifact, 1, arguments.args).ok());
  EXPECT_FALSE(
      runEntry(artifact, 1, arguments.args, nullptr, 0, recorder, nullptr)
          .ok());
  EXPECT_EQ(*findEntry(artifact, "rms_norm"), 0u);
  EXPECT_EQ(findEntry(artifact, "norm").message(),
            "expected an entry 'norm', found 'rms_norm'");
}

} // namespace
