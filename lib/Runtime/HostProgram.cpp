//===- HostProgram.cpp - Artifacts with code for a CPU --------------------===//

#include "mortar/Runtime/HostProgram.h"

#include <algorithm>
#include <atomic>

namespace mortar::runtime {

static std::atomic<HostLoader> theLoader{nullptr};

HostProgram::~HostProgram() = default;

void setHostLoader(HostLoader loader) { theLoader = loader; }

bool isForHost(const Artifact &artifact) {
  return std::any_of(
      artifact.images.begin(), artifact.images.end(),
      [](const CodeImage &image) { return image.kind == CodeImage::Object; });
}

Expected<std::unique_ptr<HostProgram>> loadOnHost(const Artifact &artifact) {
  if (HostLoader loader = theLoader)
    return loader(artifact);
  return Status::error("expected device code for a GPU, found an object for a "
                       "CPU, which libmortar runs and this runtime doesn't");
}

} // namespace mortar::runtime
