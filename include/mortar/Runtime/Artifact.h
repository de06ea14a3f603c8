//===- Artifact.h - Device code and plans in one file -----------*- C++ -*-===//
//
// Written by the compiler, read by the runtime, from the same struct.
//
// Layout, little endian: 8 bytes magic "MORTAR\0\1", u32 format version, u32
// numerics version, u64 payload bytes, u64 FNV-1a of what comes before it
// (but the magic) and of the payload; then the payload: sections of a four
// letter tag, a u64 length and that many bytes, each exactly once, in order:
// PROD (producer), RMRK (remarks), IMGS, KRNL, ENTR. The checksum finds
// accidents, not attacks; every count and index is checked all the same.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_RUNTIME_ARTIFACT_H
#define MORTAR_RUNTIME_ARTIFACT_H

#include "mortar/Runtime/Plan.h"

namespace mortar::runtime {

constexpr uint32_t artifactFormatVersion = 3;

/// Device code for one chip, or a CPU's.
struct CodeImage {
  enum Kind : uint8_t { PTX, Cubin, Object };

  std::string chip; // "sm_90", "sm_90a", "sm_100f"; "x86-64-v3", "znver3+avx2+…"
  Kind kind = PTX;
  std::string bytes; // PTX text, or an ELF file
  /// The numbers of the kernels in it, ascending; empty: every kernel.
  std::vector<uint32_t> kernels = {};

  bool contains(uint32_t kernel) const;
};

/// "PTX", "cubin", "object"
const char *imageKindName(CodeImage::Kind kind);

struct Artifact {
  /// Changes whenever the same program may give other bits.
  uint32_t numericsVersion = 0;
  std::vector<CodeImage> images;
  std::vector<Kernel> kernels;
  std::vector<Entry> entries;
  std::string remarksJson; // opaque here; README.md says what is in it
  std::string producer;    // "mortar-compile 0.1", for people
};

/// A chip's name in parts: "sm_90a" is {9, 0, 'a'}.
struct Chip {
  int major = 0;
  int minor = 0;
  char suffix = 0; // 'a', 'f' or 0
};
Expected<Chip> parseChip(std::string_view name);

/// Everything that loading demands of an artifact, the device aside. A writer
/// calls it before serialize, which itself checks nothing.
Status validateArtifact(const Artifact &artifact);

/// The file's bytes. The same artifact gives the same bytes.
std::string serialize(const Artifact &artifact);

/// Reads and validates. Any bytes are safe to pass; bytes after the end of the
/// artifact are an error.
Expected<Artifact> parseArtifact(const void *data, size_t size);

/// The same from a file; the message begins with the path.
Expected<Artifact> readArtifactFile(const std::string &path);

} // namespace mortar::runtime

#endif // MORTAR_RUNTIME_ARTIFACT_H
