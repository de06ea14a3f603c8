//===- CacheTest.h - What the cache's tests share ---------------*- C++ -*-===//
#ifndef MORTAR_TEST_EMBEDDING_CACHETEST_H
#define MORTAR_TEST_EMBEDDING_CACHETEST_H

#include "mortar-c/Compiler.h"
#include "mortar/Pipelines/ArtifactCache.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

using mortar::ArtifactCache;

/// Its places differ with what stands before it.
inline constexpr const char *layer = R"mlir(
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

#endif // MORTAR_TEST_EMBEDDING_CACHETEST_H
