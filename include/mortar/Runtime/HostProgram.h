//===- HostProgram.h - Artifacts with code for a CPU ------------*- C++ -*-===//
//
// The runtime knows which artifacts these are, and can inspect them; linking
// and running their code takes a loader, which is LLVM's and comes with the
// compiler.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_RUNTIME_HOSTPROGRAM_H
#define MORTAR_RUNTIME_HOSTPROGRAM_H

#include "mortar/Runtime/Artifact.h"

#include <memory>

namespace mortar::runtime {

/// Immutable once loaded: any number of threads may run it.
class HostProgram {
public:
  virtual ~HostProgram();
  /// Checks the arguments as a launch does, runs, and returns when all is done.
  virtual Status run(size_t entry, ArrayView<TensorArg> args) const = 0;
};

using HostLoader =
    Expected<std::unique_ptr<HostProgram>> (*)(const Artifact &artifact);

/// Who loads artifacts for a CPU from now on.
void setHostLoader(HostLoader loader);

/// Whether the artifact holds code for a CPU.
bool isForHost(const Artifact &artifact);
/// An error where no loader was set.
Expected<std::unique_ptr<HostProgram>> loadOnHost(const Artifact &artifact);

} // namespace mortar::runtime

#endif // MORTAR_RUNTIME_HOSTPROGRAM_H
