//===- CacheDamageTest.cpp - The artifact cache when things go wrong ------===//

#include "CacheTest.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// What the next read of a file gives instead: 0 at its end, or an errno, negative.
static thread_local std::optional<int> nextRead;

/// In the place of the C library's.
extern "C" ssize_t read(int file, void *bytes, size_t count) {
  if (!nextRead)
    return syscall(SYS_read, file, bytes, count);
  int answer = *nextRead;
  nextRead.reset();
  if (answer < 0)
    errno = -answer;
  return answer < 0 ? -1 : answer;
}

namespace {

TEST_F(Cache, TruncatedAndFlippedEntriesAreCompiledAgain) {
  Made cold = compile();
  ASSERT_EQ(entries().size(), 1u);
  std::string path = entries().front(), sound = read(path);
  std::vector<std::string> damaged;
  for (size_t size : {size_t(0), size_t(1), size_t(60), size_t(80), sound.size() / 2,
                      sound.size() - 1})
    damaged.push_back(sound.substr(0, size));
  for (size_t at = 0; at < sound.size(); at += 1 + sound.size() / 40) {
    damaged.push_back(sound);
    damaged.back()[at] ^= 1 << at % 8;
  }
  damaged.push_back(sound + "more");
  for (const std::string &bytes : damaged) {
    write(path, bytes);
    Made again = compile();
    EXPECT_EQ(again.cached, 0u);
    EXPECT_EQ(again.artifact, cold.artifact);
    EXPECT_EQ(again.said.substr(0, 24), "compiling again: cache '") << again.said;
    EXPECT_EQ(read(path), sound); // mended
  }
  write(path, "no");
  EXPECT_NE(compile().said.find("expected an entry of the cache, found other bytes"),
            std::string::npos);
  std::string flipped = sound;
  flipped.back() ^= 1;
  write(path, flipped);
  EXPECT_NE(compile().said.find("expected content of SHA-256 "), std::string::npos);
}

TEST_F(Cache, SoundEntriesOfWrongContentAreCompiledAgain) {
  Made cold = compile();
  std::string name = llvm::sys::path::filename(entries().front()).str();
  auto cache = ArtifactCache::open(folder);
  ASSERT_TRUE(cache.ok());
  ASSERT_TRUE(cache->store(name, "no JSON\nnor artifact").ok());
  Made again = compile();
  EXPECT_EQ(again.artifact, cold.artifact);
  EXPECT_EQ(again.said,
            "compiling again: expected an entry of this version, found another");
  ASSERT_TRUE(cache->store(name, "{\"places\":\"\",\"remarks\":[]}\nno artifact").ok());
  EXPECT_NE(compile().said.find("expected at least 32 bytes"), std::string::npos);
  std::string other = "{\"places\":\"elsewhere\",\"remarks\":[0,1,2,3]}\n";
  ASSERT_TRUE(cache->store(name, other + cold.artifact).ok());
  EXPECT_NE(compile().said.find(" places, found 4"), std::string::npos);
}

TEST_F(Cache, ForeignEntriesAreNotRead) {
  Made cold = compile();
  std::string path = entries().front(), sound = read(path);
  chmod(path.c_str(), 0666);
  EXPECT_NE(compile().said.find(
                "expected an entry that only its owner can write to, found mode 666"),
            std::string::npos);
  ASSERT_EQ(unlink(path.c_str()), 0);
  write(scratch + "/elsewhere", sound);
  ASSERT_EQ(symlink((scratch + "/elsewhere").c_str(), path.c_str()), 0);
  EXPECT_NE(
      compile().said.find("expected an entry that is a file, found another thing"),
      std::string::npos);
  EXPECT_EQ(compile().cached, 1u); // the link made place
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0); // would wait for ever
  EXPECT_EQ(compile().artifact, cold.artifact);
}

/// What passes says nothing about the entry, which stays.
TEST_F(Cache, PassingTroubleLeavesTheEntry) {
  compile();
  std::string key = llvm::sys::path::filename(entries().front()).str();
  auto cache = ArtifactCache::open(folder);
  ASSERT_TRUE(cache.ok());
  rlimit files;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  rlimit none = {3, files.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  auto found = cache->find(key);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  std::string where = "cache '" + folder + "': entry " + key + ": ";
  EXPECT_EQ(found.message(),
            where + "expected to open the entry, but: Too many open files");
  nextRead = -EIO;
  EXPECT_EQ(cache->find(key).message(),
            where + "expected to read the entry, but: Input/output error");
  nextRead = 0;
  found = cache->find(key);
  EXPECT_EQ(found.message().substr(0, where.size() + 17), where + "expected to read ");
  EXPECT_NE(found.message().find(" bytes, found fewer"), std::string::npos);
  found = cache->find(key);
  ASSERT_TRUE(found.ok()) << found.message();
  EXPECT_TRUE(*found);
}

TEST_F(Cache, ForeignFoldersAreNotUsed) {
  auto warning = [&] {
    Made made = compile();
    EXPECT_EQ(made.status, 0);
    return made.said;
  };
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  chmod(folder.c_str(), 0770);
  EXPECT_EQ(warning(), "compiling without a cache: cache '" + folder +
                           "': expected a folder that only its owner can write to, "
                           "found mode 770");
  EXPECT_EQ(compile(layer, MORTAR_CACHE_REQUIRE).status, 1);
  chmod(folder.c_str(), 0700);
  ASSERT_EQ(rename(folder.c_str(), (scratch + "/real").c_str()), 0);
  ASSERT_EQ(symlink((scratch + "/real").c_str(), folder.c_str()), 0);
  EXPECT_NE(warning().find("expected to open a folder that is no symbolic link, but: "),
            std::string::npos);
  ASSERT_EQ(unlink(folder.c_str()), 0);
  write(folder, "a file");
  EXPECT_NE(warning().find("expected to open a folder"), std::string::npos);
  ASSERT_EQ(unlink(folder.c_str()), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
    ASSERT_EQ(chown(folder.c_str(), 12345, 12345), 0);
    EXPECT_NE(warning().find("expected a folder of user 0, found one of user 12345"),
              std::string::npos);
  }
  folder = "/proc/none/mortar";
  EXPECT_NE(warning().find("expected to make the folder, but: "), std::string::npos);
}

/// A link's slash would follow it, and a folder's would be made with its parents.
TEST_F(Cache, SlashesAtTheEndChangeNothing) {
  const std::string plain = folder;
  for (const char *end : {"/", "///", "/.", "/./", "/././/"}) {
    ASSERT_TRUE(ArtifactCache::open(plain + end).ok()) << end;
    struct stat status;
    ASSERT_EQ(stat(plain.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u) << end;
    ASSERT_EQ(rename(plain.c_str(), (scratch + "/real").c_str()), 0);
    ASSERT_EQ(symlink((scratch + "/real").c_str(), plain.c_str()), 0);
    auto linked = ArtifactCache::open(plain + end);
    EXPECT_NE(linked.message().find("expected to open a folder that is no symbolic link"),
              std::string::npos)
        << end << linked.message();
    ASSERT_EQ(unlink(plain.c_str()), 0);
    ASSERT_EQ(rmdir((scratch + "/real").c_str()), 0);
  }
  (void)ArtifactCache::open("/"); // has nothing before its slash
}

} // namespace
