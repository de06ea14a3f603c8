//===- CacheTest.cpp - The artifact cache, also when things go wrong ------===//

#include "mortar-c/Compiler.h"
#include "mortar/Pipelines/ArtifactCache.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using mortar::ArtifactCache;

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

/// Its places differ with what stands before it.
constexpr const char *layer = R"mlir(
func.func @layer(%x: tensor<?x8xf32>, %r: tensor<?x8xbf16>, %w: tensor<8xf32>)
    -> tensor<?x8xf32> {
  %s = mortar.residual_add %x, %r
    : (tensor<?x8xf32>, tensor<?x8xbf16>) -> tensor<?x8xf32>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %n : tensor<?x8xf32>
}
)mlir";

class Cache : public ::testing::Test {
protected:
  Cache() {
    llvm::SmallString<128> made;
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("mortar-cache-test", made));
    scratch = made.str().str();
    folder = scratch + "/mortar";
  }
  ~Cache() override {
    chmod(folder.c_str(), 0700);
    llvm::sys::fs::remove_directories(scratch);
  }

  struct Made {
    int status;
    uint32_t cached;
    std::string artifact, remarks, said;
  };
  /// Compiles through the C API. `said`: warnings and errors.
  Made compile(const std::string &text = layer, uint32_t mode = MORTAR_CACHE_ON,
               const char *target = "sm_90", uint32_t lineTables = 0) {
    Made made = {1, 9, "", "", ""};
    MortarCompileOptions options = {};
    options.size = sizeof(options);
    options.target = target;
    options.noCubin = 1;
    options.lineTables = lineTables;
    options.cache = mode;
    options.cacheFolder = folder.c_str();
    options.user = &made.said;
    options.onDiagnostic = [](const MortarDiagnostic *diagnostic, void *user) {
      *static_cast<std::string *>(user) += diagnostic->message;
    };
    MortarProgram program = 0;
    made.status = mortarCompile(text.data(), text.size(), &options, &program);
    if (made.status != 0)
      return made;
    const void *bytes = nullptr;
    size_t size = 0;
    const char *json = nullptr;
    EXPECT_EQ(mortarProgramArtifact(program, &bytes, &size), 0);
    EXPECT_EQ(mortarProgramRemarks(program, &json), 0);
    EXPECT_EQ(mortarProgramWasCached(program, &made.cached), 0);
    made.artifact.assign(static_cast<const char *>(bytes), size);
    made.remarks = json;
    EXPECT_EQ(mortarProgramDestroy(program), 0);
    return made;
  }

  /// The files in the folder.
  std::vector<std::string> entries() {
    std::vector<std::string> names;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error))
      names.push_back(at->path());
    return names;
  }
  static std::string read(const std::string &path) {
    auto file = llvm::MemoryBuffer::getFile(path, false, false);
    return file ? (*file)->getBuffer().str() : "";
  }
  static void write(const std::string &path, llvm::StringRef bytes) {
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << bytes;
    EXPECT_FALSE(error);
  }

  std::string scratch, folder;
};

//===----------------------------------------------------------------------===//
// What is found, and what isn't
//===----------------------------------------------------------------------===//

