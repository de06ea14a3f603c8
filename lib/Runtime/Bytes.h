//===- Bytes.h - Little-endian writing and reading --------------*- C++ -*-===//
//
// Writer and Reader have the same functions, so that a struct lists its fields
// once, in a template over the two.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_LIB_RUNTIME_BYTES_H
#define MORTAR_LIB_RUNTIME_BYTES_H

#include "mortar/Runtime/Status.h"

#include <cstdint>

namespace mortar::runtime {

class Writer {
public:
  /// Integers and enumerations, at their size.
  template <typename T> void number(const T &value) {
    for (size_t byte = 0; byte < sizeof(T); ++byte)
      bytes.push_back(
          static_cast<char>(static_cast<uint64_t>(value) >> (8 * byte)));
  }
  void flag(bool value) { number<uint8_t>(value); }
  void text(std::string_view value) {
    number<uint64_t>(value.size());
    bytes += value;
  }
  /// `element` is called with this and each element.
  template <typename T, typename Element>
  void list(std::vector<T> &values, size_t /*bytesEach*/, Element element) {
    number<uint32_t>(values.size());
    for (T &value : values)
      element(*this, value);
  }
  template <typename Content>
  void section(std::string_view tag, Content content) {
    Writer inner;
    content(inner);
    bytes += tag;
    text(inner.bytes);
  }

  std::string bytes;
};

/// Reads within bounds. After the first failure everything reads as zero and
/// empty, and `status` keeps what went wrong.
class Reader {
public:
  /// `origin` is the position of `data` in the file, for messages.
  Reader(const void *data, size_t size, size_t origin)
      : next(static_cast<const unsigned char *>(data)), left(size),
        position(origin) {}

  template <typename T> void number(T &value) {
    const unsigned char *from = take(sizeof(T));
    uint64_t bits = 0;
    for (size_t byte = 0; from && byte < sizeof(T); ++byte)
      bits |= uint64_t(from[byte]) << (8 * byte);
    value = static_cast<T>(bits);
  }
  void flag(bool &value) {
    uint8_t number = 0;
    this->number(number);
    if (number > 1)
      fail("expected a flag of 0 or 1, found ", uint32_t(number));
    value = number == 1;
  }
  void text(std::string &value) {
    uint64_t size = 0;
    number(size);
    const unsigned char *from = take(size);
    value.assign(reinterpret_cast<const char *>(from), from ? size : 0);
  }
  /// `bytesEach` is the least an element takes: what is allocated for a list
  /// is bounded by the bytes there are.
  template <typename T, typename Element>
  void list(std::vector<T> &values, size_t bytesEach, Element element) {
    uint32_t count = 0;
    number(count);
    if (count > left / bytesEach) {
      fail("expected at most ", left / bytesEach, " elements, found ", count);
      count = 0;
    }
    values.clear();
    values.resize(count);
    for (size_t index = 0; index < values.size() && ok(); ++index)
      element(*this, values[index]);
  }
  template <typename Content>
  void section(std::string_view tag, Content content) {
    const unsigned char *found = take(tag.size());
    if (found && tag != std::string_view(reinterpret_cast<const char *>(found),
                                         tag.size()))
      fail("expected section ", tag, ", found another");
    uint64_t size = 0;
    number(size);
    size_t origin = position;
    const unsigned char *from = take(size);
    if (!from)
      return;
    Reader inner(from, size, origin);
    content(inner);
    inner.expectEnd();
    if (!inner.ok()) {
      problem = inner.problem.in("section ", tag);
      left = 0;
    }
  }
  void expectEnd() {
    if (left)
      fail("expected the end, found ", left, " more bytes");
  }

  template <typename... Parts> void fail(const Parts &...parts) {
    if (problem.ok())
      problem = Status::error("at byte ", position, ": ", parts...);
    left = 0;
  }
  bool ok() const { return problem.ok(); }
  const Status &status() const { return problem; }

private:
  /// The next `size` bytes, stepped over; null where there are fewer.
  const unsigned char *take(uint64_t size) {
    if (!ok())
      return nullptr;
    if (size > left) {
      fail("expected ", size, " bytes, found ", left);
      return nullptr;
    }
    const unsigned char *taken = next;
    next += size;
    left -= size;
    position += size;
    return taken;
  }

  const unsigned char *next;
  size_t left;
  size_t position;
  Status problem;
};

} // namespace mortar::runtime

#endif // MORTAR_LIB_RUNTIME_BYTES_H
