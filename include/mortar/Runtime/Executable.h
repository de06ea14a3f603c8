//===- Executable.h - An artifact on a device -------------------*- C++ -*-===//
//
// The caller allocates everything: ask resultShapes for the outputs, then
// workspaceBytes, then launch. The first two need no device, nor does runEntry
// with a Launcher of one's own.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_RUNTIME_EXECUTABLE_H
#define MORTAR_RUNTIME_EXECUTABLE_H

#include "mortar/Runtime/Artifact.h"
#include "mortar/Runtime/Driver.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace mortar::runtime {

//===----------------------------------------------------------------------===//
// Entries of a validated artifact, without a device
//===----------------------------------------------------------------------===//

/// The number of the entry of that name.
Expected<size_t> findEntry(const Artifact &artifact, std::string_view name);

/// All that a launch demands of its arguments, the shapes of outputs among it;
/// the plan's own checks aside.
Status checkForLaunch(const Entry &entry, ArrayView<TensorArg> args);

/// Bytes of workspace which a launch with these arguments takes, a bound for
/// no other. Arguments are complete, outputs included.
Expected<size_t> workspaceBytes(const Artifact &artifact, size_t entry,
                                ArrayView<TensorArg> args);

/// The shape of each result. Of the arguments, Output ones are not looked at
/// (but must be there) and no data pointer is.
Expected<std::vector<std::vector<int64_t>>>
resultShapes(const Artifact &artifact, size_t entry, ArrayView<TensorArg> args);

/// Checks the arguments, the outputs' shapes among them, and runs the entry's
/// body with launches going to `launcher`. Allocates nothing for ordinary
/// sizes; thread-safe where the launcher is.
Status runEntry(const Artifact &artifact, size_t entry,
                ArrayView<TensorArg> args, void *workspace,
                size_t workspaceBytes, Launcher &launcher, void *stream);

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

/// The number of the image that has a kernel's code for a device of compute
/// capability major.minor: a cubin of exactly that chip, else one of the same
/// major and the highest lower minor, else the newest PTX not above the device.
/// Chips with a suffix ("sm_90a") count on exactly that chip only, and then
/// before those without. The error lists what there is.
Expected<size_t> chooseImage(ArrayView<CodeImage> images, uint32_t kernel, int major,
                             int minor);

/// What the driver takes on trust, as it is handed no size: that PTX is text
/// and that the tables of a cubin's ELF file lie within it.
Status checkImage(const CodeImage &image);

//===----------------------------------------------------------------------===//
// Executable
//===----------------------------------------------------------------------===//

/// Any number of threads may launch.
class Executable {
public:
  /// Validates the artifact, picks images and loads them into the current
  /// context, or into device 0's primary one (see currentOrPrimaryContext),
  /// but for those of kernels on demand alone. Compiles PTX where no cubin
  /// fits (tens of milliseconds a kernel).
  static Expected<std::unique_ptr<Executable>> load(Artifact artifact);

  /// Unloads the code: launches must have finished on the device.
  ~Executable();
  Executable(const Executable &) = delete;
  Executable &operator=(const Executable &) = delete;

  const Artifact &artifact() const { return contents; }
  /// The image that has the first kernel, such as "sm_90 cubin".
  const std::string &imageName() const { return firstImage; }

  Expected<size_t> workspaceBytes(size_t entry,
                                  ArrayView<TensorArg> args) const;
  Expected<std::vector<std::vector<int64_t>>>
  resultShapes(size_t entry, ArrayView<TensorArg> args) const;

  /// Enqueues the entry on a stream of the context loaded into. No allocation
  /// on the device (but for the code of a kernel on demand) and no
  /// synchronization, so a capturing stream will do. `workspace` is device
  /// memory aligned to workspaceAlignment.
  Status launch(size_t entry, ArrayView<TensorArg> args, void *workspace,
                size_t workspaceBytes, CUstream stream) const;

private:
  /// A kernel's function on the device; null until the image is loaded that has
  /// its code.
  struct Function {
    std::atomic<CUfunction> handle{nullptr};
    size_t image = 0;
    std::atomic<bool> largeShared{false}; // was asked for
  };
  class StreamLauncher;

  Executable(Artifact artifact, const Driver &driver)
      : contents(std::move(artifact)), driver(driver) {}
  Status loadOnDevice();
  Status chooseImages(int major, int minor);
  Status loadKernel(uint32_t kernel) const;
  Status loadImage(size_t number) const;
  Status findFunctions(size_t image, CUmodule module,
                       std::vector<CUfunction> &handles) const;
  Status checkLaunchParams(ArrayView<CUfunction> handles) const;
  Status launchKernel(const Kernel &kernel, uint32_t index,
                      const LaunchDims &dims, const int64_t *params,
                      size_t numParams, CUstream stream) const;
  Status allowLargeShared(const Kernel &kernel, Function &function) const;

  Artifact contents;
  const Driver &driver;
  CUcontext context = nullptr;
  int maxSharedBytes = 0; // a block, static and dynamic, when opted in
  std::string firstImage;
  std::unique_ptr<Function[]> functions; // one for each kernel
  mutable std::vector<CUmodule> modules; // loaded
  mutable std::mutex mutex;              // of what changes after loading
};

} // namespace mortar::runtime

#endif // MORTAR_RUNTIME_EXECUTABLE_H
