//===- Corpus.h - the valid files that bad input is made of -----*- C++ -*-===//
#ifndef MORTAR_TEST_BADINPUT_CORPUS_H
#define MORTAR_TEST_BADINPUT_CORPUS_H

#include "mlir/IR/MLIRContext.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mortar::badinput {

/// SplitMix64: the same numbers everywhere, so a seed names a mutant.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Less than `bound`, which is at least 1.
  size_t below(size_t bound) { return next() % bound; }
  bool oneIn(size_t count) { return below(count) == 0; }
  template <typename List> auto &pick(List &list) {
    return list[below(std::size(list))];
  }

private:
  uint64_t state;
};

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
