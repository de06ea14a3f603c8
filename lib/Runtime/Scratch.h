//===- Scratch.h - Arrays of the launch path --------------------*- C++ -*-===//

#ifndef MORTAR_LIB_RUNTIME_SCRATCH_H
#define MORTAR_LIB_RUNTIME_SCRATCH_H

#include <cstddef>
#include <vector>

namespace mortar::runtime {

/// Room for `size` elements, not initialized: on the stack up to N, else in a
/// buffer which the thread keeps for the next time. A nested use (a launcher
/// that runs a plan itself) finds the buffer taken and gets one of its own.
template <typename T, size_t N> class Scratch {
public:
  explicit Scratch(size_t size) {
    if (size <= N)
      return;
    large.swap(kept());
    if (large.size() < size)
      large.resize(size);
    first = large.data();
  }
  ~Scratch() {
    if (first != local)
      large.swap(kept());
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  T *data() { return first; }
  T &operator[](size_t index) { return first[index]; }

private:
  static std::vector<T> &kept() {
    static thread_local std::vector<T> buffer;
    return buffer;
  }

  T local[N];
  std::vector<T> large;
  T *first = local;
};

} // namespace mortar::runtime

#endif // MORTAR_LIB_RUNTIME_SCRATCH_H
