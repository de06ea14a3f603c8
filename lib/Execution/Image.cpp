//===- Image.cpp - the memory of an argument ------------------------------===//

#include "mortar/Execution/Tensors.h"

#include <cstring>

using namespace mortar::execution;
using mortar::runtime::elementTypeBytes;

Expected<Image> Image::make(ElementType type, const std::vector<int64_t> &shape,
                            Placement placement) {
  Image image;
  image.type = type;
  image.shape = shape;
  image.strides.assign(shape.size(), 1);
  image.columnMajor = placement.columnMajor && shape.size() > 1;
  auto bytes = image.columnMajor ? image.layOutByColumn(placement)
                                 : image.layOutByRow(placement);
  if (!bytes)
    return bytes.status();
  image.first = guardBytes + placement.offset * elementTypeBytes(type);
  image.storage.assign(alignment + image.first + *bytes + guardBytes, char(0xff));
  image.lead = -reinterpret_cast<uintptr_t>(image.storage.data()) % alignment;
  return image;
}

/// Sets the strides; the bytes that the values take with what lies between them.
Expected<size_t> Image::layOutByRow(Placement placement) {
  // What the rows take with their padding, as if it were one tensor's shape.
  std::vector<int64_t> padded = shape;
  if (padded.size() > 1)
    padded.back() += placement.pad;
  auto values = bytesOf(type, padded);
  if (!values)
    return values.status();
  // Beside the rows of each matrix.
  std::vector<int64_t> beside;
  if (shape.size() > 2) {
    beside.assign(shape.begin(), shape.end() - 2);
    beside.push_back(placement.outerPad);
  }
  auto outer = bytesOf(type, beside);
  if (!outer)
    return outer.status();
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] =
        strides[i] * padded[i] + (i + 2 == shape.size() ? placement.outerPad : 0);
  return *values + (beside.empty() ? 0 : *outer);
}

/// All rows' first elements, then all rows' second ones.
Expected<size_t> Image::layOutByColumn(Placement placement) {
  if (auto values = bytesOf(type, shape); !values)
    return values.status();
  int64_t rows = 1;
  for (size_t i = shape.size() - 1; i-- > 0; rows *= shape[i])
    strides[i] = rows;
  strides.back() = rows + placement.pad;
  return bytesOf(type, {shape.back(), strides.back()});
}

/// Calls visit(first byte in the image, first byte in a dense tensor, bytes) for elements
/// that are neighbours in both, by ascending addresses.
template <typename Visit> void Image::forEachRun(Visit visit) const {
  size_t bytesEach = elementTypeBytes(type), rows = 1;
  size_t width = shape.empty() ? 1 : shape.back();
  size_t columns = columnMajor ? width : 1, length = columnMajor ? 1 : width;
  for (size_t i = 0; i + 1 < shape.size(); ++i)
    rows *= shape[i];
  if (width == 0)
    return;
  for (size_t column = 0; column < columns; ++column)
    for (size_t row = 0; row < rows; ++row) {
      size_t place = columnMajor ? column * strides.back() : 0, rest = row;
      for (size_t i = shape.size() - std::min<size_t>(1, shape.size()); i-- > 0;) {
        place += rest % shape[i] * strides[i];
        rest /= shape[i];
      }
      visit(first + place * bytesEach, (row * width + column) * bytesEach,
            length * bytesEach);
    }
}

void Image::put(const Tensor &tensor) {
  forEachRun([&](size_t to, size_t from, size_t bytes) {
    std::memcpy(data() + to, tensor.bytes.data() + from, bytes);
  });
}

void Image::fill(unsigned char byte) {
  forEachRun(
      [&](size_t to, size_t, size_t bytes) { std::memset(data() + to, byte, bytes); });
}

Tensor Image::get() const {
  size_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  Tensor tensor{type, shape, std::string(count * elementTypeBytes(type), 0)};
  forEachRun([&](size_t from, size_t to, size_t bytes) {
    std::memcpy(tensor.bytes.data() + to, storage.data() + lead + from, bytes);
  });
  return tensor;
}

Status Image::checkGuards() const {
  const char *image = storage.data() + lead;
  size_t end = 0; // of the values before
  Status problem;
  auto check = [&](size_t from, size_t to) {
    for (size_t i = from; i < to && problem.ok(); ++i)
      if (image[i] != char(0xff))
        problem = Status::error("written outside its rows, ", int64_t(i - first),
                                " bytes from its first element");
  };
  forEachRun([&](size_t begin, size_t, size_t bytes) {
    check(end, begin);
    end = begin + bytes;
  });
  check(end, size());
  return problem;
}

mortar::runtime::TensorArg Image::at(void *base) const {
  runtime::TensorArg arg;
  arg.data = static_cast<char *>(base) + first;
  arg.shape = shape.data();
  arg.strides = strides.data();
  arg.rank = shape.size();
  arg.type = type;
  return arg;
}
