//===- BuildId.h - Which build of Mortar this is ----------------*- C++ -*-===//
#ifndef MORTAR_LIB_PIPELINES_BUILDID_H
#define MORTAR_LIB_PIPELINES_BUILDID_H

#include "llvm/ADT/StringRef.h"

namespace mortar {

/// The linker's hash of the program or library that Mortar is linked into, in hex; empty
/// if it was linked without one.
llvm::StringRef buildId();

/// The same of what holds LLVM: libLLVM.so, or what this is in, too.
llvm::StringRef llvmBuildId();

} // namespace mortar

#endif // MORTAR_LIB_PIPELINES_BUILDID_H
