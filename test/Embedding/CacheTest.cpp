//===- CacheTest.cpp - The artifact cache: what is found, who writes ------===//

#include "CacheTest.h"

#include "../../lib/Pipelines/BuildId.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

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

/// Both are in the key: libLLVM.so may be replaced by itself.
TEST_F(Cache, BuildsHaveIds) {
  EXPECT_FALSE(mortar::buildId().empty());
  EXPECT_FALSE(mortar::llvmBuildId().empty());
#ifdef MORTAR_DYNAMIC_LLVM
  EXPECT_NE(mortar::llvmBuildId(), mortar::buildId());
#endif
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
  // On a busy machine it takes longer until one has written anything.
  for (int trial = 0; trial < 60 || (!found && trial < 600); ++trial) {
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
