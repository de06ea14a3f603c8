//===- CompileCached.h - Compiling, or finding what was compiled -*- C++ -*-===//
//
// The key is the SHA-256 of the module's bytecode without locations and of all
// else that the artifact depends on: options, the target (for "host" this CPU),
// the assembler, and the build of Mortar. Locations aren't in it, so programs
// that differ in nothing else share an entry; its remarks are then placed where
// this module's ops stand. Line tables are code, so with them locations count.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_PIPELINES_COMPILECACHED_H
#define MORTAR_PIPELINES_COMPILECACHED_H

#include "mortar/Pipelines/Compiler.h"

namespace mortar {

/// What $MORTAR_CACHE may say: 0, 1 (the default) or require.
enum class CacheMode {
  Off,
  On,
  Require, // what would have to be compiled is an error
};

/// The mode that $MORTAR_CACHE asks for. The error says what it may be.
runtime::Expected<CacheMode> cacheModeFromEnvironment();

struct CachedProgram {
  std::string artifact; // serialized
  bool found = false;   // in the cache
};

/// `module`'s key, or nothing: with ops of a dialect whose code isn't Mortar's, or in a
/// program without a build id, nobody could say whether an entry is still good; and a
/// context with a remark engine of its own would get no remarks.
std::optional<std::string> cacheKey(mlir::ModuleOp module,
                                    const CompileOptions &options);

/// compile(), unless the artifact is in `folder`; where it will be afterwards. A cache
/// that can't be used, and an entry that is damaged, is a warning at the module, and
/// then it compiles.
mlir::FailureOr<CachedProgram> compileCached(mlir::ModuleOp module,
                                             const CompileOptions &options,
                                             CacheMode mode,
                                             const std::string &folder);

} // namespace mortar

#endif // MORTAR_PIPELINES_COMPILECACHED_H
