//===- ArtifactCache.cpp - A folder of compiled programs ------------------===//

#include "mortar/Pipelines/ArtifactCache.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SHA256.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mortar;
using llvm::StringRef;
using runtime::Expected;
using runtime::Status;

/// What the first line begins with; then comes the SHA-256 of what follows the line.
static constexpr StringRef magic = "mortar-cache 1 ";
static constexpr size_t headerBytes = magic.size() + 64 + 1;
static constexpr StringRef temporaryPrefix = ".writing-";
static constexpr time_t abandonedSeconds = 3600;

static std::string sha256(StringRef bytes) {
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes)),
                     /*LowerCase=*/true);
}

/// Whether `name` is one that a key gives. Others' files may lie beside ours.
static bool isEntryName(StringRef name) {
  return name.size() == 64 &&
         name.find_first_not_of("0123456789abcdef") == StringRef::npos;
}

/// Whether somebody else could have written what `status` describes.
static Status checkOwn(const struct stat &status, const char *what) {
  if (status.st_uid != geteuid())
    return Status::error("expected ", what, " of user ", geteuid(), ", found one of user ",
                         status.st_uid);
  if (status.st_mode & (S_IWGRP | S_IWOTH))
    return Status::error("expected ", what,
                         " that only its owner can write to, found mode ",
                         llvm::utostr(status.st_mode >> 6 & 7),
                         llvm::utostr(status.st_mode >> 3 & 7),
                         llvm::utostr(status.st_mode & 7));
  return Status();
}

std::string ArtifactCache::defaultFolder() {
  llvm::SmallString<128> path;
  if (auto cache = llvm::sys::Process::GetEnv("XDG_CACHE_HOME");
      cache && llvm::sys::path::is_absolute(*cache))
    path = *cache;
  else if (auto home = llvm::sys::Process::GetEnv("HOME"); home && !home->empty())
    llvm::sys::path::append(path, *home, ".cache");
  if (!path.empty())
    llvm::sys::path::append(path, "mortar");
  return path.str().str();
}

/// Without slashes at its end, alone or before dots: a link with one is followed.
static std::string withoutSlashes(StringRef folder) {
  while (folder.size() > 1 && (folder.ends_with("/") || folder.ends_with("/.")))
    folder = folder.drop_back();
  return folder.str();
}

Expected<ArtifactCache> ArtifactCache::open(const std::string &given) {
  const std::string folder = withoutSlashes(given);
  auto failed = [&](const Status &why) { return why.in("cache '", folder, "'"); };
  auto systemError = [&](const char *what) {
    return failed(Status::error("expected to ", what, ", but: ", std::strerror(errno)));
  };
  if (folder.empty())
    return Status::error("expected $XDG_CACHE_HOME or $HOME to say where the cache is, "
                         "found neither");
  llvm::sys::fs::create_directories(llvm::sys::path::parent_path(folder));
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return systemError("make the folder");
  // Not through a link, whose owner may let it point elsewhere tomorrow.
  int descriptor =
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0)
    return systemError("open a folder that is no symbolic link");
  ArtifactCache cache(folder, descriptor);
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    return systemError("look at the folder");
  if (Status own = checkOwn(status, "a folder"); !own.ok())
    return failed(own);
  return cache;
}

ArtifactCache::ArtifactCache(ArtifactCache &&other)
    : folder(std::move(other.folder)), descriptor(std::exchange(other.descriptor, -1)) {}

