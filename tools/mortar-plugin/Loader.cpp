//===- Loader.cpp - What a stock mlir-opt loads first ---------------------===//
//
// A plugin is C++ that links to the host's MLIR when it is loaded: in another
// MLIR it would crash, or say no more than which mangled name it misses. So this
// library, which has nothing of MLIR, looks at the host, and then loads the one
// beside it that has the passes.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstdio>
#include <dlfcn.h>
#include <string>

namespace {

/// As mlir/Tools/Plugins has it, the same for dialects and passes.
struct PluginInfo {
  uint32_t apiVersion; // 0, which no host supports, where there is nothing to load
  const char *name;
  const char *version;
  void (*registerCallbacks)();
};
constexpr PluginInfo nothing = {0, "mortar", MORTAR_VERSION, nullptr};

/// Why this host isn't the one that we were built for; empty if it is.
std::string whyNotHere() {
  std::string expected = "expected a host that is linked to libMLIR and libLLVM " +
                         std::to_string(MORTAR_LLVM_MAJOR) + "." +
                         std::to_string(MORTAR_LLVM_MINOR) + ", found ";
  void *found = dlsym(RTLD_DEFAULT, "LLVMGetVersion");
  if (!found)
    return expected + "one without, or with LLVM linked into itself";
  unsigned major = 0, minor = 0, patch = 0;
  reinterpret_cast<void (*)(unsigned *, unsigned *, unsigned *)>(found)(&major, &minor,
                                                                        &patch);
  if (major != MORTAR_LLVM_MAJOR || minor != MORTAR_LLVM_MINOR)
    return expected + std::to_string(major) + "." + std::to_string(minor);
  return "";
}

/// The library with the passes, which lies beside this one.
void *loadPasses(std::string &problem) {
  Dl_info here;
  if (!dladdr(reinterpret_cast<void *>(&loadPasses), &here))
    here.dli_fname = "";
  std::string path = here.dli_fname;
  path = path.substr(0, path.rfind('/') + 1) + "mortar-plugin-passes.so";
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    problem = std::string("expected to load what lies beside it, but: ") + dlerror();
  return library;
}

PluginInfo getInfo(const char *function) {
  std::string problem = whyNotHere();
  void *library = problem.empty() ? loadPasses(problem) : nullptr;
  void *get = library ? dlsym(library, function) : nullptr;
  if (get)
    return reinterpret_cast<PluginInfo (*)()>(get)();
  std::fprintf(stderr, "mortar-plugin: %s\n", problem.c_str());
  return nothing;
}

} // namespace

extern "C" __attribute__((visibility("default"))) PluginInfo mlirGetDialectPluginInfo() {
  return getInfo("mlirGetDialectPluginInfo");
}
extern "C" __attribute__((visibility("default"))) PluginInfo mlirGetPassPluginInfo() {
  return getInfo("mlirGetPassPluginInfo");
}
