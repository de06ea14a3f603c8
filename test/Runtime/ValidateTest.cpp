//===- ValidateTest.cpp - What loading refuses, each with its message -----===//

#include "Samples.h"

using namespace mortar::runtime;
using namespace mortar::runtime::test;

namespace {

/// The message for a body of 4 registers over one input of rank 1, one kernel.
std::string validateBody(std::vector<Instruction> code,
                         std::vector<uint32_t> outputs = {}) {
  Entry entry;
  entry.name = "e";
  entry.args = {makeArgument("x", ElementType::F32, {-1})};
  entry.body.numRegisters = 4;
  entry.body.code = std::move(code);
  entry.body.outputs = std::move(outputs);
  return validateEntry(entry, /*numKernels=*/1).message();
}

TEST(Validate, SampleIsValid) {
  EXPECT_EQ(validateArtifact(makeArtifact()).message(), "");
}

TEST(Validate, UseBeforeAssignment) {
  EXPECT_EQ(validateBody({Binary{BinaryOp::Add, 0, 1, 1}}),
            "entry 'e': body: instruction 0 (Binary): register 1 is read on a "
            "path which has not assigned it");
  EXPECT_NE(validateBody({Select{0, 1, 1, 1}}), "");
  EXPECT_NE(validateBody({Check{0, ""}}), "");
  EXPECT_NE(validateBody({Workspace{0, 1}}), "");
  EXPECT_NE(validateBody({If{0, 0, 0}}), "");
  EXPECT_NE(
      validateBody({Const{0, 1}, Launch{0, {0, 0, 0}, {0, 0, 0}, 0, {1}}}), "");
  EXPECT_NE(validateBody({Const{0, 1}, Launch{0, {0, 0, 0}, {0, 0, 0}, 1, {}}}),
            "");
  EXPECT_NE(validateBody({Const{0, 1}, Launch{0, {0, 0, 1}, {0, 0, 0}, 0, {}}}),
            "");
  EXPECT_NE(validateBody({Const{0, 1}, Launch{0, {0, 0, 0}, {1, 0, 0}, 0, {}}}),
            "");
  EXPECT_EQ(validateBody({}, {2}),
            "entry 'e': body: outputs: register 2 is read on a path which has "
            "not assigned it");
}

TEST(Validate, AssignedAfterABranchIsWhatBothArmsAssign) {
  EXPECT_EQ(
      validateBody({Const{0, 1}, If{0, 1, 1}, Const{1, 1}, Const{1, 2}}, {1}),
      "");
  EXPECT_NE(
      validateBody({Const{0, 1}, If{0, 1, 1}, Const{1, 1}, Const{2, 2}}, {1}),
      "");
  EXPECT_NE(validateBody({Const{0, 1}, If{0, 1, 0}, Const{1, 1}}, {1}), "");
  // What the one arm assigns the other does not see.
  EXPECT_NE(validateBody({Const{0, 1}, If{0, 1, 1}, Const{1, 1}, Check{1, ""}}),
            "");
  // What was assigned before stays so.
  EXPECT_EQ(validateBody({Const{0, 1}, If{0, 1, 0}, Const{0, 1}}, {0}), "");
}

TEST(Validate, IndicesInRange) {
  EXPECT_EQ(validateBody({Const{4, 1}}),
            "entry 'e': body: instruction 0 (Const): expected a register below "
            "4, found 4");
  EXPECT_EQ(validateBody({ArgPointer{0, 1}}),
            "entry 'e': body: instruction 0 (ArgPointer): expected an argument "
            "below 1, found 1");
  EXPECT_EQ(validateBody({ArgDim{0, 0, 1}}),
            "entry 'e': body: instruction 0 (ArgDim): expected a dimension of "
            "'x' below 1, found 1");
  EXPECT_NE(validateBody({ArgStride{0, 0, 1}}), "");
  EXPECT_EQ(validateBody({Const{0, 1}, Binary{BinaryOp(30), 0, 0, 0}}),
            "entry 'e': body: instruction 1 (Binary): expected an operation "
            "below 30, found 30");
  EXPECT_EQ(validateBody({Const{0, 1}, Launch{1, {}, {}, 0, {}}}),
            "entry 'e': body: instruction 1 (Launch): expected a kernel below "
            "1, found 1");
  EXPECT_NE(validateBody({Const{0, 1},
                          Launch{0, {}, {}, 0, std::vector<uint32_t>(513)}}),
            "");
  EXPECT_NE(validateBody({}, {4}), "");
}

TEST(Validate, ArmsWithinTheCode) {
  EXPECT_EQ(validateBody({Const{0, 1}, If{0, 1, 1}, Const{1, 1}}),
            "entry 'e': body: instruction 1 (If): expected at most 1 "
            "instructions in its arms, found 2");
  EXPECT_NE(validateBody({Const{0, 1}, If{0, 0xffffffff, 0xffffffff}}), "");
  // The inner branch must end with the arm it is in.
  EXPECT_NE(validateBody({Const{0, 1}, If{0, 1, 0}, If{0, 1, 0}, Const{1, 1}}),
            "");
}

TEST(Validate, Depth) {
  auto nest = [](uint32_t depth) {
    std::vector<Instruction> code = {Const{0, 1}};
    for (uint32_t level = 0; level < depth; ++level)
      code.push_back(If{0, depth - 1 - level, 0});
    return validateBody(code);
  };
  EXPECT_EQ(nest(maxNesting), "");
  EXPECT_NE(nest(maxNesting + 1), "");
}

TEST(Validate, NumberOfRegisters) {
  Entry entry = makeEntry();
  entry.body.numRegisters = maxRegisters + 1;
  EXPECT_EQ(validateEntry(entry, 2).message(),
            "entry 'rms_norm': body: expected at most 65536 registers, found "
            "65537");
}

TEST(Validate, Shapes) {
  auto withShapes = [](std::vector<Instruction> code) {
    Entry entry = makeEntry();
    entry.shapes.numRegisters = 2;
    entry.shapes.code = {Const{0, 1}};
    entry.shapes.code.insert(entry.shapes.code.end(), code.begin(), code.end());
    return validateEntry(entry, 2).message();
  };
  EXPECT_EQ(withShapes({ArgDim{1, 2, 0}}), "");
  EXPECT_EQ(withShapes({ArgDim{1, 3, 0}}),
            "entry 'rms_norm': shapes: instruction 1 (ArgDim): shapes cannot "
            "depend on argument 'out', an output");
  EXPECT_NE(withShapes({ArgStride{1, 3, 0}}), "");
  EXPECT_NE(withShapes({ArgPointer{1, 0}}), "");
  EXPECT_NE(withShapes({Workspace{1, 0}}), "");
  EXPECT_EQ(withShapes({Launch{0, {}, {}, 0, {}}}),
            "entry 'rms_norm': shapes: instruction 1 (Launch): allowed in the "
            "body only, found in shapes");

  Entry entry = makeEntry();
  entry.shapes.outputs = {};
  EXPECT_EQ(validateEntry(entry, 2).message(),
            "entry 'rms_norm': shapes: expected 1 outputs, one for each "
            "dynamic extent of an Output argument, found 0");
}

TEST(Validate, ArgumentsAndResults) {
  auto changed = [](auto change) {
    Entry entry = makeEntry();
    change(entry);
    return validateEntry(entry, 2).message();
  };
  EXPECT_EQ(changed([](Entry &e) { e.results = {{0}}; }),
            "entry 'rms_norm': expected results in Output or InOut arguments, "
            "found one in argument 0");
  EXPECT_NE(changed([](Entry &e) { e.results = {{4}}; }), "");
  EXPECT_NE(changed([](Entry &e) { e.name = ""; }), "");
  EXPECT_NE(changed([](Entry &e) { e.name += '\0'; }), "");
  EXPECT_NE(changed([](Entry &e) { e.args[0].name = ""; }), "");
  EXPECT_EQ(changed([](Entry &e) { e.args[0].shape[0] = -2; }), "entry 'rms_norm': argument 0: expected extents of at least -1, found -2");
  EXPECT_EQ(changed([](Entry &e) { e.args[1].shape.resize(17, 1); }), "entry 'rms_norm': argument 1: expected rank at most 16, found 17");
  EXPECT_EQ(changed([](Entry &e) { e.args[2].constant = true; }), "entry 'rms_norm': argument 2: expected a constant argument to be an input");
  EXPECT_EQ(changed([](Entry &e) { e.args[0].type = ElementType(8); }),
            "entry 'rms_norm': argument 0: expected an element type below 8, "
            "found 8");
  EXPECT_EQ(changed([](Entry &e) { e.args[0].role = Argument::Role(3); }), "entry 'rms_norm': argument 0: expected a role below 3, found 3");
}

TEST(Validate, ArtifactAsAWhole) {
  auto changed = [](auto change) {
    Artifact artifact = makeArtifact();
    change(artifact);
    return validateArtifact(artifact).message();
  };
  EXPECT_EQ(changed([](Artifact &a) { a.entries.push_back(a.entries[0]); }),
            "expected distinct entry names, found 'rms_norm' twice");
  EXPECT_EQ(changed([](Artifact &a) { a.kernels.push_back(a.kernels[0]); }),
            "expected distinct kernel names, found 'rms_norm_narrow' twice");
  EXPECT_NE(changed([](Artifact &a) { a.kernels.pop_back(); }), "");
  EXPECT_EQ(changed([](Artifact &a) { a.kernels[0].maxThreads = 0; }), "kernel 'rms_norm_narrow': expected 1 to 1024 threads, found 0");
  EXPECT_NE(changed([](Artifact &a) { a.kernels[0].maxThreads = 1025; }), "");
  EXPECT_NE(changed([](Artifact &a) { a.kernels[0].staticSharedBytes = -1; }),
            "");
  EXPECT_NE(changed([](Artifact &a) { a.kernels[0].name = ""; }), "");
  EXPECT_EQ(changed([](Artifact &a) { a.images[0].chip = "gfx90"; }),
            "image: expected a chip like sm_90 or sm_90a, found 'gfx90'");
  EXPECT_EQ(changed([](Artifact &a) { a.images[0].kind = CodeImage::Kind(3); }),
            "image sm_90: expected PTX (0), cubin (1) or object (2), found 3");
  EXPECT_EQ(changed([](Artifact &a) { a.images[0].kernels = {0, 1}; }), "");
  EXPECT_EQ(changed([](Artifact &a) { a.images[0].kernels = {0, 2}; }),
            "image sm_90: expected a kernel's number from 1 to below 2, found 2");
  EXPECT_EQ(changed([](Artifact &a) { a.images[0].kernels = {0, 0}; }),
            "image sm_90: expected a kernel's number from 1 to below 2, found 0");
  EXPECT_EQ(changed([](Artifact &a) { a.images[0].kernels = {UINT32_MAX, 0}; }),
            "image sm_90: expected a kernel's number from 0 to below 2, found 4294967295");
}

TEST(Validate, Chips) {
  Expected<Chip> chip = parseChip("sm_103f");
  ASSERT_TRUE(chip.ok());
  EXPECT_EQ(chip->major, 10);
  EXPECT_EQ(chip->minor, 3);
  EXPECT_EQ(chip->suffix, 'f');
  for (const char *bad : {"", "sm_", "sm_9", "sm_a", "sm_9a", "sm_90b", "sm_09",
                          "sm_1000", "sm_9 0", "compute_90"})
    EXPECT_FALSE(parseChip(bad).ok()) << bad;
}

} // namespace
