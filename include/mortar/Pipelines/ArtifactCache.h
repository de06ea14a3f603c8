//===- ArtifactCache.h - A folder of compiled programs ----------*- C++ -*-===//
//
// One file an entry. Written beside its place and published by one rename, so
// that whoever reads, at whatever time a writer is killed, finds the whole entry
// or none; its first line holds the SHA-256 of the rest, so that what was damaged
// is compiled again. A folder or a file that others can write to is not read.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_PIPELINES_ARTIFACTCACHE_H
#define MORTAR_PIPELINES_ARTIFACTCACHE_H

#include "mortar/Runtime/Status.h"

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace mortar {

class ArtifactCache {
public:
  /// More than this is pruned, least recently used first, now and then when writing.
  static constexpr uint64_t maxBytes = uint64_t(1) << 30;

  /// $XDG_CACHE_HOME/mortar or $HOME/.cache/mortar; empty where there is neither.
  static std::string defaultFolder();

  /// Opens the folder, and makes it (0700) if need be. The error says why it isn't safe
  /// to use.
  static runtime::Expected<ArtifactCache> open(const std::string &folder);

  ArtifactCache(ArtifactCache &&other);
  ~ArtifactCache();

  /// The content stored under `key`, a file's name; nothing if there is none. The error
  /// says what is wrong with an entry, which is then removed, or why it can't be read
  /// now, and then it stays.
  runtime::Expected<std::optional<std::string>> find(const std::string &key) const;

  /// Stores `content`; what was there before is replaced. Only what is stored under 64
  /// lowercase hexadecimal digits is ever pruned.
  runtime::Status store(const std::string &key, llvm::StringRef content) const;

  /// Removes entries until they take `bytes` at most, and what killed writers have left.
  /// Files of others, by their names or how they begin, neither count nor go.
  void prune(uint64_t bytes = maxBytes) const;

private:
  ArtifactCache(std::string folder, int descriptor)
      : folder(std::move(folder)), descriptor(descriptor) {}

  std::string folder;  // for messages; everything goes by the descriptor
  int descriptor = -1; // of the folder that was checked
};

} // namespace mortar

#endif // MORTAR_PIPELINES_ARTIFACTCACHE_H
