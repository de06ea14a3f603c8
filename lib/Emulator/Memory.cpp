//===- Memory.cpp - buffers, and what is known of each byte ---------------===//

#include "mortar/Emulator/Memory.h"

#include <algorithm>

using namespace mortar::emulator;
namespace rt = mortar::runtime;

Buffer &Memory::add(std::string name, char *data, size_t bytes,
                    bool isInitialized) {
  Buffer &buffer = buffers.emplace_back();
  buffer.name = std::move(name);
  buffer.data = data;
  buffer.bytes = bytes;
  buffer.flags.assign(bytes, isInitialized ? Buffer::Ready : Buffer::Inside);
  return buffer;
}

Buffer &Memory::add(std::string name, const rt::TensorArg &tensor,
                    bool isInitialized, bool isConstant) {
  size_t elementBytes = rt::elementTypeBytes(tensor.type);
  std::vector<size_t> strides(tensor.rank, 1);
  for (size_t i = tensor.rank; i-- > 0;)
    strides[i] = tensor.strides ? size_t(tensor.strides[i])
                 : i + 1 < tensor.rank
                     ? strides[i + 1] * size_t(tensor.shape[i + 1])
                     : 1;
  size_t last = 0;
  bool isEmpty = false;
  for (size_t i = 0; i < tensor.rank; ++i) {
    isEmpty |= tensor.shape[i] == 0;
    last += isEmpty ? 0 : size_t(tensor.shape[i] - 1) * strides[i];
  }
  size_t bytes = isEmpty ? 0 : (last + 1) * elementBytes;
  Buffer &buffer = add(std::move(name), static_cast<char *>(tensor.data), bytes,
                       isInitialized);
  buffer.isConstant = isConstant;
  if (isEmpty)
    return buffer;
  // Only elements are inside: walk over all but the last dimension.
  uint8_t inside = buffer.flags[0];
  std::fill(buffer.flags.begin(), buffer.flags.end(), 0);
  std::vector<int64_t> at(tensor.rank, 0);
  size_t length = tensor.rank ? size_t(tensor.shape[tensor.rank - 1]) : 1;
  size_t step = tensor.rank ? strides[tensor.rank - 1] : 1;
  while (true) {
    size_t first = 0;
    for (size_t i = 0; i + 1 < tensor.rank; ++i)
      first += size_t(at[i]) * strides[i];
    for (size_t k = 0; k < length; ++k)
      std::fill_n(&buffer.flags[(first + k * step) * elementBytes],
                  elementBytes, inside);
    size_t i = tensor.rank ? tensor.rank - 1 : 0;
    while (i > 0 && ++at[i - 1] == tensor.shape[i - 1])
      at[--i] = 0;
    if (i == 0)
      return buffer;
  }
}

Buffer *Memory::find(const char *address) {
  for (Buffer &buffer : buffers)
    if (buffer.contains(address))
      return &buffer;
  // An empty tensor has an address, too.
  for (Buffer &buffer : buffers)
    if (buffer.bytes == 0 && buffer.data == address)
      return &buffer;
  return nullptr;
}

void Memory::forget() {
  for (Buffer &buffer : buffers)
    for (auto *records : {&buffer.writer, &buffer.firstReader, &buffer.reader,
                          &buffer.otherReader})
      std::fill(records->begin(), records->end(), 0);
}

size_t Memory::countUnwritten(const Buffer &buffer) {
  return std::count(buffer.flags.begin(), buffer.flags.end(),
                    uint8_t(Buffer::Inside));
}
