//===- Image.cpp - Which device code, and is it sound ---------------------===//

#include "mortar/Runtime/Executable.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace mortar::runtime {

namespace {

std::string describe(const CodeImage &image) {
  // A CPU's features are for its loader.
  return image.chip.substr(0, image.chip.find('+')) + " " +
         imageKindName(image.kind);
}

/// How well an image suits a device; false first is "not at all". Ordered:
/// cubin before PTX; then the newest chip, which is the exact one where there
/// is one; then the suffix, since who writes "sm_90a" wants what only that
/// chip has.
using Rank = std::tuple<bool, int, int, bool>;

Rank rankImage(const CodeImage &image, int major, int minor) {
  constexpr Rank unfit{false, 0, 0, false};
  Expected<Chip> chip = parseChip(image.chip);
  if (!chip || image.kind == CodeImage::Object)
    return unfit;
  int number = chip->major * 10 + chip->minor;
  int device = major * 10 + minor;
  bool exact = number == device;
  if (number > device || (chip->suffix && !exact))
    return unfit;
  if (image.kind == CodeImage::PTX)
    return {true, 0, number, chip->suffix != 0};
  if (chip->major != major)
    return unfit;
  return {true, 1, number, chip->suffix != 0};
}

template <typename T> T load(const std::string &bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// Whether `count` records of `bytesEach` at `offset` lie within `size`.
bool fits(uint64_t offset, uint64_t count, uint64_t bytesEach, uint64_t size) {
  return offset <= size &&
         (bytesEach == 0 || count <= (size - offset) / bytesEach);
}

/// ELF64, little endian: the header's two tables and what they point to.
Status checkElf(const std::string &bytes) {
  constexpr size_t elfHeader = 64, programHeader = 56, sectionHeader = 64;
  constexpr uint32_t noBits = 8;
  const uint64_t size = bytes.size();
  if (size < elfHeader || bytes.compare(0, 6,
                                        "\x7f"
                                        "ELF\x02\x01") != 0)
    return Status::error("expected a 64-bit ELF file, found other bytes");

  auto programs = load<uint64_t>(bytes, 32),
       sections = load<uint64_t>(bytes, 40);
  auto programBytes = load<uint16_t>(bytes, 54);
  auto numPrograms = load<uint16_t>(bytes, 56);
  auto sectionBytes = load<uint16_t>(bytes, 58);
  auto numSections = load<uint16_t>(bytes, 60);
  if ((numPrograms && programBytes != programHeader) ||
      (numSections && sectionBytes != sectionHeader) ||
      !fits(programs, numPrograms, programHeader, size) ||
      !fits(sections, numSections, sectionHeader, size))
    return Status::error("expected ELF tables within ", size,
                         " bytes, found them outside");
  for (uint64_t index = 0; index < numPrograms; ++index) {
    size_t at = programs + index * programHeader;
    if (!fits(load<uint64_t>(bytes, at + 8), load<uint64_t>(bytes, at + 32), 1,
              size))
      return Status::error("expected ELF segment ", index, " within ", size,
                           " bytes, found it outside");
  }
  for (uint64_t index = 0; index < numSections; ++index) {
    size_t at = sections + index * sectionHeader;
    if (load<uint32_t>(bytes, at + 4) != noBits &&
        !fits(load<uint64_t>(bytes, at + 24), load<uint64_t>(bytes, at + 32), 1,
              size))
      return Status::error("expected ELF section ", index, " within ", size,
                           " bytes, found it outside");
  }
  return Status();
}

} // namespace

const char *imageKindName(CodeImage::Kind kind) {
  switch (kind) {
  case CodeImage::PTX:
    return "PTX";
  case CodeImage::Cubin:
    return "cubin";
  case CodeImage::Object:
    return "object";
  }
  return "?";
}

bool CodeImage::contains(uint32_t kernel) const {
  return kernels.empty() || std::binary_search(kernels.begin(), kernels.end(), kernel);
}

Expected<size_t> chooseImage(ArrayView<CodeImage> images, uint32_t kernel, int major,
                             int minor) {
  Rank best{};
  size_t chosen = 0;
  std::string found;
  for (size_t index = 0; index < images.size(); ++index) {
    if (!images[index].contains(kernel))
      continue;
    found += (found.empty() ? "" : ", ") + describe(images[index]);
    Rank rank = rankImage(images[index], major, minor);
    if (rank > best) {
      best = rank;
      chosen = index;
    }
  }
  if (std::get<0>(best))
    return chosen;
  return Status::error("expected device code for sm_", major * 10 + minor,
                       ", found ", found.empty() ? "none at all" : found);
}

Status checkImage(const CodeImage &image) {
  std::string place = "image " + describe(image);
  if (image.kind != CodeImage::PTX)
    return checkElf(image.bytes).in(place);
  if (image.bytes.empty() || image.bytes.find('\0') != std::string::npos)
    return Status::error(place, ": expected PTX text, found ",
                         image.bytes.empty() ? "nothing" : "a NUL byte");
  return Status();
}

} // namespace mortar::runtime
