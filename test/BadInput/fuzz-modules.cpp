//===- fuzz-modules.cpp - text and bytecode through every pipeline --------===//
//
// One source, two fuzzers: with MORTAR_FUZZ_BYTECODE inputs are bytecode, else
// text.
//
//===----------------------------------------------------------------------===//

#include "Mutators.h"
#include "Trial.h"

#include "llvm/ADT/Hashing.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mortar::badinput;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

static uint64_t hash(const uint8_t *data, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < size; ++i)
    hash = (hash ^ data[i]) * 0x100000001b3;
  return hash;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Effort effort;
  effort.seed = hash(data, size);
  effort.gpu = effort.seed % 32 == 0;
  Verdict verdict = tryBytes({reinterpret_cast<const char *>(data), size},
                             effort, /*known=*/false);
  if (verdict.problem.empty())
    return 0;
  fprintf(stderr, "%s\n", verdict.problem.c_str());
  abort();
}

/// Half of the time the fuzzer's own way, which knows the dictionary and what
/// it covered.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  Random random(seed);
  if (random.oneIn(2))
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string bytes(reinterpret_cast<const char *>(data), size);
#ifdef MORTAR_FUZZ_BYTECODE
  mutateBytes(bytes, random);
#else
  mutateText(bytes, random);
#endif
  size = std::min(bytes.size(), maxSize);
  std::memcpy(data, bytes.data(), size);
  return size;
}
