//===- Tensors.cpp - values on the host, as bits --------------------------===//

#include "mortar/Execution/Tensors.h"

#include "mortar/Execution/Random.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>
#include <unistd.h>

using namespace mortar::execution;
using mortar::runtime::elementTypeBytes;

uint64_t Tensor::bits(size_t index) const {
  size_t bytesEach = elementTypeBytes(type);
  uint64_t bits = 0; // little endian, as every machine that Mortar compiles for
  std::memcpy(&bits, bytes.data() + index * bytesEach, bytesEach);
  return bits;
}

std::string mortar::execution::describe(ElementType type, const std::vector<int64_t> &shape) {
  std::string text = std::string(runtime::elementTypeName(type)) + " [";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + (shape[i] < 0 ? "?" : std::to_string(shape[i]));
  return text + "]";
}

std::string mortar::execution::place(const std::vector<int64_t> &shape, size_t index) {
  std::string text;
  for (size_t i = shape.size(); i-- > 0; index /= shape[i])
    text = std::to_string(index % shape[i]) + (text.empty() ? "" : ", ") + text;
  return "[" + text + "]";
}

uint64_t mortar::execution::memoryBytes() {
  return uint64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

Expected<size_t> mortar::execution::bytesOf(ElementType type,
                                      const std::vector<int64_t> &shape) {
  // Values, their image and a result to compare with exist at the same time.
  uint64_t most = memoryBytes() / 4;
  uint64_t bytes = elementTypeBytes(type);
  for (int64_t extent : shape) {
    if (extent != 0 && bytes > most / extent)
      return Status::error("expected tensors of at most ", most >> 20,
                           " MiB on this machine, but found ", describe(type, shape));
    bytes *= extent;
  }
  return size_t(bytes);
}

namespace {

/// A sum of twelve uniform numbers, less its mean: close to normal, exact in double, and the
/// same on every machine, as no libm is asked.
double pickNormal(Random &random) {
  uint64_t sum = 0;
  for (int i = 0; i < 6; ++i) {
    uint64_t two = random.bits();
    sum += (two >> 32) + (two & 0xffffffff);
  }
  return double(int64_t(sum) - (int64_t(6) << 32)) * 0x1p-32;
}

struct Format {
  unsigned bits, mantissa;
  uint64_t infinity; // f8E4M3FN has none: its largest number
  uint64_t largest, nan;
};

Format formatOf(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return {32, 23, 0x7f800000, 0x7f7fffff, 0x7fc00000};
  case ElementType::F16:
    return {16, 10, 0x7c00, 0x7bff, 0x7e00};
  case ElementType::BF16:
    return {16, 7, 0x7f80, 0x7f7f, 0x7fc0};
  case ElementType::F8E4M3:
    return {8, 3, 0x7e, 0x7e, 0x7f};
  default:
    return {elementTypeBytes(type) * 8, 0, 0, 0, 0};
  }
}

bool isNaN(ElementType type, uint64_t bits) {
  if (type == ElementType::F8E8M0)
    return bits == 0xff;
  Format format = formatOf(type);
  if (!format.mantissa)
    return false;
  uint64_t magnitude = bits & ((uint64_t(1) << (format.bits - 1)) - 1);
  return magnitude > format.infinity;
}

uint64_t encode(ElementType type, double value) {
  switch (type) {
  case ElementType::F32:
    return llvm::bit_cast<uint32_t>(float(value));
  case ElementType::F16:
    return llvm::bit_cast<uint16_t>(_Float16(value));
  case ElementType::BF16: {
    uint32_t bits = llvm::bit_cast<uint32_t>(float(value));
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16; // never given a NaN
  }
  case ElementType::F8E4M3: {
    llvm::APFloat number(value);
    bool lossy;
    number.convert(llvm::APFloat::Float8E4M3FN(), llvm::APFloat::rmNearestTiesToEven,
                   &lossy);
    return number.bitcastToAPInt().getZExtValue();
  }
  default:
    return uint64_t(int64_t(value * 40));
  }
}

double decode(ElementType type, uint64_t bits) {
  switch (type) {
  case ElementType::F32:
    return llvm::bit_cast<float>(uint32_t(bits));
  case ElementType::F16:
    return double(llvm::bit_cast<_Float16>(uint16_t(bits)));
  case ElementType::BF16:
    return llvm::bit_cast<float>(uint32_t(bits << 16));
  case ElementType::F8E4M3:
    return llvm::APFloat(llvm::APFloat::Float8E4M3FN(), llvm::APInt(8, bits))
        .convertToDouble();
  case ElementType::I8:
    return int8_t(bits);
  case ElementType::I32:
    return int32_t(bits);
  case ElementType::I64:
    return double(int64_t(bits));
  case ElementType::F8E8M0:
    return bits == 0xff ? std::nan("") : std::ldexp(1.0, int(bits) - 127);
  }
  return 0;
}

/// One element of a row of kind `kind`; `chosen` is true for one element of the row.
uint64_t hardElement(ElementType type, unsigned kind, bool chosen, Random &random) {
  Format format = formatOf(type);
  uint64_t dice = random.bits();
  uint64_t sign = (dice & 1) << (format.bits - 1),
           magnitudes = (1ull << (format.bits - 1)) - 1;
  uint64_t any = dice >> 8 & magnitudes, normal = encode(type, pickNormal(random));
  switch (kind) {
  case 1:
    return sign;
  case 2:
    return chosen ? sign | format.largest : normal;
  case 3:
    return sign | (any & ((1ull << format.mantissa) - 1));
  case 4:
    return sign | format.largest;
  case 5:
    return chosen ? format.nan : normal;
  case 6:
    return chosen ? sign | format.infinity : normal;
  case 7:
    return sign | any % (format.largest + 1);
  case 8:
    return sign | any;
  default:
    return dice % 16 == 2 ? sign : normal;
  }
}

} // namespace