ArtifactCache::~ArtifactCache() {
  if (descriptor >= 0)
    close(descriptor);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Opens what may be an entry. A pipe in its place must not make us wait.
static int openToRead(int folder, const std::string &key) {
  return openat(folder, key.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/// Fills `bytes`, or makes it what there was. False if reading failed (errno).
static bool readAll(int file, std::string &bytes) {
  size_t done = 0;
  for (ssize_t count = 1; count != 0 && done < bytes.size();) {
    count = read(file, &bytes[done], bytes.size() - done);
    if (count < 0 && errno != EINTR)
      return false;
    done += std::max<ssize_t>(count, 0);
  }
  bytes.resize(done);
  return true;
}

/// The content of an entry's bytes.
static Expected<std::string> checkEntry(std::string bytes) {
  StringRef text = bytes;
  if (bytes.size() < headerBytes || !text.consume_front(magic) || text[64] != '\n')
    return Status::error("expected an entry of the cache, found other bytes");
  StringRef sum = text.take_front(64), content = text.drop_front(65);
  if (sha256(content) != sum)
    return Status::error("expected content of SHA-256 ", sum.str(), ", found ",
                         sha256(content));
  return bytes.substr(headerBytes);
}

Expected<std::optional<std::string>> ArtifactCache::find(const std::string &key) const {
  auto failed = [&](const Status &why) {
    return why.in("cache '", folder, "': entry ", key);
  };
  auto systemError = [&](const char *what) {
    return failed(Status::error("expected to ", what, " the entry, but: ",
                                std::strerror(errno)));
  };
  // Only what is known to be no entry of ours goes. What fails for another reason, as
  // when there are too many open files, may do tomorrow.
  auto remove = [&](const Status &why) {
    unlinkat(descriptor, key.c_str(), 0);
    return failed(why);
  };
  int file = openToRead(descriptor, key);
  if (file < 0 && errno == ENOENT)
    return std::optional<std::string>();
  // ENXIO: a socket.
  bool isOther = file < 0 && (errno == ELOOP || errno == ENXIO);
  if (file < 0 && !isOther)
    return systemError("open");
  llvm::scope_exit closing([&] {
    if (file >= 0)
      close(file);
  });
  struct stat status;
  if (!isOther && fstat(file, &status) != 0)
    return systemError("look at");
  if (isOther || !S_ISREG(status.st_mode))
    return remove(Status::error("expected an entry that is a file, found another thing"));
  if (Status own = checkOwn(status, "an entry"); !own.ok())
    return remove(own);
  auto size = uint64_t(status.st_size);
  if (size > maxBytes)
    return remove(Status::error("expected at most ", maxBytes, " bytes, found ", size));
  std::string bytes(size, 0);
  if (!readAll(file, bytes))
    return systemError("read");
  if (bytes.size() < size)
    return failed(Status::error("expected to read ", size, " bytes, found fewer"));
  Expected<std::string> content = checkEntry(std::move(bytes));
  if (!content)
    return remove(content.status());
  futimens(file, nullptr); // used now
  return std::optional(*std::move(content));
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static bool writeAll(int file, StringRef bytes) {
  while (!bytes.empty()) {
    ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return false;
    bytes = bytes.drop_front(count);
  }
  return true;
}

Status ArtifactCache::store(const std::string &key, StringRef content) const {
  // No other thread's, process's or machine's, if the folder is shared by several.
  static std::atomic<unsigned> number{0};
  std::string temporary =
      (temporaryPrefix + llvm::utostr(getpid()) + "-" + llvm::utostr(++number) + "-" +
       llvm::utohexstr(llvm::sys::Process::GetRandomNumber()))
          .str();
  int file = openat(descriptor, temporary.c_str(),
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  // No fsync: what a power cut leaves has another SHA-256.
  bool written = file >= 0 && writeAll(file, magic) &&
                 writeAll(file, sha256(content) + "\n") && writeAll(file, content);
  int error = errno;
  if (file >= 0 && close(file) != 0 && written) {
    written = false;
    error = errno;
  }
  if (written &&
      renameat(descriptor, temporary.c_str(), descriptor, key.c_str()) != 0) {
    written = false;
    error = errno;
  }
  if (!written) {
    if (file >= 0)
      unlinkat(descriptor, temporary.c_str(), 0);
    return Status::error("cache '", folder, "': expected to write an entry, but: ",
                         std::strerror(error));
  }
  // Keys are evenly spread: one write in sixteen looks at the whole folder.
  if (key.front() == '0')
    prune();
  return Status();
}

/// Whether the file begins as an entry does.
static bool hasMagic(int folder, const std::string &name) {
  int file = openToRead(folder, name);
  if (file < 0)
    return false;
  llvm::scope_exit closing([&] { close(file); });
  std::string begin(magic.size(), 0);
  return readAll(file, begin) && begin == magic;
}

void ArtifactCache::prune(uint64_t bytes) const {
  int again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = again >= 0 ? fdopendir(again) : nullptr;
  if (!listing) {
    if (again >= 0)
      close(again);
    return;
  }
  struct Entry {
    std::string name;
    timespec used;
    uint64_t bytes;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  while (dirent *found = readdir(listing)) {
    StringRef name = found->d_name;
    struct stat status;
    if (fstatat(descriptor, found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
      continue;
    if (isEntryName(name)) {
      entries.push_back({name.str(), status.st_mtim, uint64_t(status.st_size)});
      total += status.st_size;
    } else if (name.starts_with(temporaryPrefix) &&
               time(nullptr) - status.st_mtim.tv_sec > abandonedSeconds) {
      unlinkat(descriptor, found->d_name, 0);
    }
  }
  closedir(listing);
  if (total <= bytes)
    return;
  // What only has an entry's name is neither counted nor removed. Looked at now, when
  // there is something to remove: it takes opening every file.
  llvm::erase_if(entries, [&](const Entry &entry) {
    bool isForeign = !hasMagic(descriptor, entry.name);
    total -= isForeign ? entry.bytes : 0;
    return isForeign;
  });
  llvm::sort(entries, [](const Entry &a, const Entry &b) {
    return std::tie(a.used.tv_sec, a.used.tv_nsec, a.name) <
           std::tie(b.used.tv_sec, b.used.tv_nsec, b.name);
  });
  for (const Entry &entry : entries) {
    if (total <= bytes)
      return;
    if (unlinkat(descriptor, entry.name.c_str(), 0) == 0)
      total -= entry.bytes;
  }
}
