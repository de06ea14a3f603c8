//===- Generator.h - valid programs that nobody wrote -----------*- C++ -*-===//
//
// A program is a module with a function @program over tensors of one number of rows, and
// declarations of foreign functions that it calls. It is never undefined: nothing is read
// that wasn't written. The same seed gives the same program on every machine.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_TEST_PROOF_GENERATOR_H
#define MORTAR_TEST_PROOF_GENERATOR_H

#include "mortar/Execution/Random.h"
#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OwningOpRef.h"

namespace mortar::proof {

using execution::Random;

/// Makes one program.
class Generator {
public:
  Generator(mlir::MLIRContext *context, uint64_t seed);
  mlir::OwningOpRef<mlir::ModuleOp> generate();

  //===--- For the makers of ops -----------------------------------------===//

  Random random;
  mlir::ImplicitLocOpBuilder b;
  int64_t width; // of the narrow rows; wide ones have twice as many elements
  /// The narrow width, or the wide one now and then.
  int64_t pickRowWidth() { return random.oneIn(wideOneIn) ? 2 * width : width; }

  /// f32, f16 or bf16, more often the program's favourite.
  mlir::Type pickElement();
  /// Some value, most likely a late one, or a new argument; without `element` one that
  /// can be computed with.
  mlir::Value pickRows(int64_t rowWidth, mlir::Type element = {});
  /// A value of `like`'s shape.
  mlir::Value pickLike(mlir::Value like, mlir::Type element = {});
  /// An argument that every row reads.
  mlir::Value addColumn(mlir::Type element);
  /// An argument of one f32.
  mlir::Value addTensorScalar();
  /// `like`'s type with other elements, or with another row width.
  mlir::RankedTensorType typeLike(mlir::Value like, mlir::Type element,
                                  int64_t rowWidth = 0);

private:
  mlir::Value addArgument(mlir::RankedTensorType type);
  mlir::Value choose(llvm::function_ref<bool(mlir::Value)> fits);
  mlir::Value makeOp();
  mlir::Value makeView();
  mlir::Value makeSlice();
  mlir::Value callForeign(mlir::Value x);
  mlir::Value makeForeignCall();
  mlir::Value makeBranch();
  void decorate(mlir::Value made);
  void chooseResults();

  //===--- Phrases.cpp ---------------------------------------------------===//

  /// One of those below that are listed there.
  mlir::Value makePhrase();
  mlir::Value makeTangle();
  mlir::Value makeDetour();
  mlir::Value makeWideChain();
  mlir::Value makeWideGate();
  mlir::Value makeMixedNorm();
  mlir::Value makeOddGroups();
  mlir::Value makeHalvesAndPairs();
  mlir::Value makeHeads();
  mlir::Value makeNarrowMath();
  mlir::Value makeRoundTrip();

  llvm::SmallVector<int64_t> leading; // of most tensors: [?], [M], [?, H] or [M, H]
  mlir::Type favourite;
  size_t wideOneIn;
  int64_t branches = 0;
  mlir::ModuleOp module;
  mlir::func::FuncOp function;
  llvm::SmallVector<mlir::Value> pool;
};

/// How to write one op that can be part of a region.
struct OpMaker {
  llvm::StringLiteral name;
  /// All attributes that the op has; the maker gives each of them several values.
  llvm::ArrayRef<llvm::StringLiteral> attributes;
  unsigned weight;
  mlir::Value (*make)(Generator &g);
};
llvm::ArrayRef<OpMaker> getOpMakers();

/// An error if an op that can be fused, or an attribute of it, has no maker here.
mlir::LogicalResult checkMakersAreComplete(mlir::MLIRContext *context);

} // namespace mortar::proof

#endif // MORTAR_TEST_PROOF_GENERATOR_H