TEST_F(Cache, FindsWhatItStored) {
  for (const char *target : {"sm_90", "host"}) {
    Made cold = compile(layer, MORTAR_CACHE_ON, target),
         warm = compile(layer, MORTAR_CACHE_ON, target);
    EXPECT_EQ(cold.cached, 0u);
    EXPECT_EQ(warm.cached, 1u);
    EXPECT_EQ(warm.artifact, cold.artifact);
    EXPECT_EQ(warm.remarks, cold.remarks);
    EXPECT_EQ(cold.said + warm.said, "");
  }
  struct stat status;
  ASSERT_EQ(stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  for (const std::string &path : entries()) {
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
  }
  EXPECT_EQ(entries().size(), 2u);
}

TEST_F(Cache, OtherProgramsAndOptionsAreOtherEntries) {
  compile();
  std::string other = layer;
  other.replace(other.find("1.0e-6"), 6, "1.0e-5");
  EXPECT_EQ(compile(other).cached, 0u);
  EXPECT_EQ(compile(layer, MORTAR_CACHE_ON, "sm_80").cached, 0u);
  EXPECT_EQ(compile(layer, MORTAR_CACHE_ON, "sm_90", 1).cached, 0u);
  EXPECT_EQ(entries().size(), 4u);
  EXPECT_EQ(compile().cached, 1u);
}

/// The residual stream and the norm's operand differ in type, so a remark says where.
TEST_F(Cache, RemarksOfAHitStandWhereTheOpsDo) {
  Made cold = compile();
  ASSERT_NE(cold.remarks.find("\"line\": 6,"), std::string::npos) << cold.remarks;
  Made warm = compile(std::string("\n\n\n") + layer);
  EXPECT_EQ(warm.cached, 1u);
  EXPECT_EQ(warm.remarks.find("\"line\": 6,"), std::string::npos) << warm.remarks;
  EXPECT_NE(warm.remarks.find("\"line\": 9,"), std::string::npos) << warm.remarks;
  // They are what compiling it would have said.
  EXPECT_EQ(compile(std::string("\n\n\n") + layer, MORTAR_CACHE_OFF).artifact,
            warm.artifact);
}

/// Two ops in one place have one remark's place; moved apart they have two.
TEST_F(Cache, OpsThatStandApartAreAnotherEntry) {
  std::string text = layer, together = text;
  together.replace(together.find("tensor<?x8xf32>\n  %n"), 16,
                   "tensor<?x8xf32> loc(\"a\":1:1)\n");
  compile(text);
  EXPECT_EQ(compile(together).cached, 1u);
  std::string same = together;
  same.replace(same.rfind("tensor<?x8xf32>\n  return"), 16,
               "tensor<?x8xf32> loc(\"a\":1:1)\n");
  EXPECT_EQ(compile(same).cached, 0u);
}

TEST_F(Cache, LineTablesAreCode) {
  compile(layer, MORTAR_CACHE_ON, "sm_90", 1);
  EXPECT_EQ(compile(layer, MORTAR_CACHE_ON, "sm_90", 1).cached, 1u);
  EXPECT_EQ(compile(std::string("\n") + layer, MORTAR_CACHE_ON, "sm_90", 1).cached, 0u);
}

TEST_F(Cache, ModesOfTheEnvironment) {
  setenv("MORTAR_CACHE", "0", 1);
  EXPECT_EQ(compile(layer, MORTAR_CACHE_BY_ENVIRONMENT).cached, 0u);
  EXPECT_TRUE(entries().empty());
  setenv("MORTAR_CACHE", "require", 1);
  Made made = compile(layer, MORTAR_CACHE_BY_ENVIRONMENT);
  EXPECT_EQ(made.status, 1);
  EXPECT_NE(made.said.find("expected a compiled program in the cache, as "
                           "MORTAR_CACHE=require has it, but found none: no entry "),
            std::string::npos)
      << made.said;
  setenv("MORTAR_CACHE", "1", 1);
  EXPECT_EQ(compile(layer, MORTAR_CACHE_BY_ENVIRONMENT).cached, 0u);
  setenv("MORTAR_CACHE", "require", 1);
  EXPECT_EQ(compile(layer, MORTAR_CACHE_BY_ENVIRONMENT).cached, 1u);
  setenv("MORTAR_CACHE", "maybe", 1);
  EXPECT_EQ(compile(layer, MORTAR_CACHE_BY_ENVIRONMENT).status, 1);
  EXPECT_STREQ(mortarRuntimeLastError(),
               "expected MORTAR_CACHE to be 0, 1 or require, found 'maybe'");
  unsetenv("MORTAR_CACHE");
}

TEST_F(Cache, DefaultFolder) {
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(ArtifactCache::defaultFolder(), "/somewhere/mortar");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(ArtifactCache::defaultFolder(), "/home/somebody/.cache/mortar");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(ArtifactCache::defaultFolder(), "");
  folder = "";
  Made made = compile(layer, MORTAR_CACHE_REQUIRE);
  EXPECT_NE(made.said.find("expected $XDG_CACHE_HOME or $HOME to say where the cache is"),
            std::string::npos)
      << made.said;
  EXPECT_EQ(compile().said, ""); // nothing to warn of
}

//===----------------------------------------------------------------------===//
// Damage
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Runs the body in a child and returns how it ended.
template <typename Body> int inChild(Body body) {
  pid_t child = fork();
  if (child == 0)
    _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(Cache, NoRoomIsNoFailure) {
  compile(); // so that the folder is there
  unlink(entries().front().c_str());
  // What a full disk does to a write, a limit on files' sizes does too.
  int status = inChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    rlimit none = {100, 100};
    setrlimit(RLIMIT_FSIZE, &none);
    Made made = compile();
    return made.status != 0 ||
           made.said.find("expected to write an entry, but: File too large") ==
               std::string::npos;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(entries().empty());
}

TEST_F(Cache, ReadOnlyFolderIsNoFailure) {
  compile();
  unlink(entries().front().c_str());
  chmod(folder.c_str(), 0500);
  int status = inChild([&] {
    // A capability lets root write all the same.
    if (geteuid() == 0 && (chown(folder.c_str(), 12345, 12345) ||
                           chmod(scratch.c_str(), 0755) || setuid(12345)))
      return 1;
    Made made = compile();
    return int(made.status != 0 ||
               made.said.find("but: Permission denied") == std::string::npos);
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(chown(folder.c_str(), geteuid(), getegid()), 0);
}

/// Writers that die at any moment leave a whole entry or none.
TEST_F(Cache, KilledWriters) {
  auto cache = ArtifactCache::open(folder);
  ASSERT_TRUE(cache.ok());
  std::string content(4 << 20, 'x');
  int found = 0;
  for (int trial = 0; trial < 60; ++trial) {
    pid_t child = fork();
    if (child == 0) {
      for (;;)
        (void)cache->store("key", content);
    }
    usleep(1000 + 617 * trial);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    auto got = cache->find("key");
    ASSERT_TRUE(got.ok()) << got.message();
    if (*got) {
      EXPECT_EQ(**got, content);
      ++found;
    }
  }
  EXPECT_GT(found, 0);
  // What they left is removed when it is old.
  size_t left = entries().size();
  EXPECT_GT(left, 1u);
  timespec old[2] = {{1000, 0}, {1000, 0}};
  for (const std::string &path : entries())
    if (llvm::sys::path::filename(path).starts_with("."))
      utimensat(AT_FDCWD, path.c_str(), old, 0);
  cache->prune();
  EXPECT_EQ(entries().size(), 1u);
}

TEST_F(Cache, ManyProcessesAtOnce) {
  std::string expected = compile(layer, MORTAR_CACHE_OFF).artifact;
  std::vector<pid_t> children;
  for (int i = 0; i < 12; ++i) {
    pid_t child = fork();
    if (child == 0) {
      bool sound = true;
      for (int round = 0; round < 6; ++round) {
        if (i % 4 == 0) // and one in four throws every entry away
          for (const std::string &path : entries())
            if (!llvm::sys::path::filename(path).starts_with("."))
              unlink(path.c_str());
        Made made = compile();
        sound &= made.status == 0 && made.artifact == expected && made.said.empty();
      }
      _exit(!sound);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_LE(entries().size(), 1u);
}

/// Makes what `path` names look `seconds` after 1970 old.
void setAge(const std::string &path, time_t seconds) {
  timespec then[2] = {{seconds, 0}, {seconds, 0}};
  EXPECT_EQ(utimensat(AT_FDCWD, path.c_str(), then, 0), 0);
}

TEST_F(Cache, PrunesTheLeastRecentlyUsed) {
  auto cache = ArtifactCache::open(folder);
  ASSERT_TRUE(cache.ok());
  const std::string a(64, 'a'), b(64, 'b'), c(64, 'c');
  for (const std::string &key : {a, b, c}) {
    ASSERT_TRUE(cache->store(key, std::string(1000, 'x')).ok());
    setAge(folder + "/" + key, key.front());
  }
  ASSERT_TRUE(*cache->find(a)); // which makes it the youngest
  cache->prune(2500);
  EXPECT_TRUE(*cache->find(a));
  EXPECT_FALSE(*cache->find(b));
  EXPECT_TRUE(*cache->find(c));
}

/// Somebody may say --cache=DIR where there is more than a cache.
TEST_F(Cache, PrunesNoFileOfOthers) {
  auto cache = ArtifactCache::open(folder);
  ASSERT_TRUE(cache.ok());
  const std::string ours(64, 'a');
  ASSERT_TRUE(cache->store(ours, "content").ok());
  setAge(folder + "/" + ours, 2000);
  // None is ours: by its name, or by how it begins.
  const std::string others[] = {"thesis.tex", std::string(63, 'b'), std::string(65, 'b'),
                                std::string(64, 'B'), std::string(64, 'g'),
                                std::string(64, 'c'), std::string(64, 'd')};
  for (const std::string &name : others) {
    std::string magic = name.front() < 'c' || name.front() > 'd' ? "mortar-cache 1 " : "";
    write(folder + "/" + name, name == std::string(64, 'd') ? "" : magic + "mine");
    setAge(folder + "/" + name, 1000);
  }
  cache->prune(1000); // nor do they count
  EXPECT_TRUE(*cache->find(ours));
  cache->prune(0);
  EXPECT_FALSE(*cache->find(ours));
  for (const std::string &name : others)
    EXPECT_TRUE(llvm::sys::fs::exists(folder + "/" + name)) << name;
}

} // namespace
