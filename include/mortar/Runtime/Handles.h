//===- Handles.h - What C APIs hand out instead of pointers -----*- C++ -*-===//
//
// A handle is a number that is never used again, of no other kind of thing
// either: a dead, a made up and a confused handle are each known for what they
// are. For the C APIs over the runtime and the compiler.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_RUNTIME_HANDLES_H
#define MORTAR_RUNTIME_HANDLES_H

#include "mortar/Runtime/Status.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace mortar::runtime {

/// A number of no other handle. 0 is none. Where two libraries with these functions are
/// in a process, each begins where its own page of memory is: neither takes a handle of
/// the other's for one of its own.
inline uint64_t nextHandle() {
  static std::atomic<uint64_t> last{0};
  static const uint64_t first = reinterpret_cast<uintptr_t>(&last) >> 12 << 28;
  return first + ++last;
}

/// The live handles of one kind. A call holds a reference, so that another
/// thread's destroy waits.
template <typename T> class HandleTable {
public:
  uint64_t add(std::shared_ptr<const T> value) {
    uint64_t handle = nextHandle();
    std::unique_lock<std::shared_mutex> lock(mutex);
    live.emplace(handle, std::move(value));
    return handle;
  }
  std::shared_ptr<const T> find(uint64_t handle) {
    std::shared_lock<std::shared_mutex> lock(mutex);
    auto found = live.find(handle);
    return found == live.end() ? nullptr : found->second;
  }
  std::shared_ptr<const T> remove(uint64_t handle) {
    std::unique_lock<std::shared_mutex> lock(mutex);
    auto found = live.find(handle);
    if (found == live.end())
      return nullptr;
    std::shared_ptr<const T> value = std::move(found->second);
    live.erase(found);
    return value;
  }

  /// Never destroyed: at exit the driver may go before us.
  static HandleTable &get() {
    static auto *table = new HandleTable();
    return *table;
  }

private:
  std::shared_mutex mutex;
  std::unordered_map<uint64_t, std::shared_ptr<const T>> live;
};

/// The message of the calling thread's last error.
std::string &lastError();

/// Runs the body of an API function: 0, or 1 with lastError() set. Nothing of
/// ours throws, but the C++ library does when memory runs out.
template <typename Body> int guarded(Body body) noexcept {
#ifdef __cpp_exceptions
  try {
#endif
    Status status = body();
    if (status.ok())
      return 0;
    lastError() = status.message();
#ifdef __cpp_exceptions
  } catch (...) {
    lastError() = "out of memory"; // short enough to need none
  }
#endif
  return 1;
}

inline Status expectNonNull(const void *pointer, const char *name) {
  if (pointer)
    return Status();
  return Status::error("expected a pointer for '", name, "', found null");
}

} // namespace mortar::runtime

#endif // MORTAR_RUNTIME_HANDLES_H
