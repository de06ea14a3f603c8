//===- Memory.h - buffers, and what is known of each byte -------*- C++ -*-===//
#ifndef MORTAR_EMULATOR_MEMORY_H
#define MORTAR_EMULATOR_MEMORY_H

#include "mortar/Runtime/Plan.h"

#include <deque>
#include <string>
#include <vector>

namespace mortar::emulator {

/// The shadow of a buffer. The records of a byte name warp-level accesses: (its
/// number among all of the run) · 32 + lane; 0 is none. A number below what a
/// launch (or a block, for workgroup memory) began with belongs to the past, so
/// nothing is cleared.
struct Buffer {
  enum Flag : uint8_t {
    Inside = 1,
    Initialized = 2,
    Ready = Inside | Initialized
  };

  std::string name;
  char *data = nullptr;
  size_t bytes = 0;
  bool isConstant = false; // nobody writes it while kernels run
  std::vector<uint8_t> flags;
  // Made when a kernel first writes the buffer, and the readers when one also
  // reads it.
  std::vector<uint32_t> writer;
  // The first reader; the last; the last that is another thread than that.
  std::vector<uint32_t> firstReader, reader, otherReader;

  bool contains(const char *address) const {
    return address >= data && address < data + bytes;
  }
};

class Memory {
public:
  /// The bytes of a tensor's elements; what lies between its rows is outside.
  Buffer &add(std::string name, const runtime::TensorArg &tensor,
              bool isInitialized, bool isConstant);
  Buffer &add(std::string name, char *data, size_t bytes, bool isInitialized);
  /// The buffer that holds `address`, or null.
  Buffer *find(const char *address);
  /// Forgets who read and wrote, not what is initialized.
  void forget();
  /// Bytes of a buffer's elements that nobody wrote.
  static size_t countUnwritten(const Buffer &buffer);

private:
  std::deque<Buffer> buffers; // which stay where they are
};

} // namespace mortar::emulator

#endif // MORTAR_EMULATOR_MEMORY_H
