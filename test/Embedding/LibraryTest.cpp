//===- LibraryTest.cpp - libmortar beside the same compiler on libLLVM.so -===//
//
// This program is linked to libLLVM.so and the archives of MLIR; libmortar brings its own
// of both, and its linker has folded functions that are alike. Both compile the same.
//
//===----------------------------------------------------------------------===//

#include "mortar-c/Compiler.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <gtest/gtest.h>

#include <dlfcn.h>

namespace {

/// The functions that a test calls, ours or libmortar's.
struct Functions {
  decltype(&mortarCompile) compile = mortarCompile;
  decltype(&mortarProgramArtifact) artifact = mortarProgramArtifact;
  decltype(&mortarProgramDestroy) destroy = mortarProgramDestroy;
  decltype(&mortarRuntimeLastError) lastError = mortarRuntimeLastError;

  void load(void *library) {
    auto find = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
      ASSERT_NE(function, nullptr) << name;
    };
    find(compile, "mortarCompile");
    find(artifact, "mortarProgramArtifact");
    find(destroy, "mortarProgramDestroy");
    find(lastError, "mortarRuntimeLastError");
  }

  /// The artifact's bytes, or the error.
  std::string operator()(llvm::StringRef module, const char *target) const {
    MortarCompileOptions options = {};
    options.size = sizeof(options);
    options.target = target;
    options.noCubin = 1;
    options.lineTables = 1;
    options.cache = MORTAR_CACHE_OFF;
    MortarProgram program = 0;
    if (compile(module.data(), module.size(), &options, &program) != 0)
      return lastError();
    const void *bytes = nullptr;
    size_t size = 0;
    EXPECT_EQ(artifact(program, &bytes, &size), 0);
    std::string made(static_cast<const char *>(bytes), size);
    EXPECT_EQ(destroy(program), 0);
    return made;
  }
};

TEST(Library, CompilesAsTheArchivesDo) {
  void *library = dlopen(MORTAR_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  Functions ours, theirs;
  theirs.load(library);
  ASSERT_NE(ours.compile, theirs.compile);
  int layers = 0;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator at(MORTAR_LAYERS, error), end;
       !error && at != end; at.increment(error)) {
    if (llvm::sys::path::extension(at->path()) != ".mlir")
      continue;
    auto file = llvm::MemoryBuffer::getFile(at->path());
    ASSERT_TRUE(bool(file));
    for (const char *target : {"sm_90", "x86-64-v3"}) {
      std::string made = ours((*file)->getBuffer(), target);
      EXPECT_EQ(made.substr(0, 6), "MORTAR") << at->path() << ": " << made;
      EXPECT_TRUE(made == theirs((*file)->getBuffer(), target)) << at->path();
    }
    ++layers;
  }
  EXPECT_GT(layers, 5);
}

} // namespace