Expected<Tensor> mortar::execution::makeTensor(ElementType type,
                                         const std::vector<int64_t> &shape, Values values,
                                         uint64_t seed) {
  auto bytes = bytesOf(type, shape);
  if (!bytes)
    return bytes.status();
  Tensor tensor{type, shape, std::string(*bytes, 0)};
  size_t bytesEach = elementTypeBytes(type), count = tensor.count();
  size_t width = shape.empty() ? 1 : shape.back();
  bool hard = values == Values::Hard && formatOf(type).mantissa;
  Random random(seed * 0x2545f4914f6cdd1d + 1);
  unsigned kind = 0;
  size_t chosen = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i % width == 0) {
      kind = random.bits() % 9;
      chosen = random.bits() % width;
    }
    uint64_t bits = hard ? hardElement(type, kind, i % width == chosen, random)
                         : encode(type, pickNormal(random));
    std::memcpy(tensor.bytes.data() + i * bytesEach, &bits, bytesEach);
  }
  return tensor;
}

uint64_t mortar::execution::checksum(const Tensor &tensor) {
  uint64_t hash = 0xcbf29ce484222325;
  Format format = formatOf(tensor.type);
  for (size_t i = 0, n = tensor.count(); i < n; ++i) {
    uint64_t bits = tensor.bits(i);
    if (isNaN(tensor.type, bits))
      bits = format.nan;
    for (unsigned shift = 0; shift < format.bits; shift += 8)
      hash = (hash ^ (bits >> shift & 0xff)) * 0x100000001b3;
  }
  return hash;
}

Difference mortar::execution::compare(const Tensor &found, const Tensor &expected) {
  Difference difference;
  for (size_t i = 0, n = found.count(); i < n; ++i) {
    uint64_t a = found.bits(i), b = expected.bits(i);
    if (a == b || (isNaN(found.type, a) && isNaN(found.type, b)))
      continue;
    if (difference.count++ == 0)
      difference.first = i;
  }
  return difference;
}

std::string mortar::execution::describeElement(const Tensor &tensor, size_t index) {
  uint64_t bits = tensor.bits(index);
  unsigned width = 2 + 2 * elementTypeBytes(tensor.type);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format_hex(bits, width)
                                 << llvm::format(" (%g)", decode(tensor.type, bits));
  return text;
}
