//===- Random.h - the same numbers everywhere -------------------*- C++ -*-===//
#ifndef MORTAR_EXECUTION_RANDOM_H
#define MORTAR_EXECUTION_RANDOM_H

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace mortar::execution {

/// SplitMix64 (Steele, Lea and Flood 2014). A seed names a tensor, a program or a mutant on
/// every machine.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t bits() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Less than `bound`, which is at least 1.
  size_t below(size_t bound) { return bits() % bound; }
  bool oneIn(size_t count) { return below(count) == 0; }
  template <typename List> auto &pick(List &&list) {
    return list[below(std::size(list))];
  }

private:
  uint64_t state;
};

} // namespace mortar::execution

#endif // MORTAR_EXECUTION_RANDOM_H
