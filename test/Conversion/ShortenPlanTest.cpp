//===- ShortenPlanTest.cpp - what a launch need not compute ---------------===//

#include "ShortenPlan.h"

#include <gtest/gtest.h>

using namespace mortar::runtime;

namespace {

/// Runs a plan on one argument of two dimensions, at an address of so many bytes.
Status run(const Program &plan, int64_t address, int64_t rows, int64_t *outputs) {
  int64_t shape[] = {rows, 4};
  TensorArg argument;
  argument.data = reinterpret_cast<void *>(address);
  argument.shape = shape;
  argument.rank = 2;
  RunContext context;
  context.args = ArrayView<TensorArg>(&argument, 1);
  return runProgram(plan, context, outputs);
}

TEST(ShortenPlan, ComputesNothingTwiceOrForNobody) {
  Program plan;
  plan.numRegisters = 9;
  plan.code = {ArgPointer{0, 0},
               Const{1, 0},
               Const{2, 8},
               Binary{BinaryOp::Mul, 3, 1, 2}, // 0
               Binary{BinaryOp::Add, 4, 0, 3}, // the pointer
               ArgPointer{5, 0},               // the same
               Binary{BinaryOp::Mul, 6, 4, 2},
               Binary{BinaryOp::Mul, 7, 2, 5}, // the same product
               ArgDim{8, 0, 1}};               // for nobody
  plan.outputs = {6, 7};
  Program made = mortar::shortenPlan(plan);
  EXPECT_EQ(made.code.size(), 3u);
  EXPECT_EQ(made.numRegisters, 3u);
  int64_t outputs[2];
  ASSERT_TRUE(run(made, 64, 1, outputs).ok());
  EXPECT_EQ(outputs[0], 512);
  EXPECT_EQ(outputs[1], 512);
}

/// What differs in its operation, or in one arm only, is not the same.
TEST(ShortenPlan, KeepsApartWhatDiffers) {
  Program plan;
  plan.numRegisters = 10;
  plan.code = {ArgPointer{0, 0},
               ArgDim{1, 0, 0},
               Const{2, 3},
               Binary{BinaryOp::Sub, 3, 0, 1},
               Binary{BinaryOp::Mul, 4, 0, 1}, // of the same operands
               Binary{BinaryOp::CmpLeU, 5, 1, 2},
               If{5, 2, 2},
               Binary{BinaryOp::Add, 6, 3, 4},
               Check{6, "never"},
               Binary{BinaryOp::And, 7, 3, 1},
               Check{7, "of some"},
               Binary{BinaryOp::Add, 8, 3, 4}, // known in the first arm alone
               Binary{BinaryOp::Add, 9, 3, 4}};
  plan.outputs = {3, 4, 8, 9};
  Program made = mortar::shortenPlan(plan);
  EXPECT_EQ(made.code.size(), plan.code.size() - 1);
  for (int64_t rows : {1, 3, 4, 32, 96}) {
    int64_t expected[4] = {}, found[4] = {};
    Status status = run(plan, 96, rows, expected);
    EXPECT_EQ(run(made, 96, rows, found).message(), status.message());
    for (int output = 0; status.ok() && output < 4; ++output)
      EXPECT_EQ(found[output], expected[output]) << rows << ", " << output;
  }
}

/// address <= 100, or 8 divides it and there are 3 rows; then no rows.
TEST(ShortenPlan, LooksForSeldomReasonsSeldom) {
  Program plan;
  plan.numRegisters = 12;
  plan.code = {ArgPointer{0, 0},
               ArgDim{1, 0, 0},
               Const{2, 0},
               Const{3, 100},
               Const{4, 8},
               Const{5, 3},
               Binary{BinaryOp::CmpLeU, 6, 0, 3},
               Binary{BinaryOp::RemU, 7, 0, 4},
               Binary{BinaryOp::CmpEq, 8, 7, 2},
               Binary{BinaryOp::CmpEq, 9, 1, 5},
               Binary{BinaryOp::And, 10, 8, 9},
               Binary{BinaryOp::Or, 11, 6, 10},
               Check{11, "the first"},
               Check{1, "the second"}};
  Program made = mortar::shortenPlan(plan);
  size_t branch = 0;
  while (branch < made.code.size() && !std::holds_alternative<If>(made.code[branch]))
    ++branch;
  ASSERT_LT(branch, made.code.size());
  // The address, its bound and their comparison; and the rows, which the second check reads.
  EXPECT_EQ(branch, 4u);
  EXPECT_EQ(std::get<If>(made.code[branch]).thenCount, 0u);
  for (int64_t address : {0, 96, 100, 101, 104, 108})
    for (int64_t rows : {0, 2, 3}) {
      Status expected = run(plan, address, rows, nullptr);
      Status found = run(made, address, rows, nullptr);
      EXPECT_EQ(found.ok(), expected.ok()) << address << ", " << rows;
      if (!expected.ok() && !found.ok())
        EXPECT_EQ(found.message(), expected.message());
    }
}

} // namespace
