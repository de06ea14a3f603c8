//===- Corpus.h - the valid files that bad input is made of -----*- C++ -*-===//
#ifndef MORTAR_TEST_BADINPUT_CORPUS_H
#define MORTAR_TEST_BADINPUT_CORPUS_H

#include "mortar/Execution/Random.h"

#include "mlir/IR/MLIRContext.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mortar::badinput {

using execution::Random;

/// A module that parses and verifies.
struct Piece {
  std::string name; // "Transforms/fuse-rows.mlir#3"
  std::string text;
};

/// A context with everything that Mortar's tools register.
std::unique_ptr<mlir::MLIRContext> makeContext(bool allowUnregistered);

/// All .mlir files below `folder`, cut where `// -----` or `//--- name` says,
/// in the order of their names; what doesn't verify is left out.
std::vector<Piece> loadCorpus(llvm::StringRef folder);

} // namespace mortar::badinput

#endif // MORTAR_TEST_BADINPUT_CORPUS_H
