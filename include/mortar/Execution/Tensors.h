//===- Tensors.h - values on the host, as bits ------------------*- C++ -*-===//
#ifndef MORTAR_EXECUTION_TENSORS_H
#define MORTAR_EXECUTION_TENSORS_H

#include "mortar/Runtime/Plan.h"

namespace mortar::execution {

using runtime::ElementType;
using runtime::Expected;
using runtime::Status;

/// Dense and row-major.
struct Tensor {
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;
  std::string bytes;

  size_t count() const { return bytes.size() / runtime::elementTypeBytes(type); }
  uint64_t bits(size_t index) const;
};

/// "bf16 [17, 4096]"
std::string describe(ElementType type, const std::vector<int64_t> &shape);
/// "[2, 17]", the place of element number `index`.
std::string place(const std::vector<int64_t> &shape, size_t index);

/// Of this machine.
uint64_t memoryBytes();
/// Bytes of a dense tensor; an error where they are more than this machine could hold.
Expected<size_t> bytesOf(ElementType type, const std::vector<int64_t> &shape);

enum class Values { Random, Hard };

/// The same seed, shape and type give the same values everywhere. Random: normal, of
/// variance 1. Hard: each row is of a kind of its own (normal values with −0 among
/// them, all zero, one huge element, subnormals, max-finite, a NaN, an infinity, any
/// finite or any bits).
Expected<Tensor> makeTensor(ElementType type, const std::vector<int64_t> &shape,
                            Values values, uint64_t seed);

/// FNV-1a over the bits, every NaN taken for the same one.
uint64_t checksum(const Tensor &tensor);

struct Difference {
  size_t count = 0;
  size_t first = 0; // the lowest element that differs
};
/// Bit for bit, any NaN equal to any NaN. Types and shapes are the same.
Difference compare(const Tensor &found, const Tensor &expected);

/// "0x3f80 (1)"
std::string describeElement(const Tensor &tensor, size_t index);

/// Where a tensor lies in memory: `offset` elements behind an aligned address, `pad`
/// elements between its rows, and `outerPad` more between its matrices; or column-major,
/// `pad` elements between its columns, where the last dimension may have any stride.
struct Placement {
  int64_t offset = 0, pad = 0, outerPad = 0;
  bool columnMajor = false;
};

/// The memory of one argument, of the same layout on the host as on a device: guards on
/// both sides and between rows (or columns) show a kernel that writes where it shouldn't. All that
/// holds no value is NaN.
class Image {
public:
  static constexpr size_t guardBytes = 256; // keeps the alignment

  static Expected<Image> make(ElementType type, const std::vector<int64_t> &shape,
                              Placement placement);
  void put(const Tensor &tensor);
  /// Sets every byte of the values.
  void fill(unsigned char byte);
  Tensor get() const;
  /// An error if a byte that holds no value was written.
  Status checkGuards() const;

  char *data() { return storage.data() + lead; }
  size_t size() const { return storage.size() - alignment; }
  /// The argument, for an image that begins at `base`.
  runtime::TensorArg at(void *base) const;

private:
  static constexpr size_t alignment = 256;
  Expected<size_t> layOutByRow(Placement placement);
  Expected<size_t> layOutByColumn(Placement placement);
  template <typename Visit> void forEachRun(Visit visit) const;

  ElementType type = ElementType::F32;
  std::vector<int64_t> shape, strides; // in elements
  bool columnMajor = false;
  std::vector<char> storage;           // `lead` bytes, then the image
  size_t lead = 0, first = 0;          // of element 0, from data()
};

} // namespace mortar::execution

#endif // MORTAR_EXECUTION_TENSORS_H
