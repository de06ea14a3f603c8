/* A program with another LLVM than the plugin's, or with none: FOUND_MAJOR is its
   version. Loads the plugin as mlir-opt does, and prints the API version that it
   gets: 0 is what no host supports. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

#ifdef FOUND_MAJOR
__attribute__((visibility("default"))) void LLVMGetVersion(unsigned *major, unsigned *minor,
                                                           unsigned *patch) {
  *major = FOUND_MAJOR;
  *minor = 1;
  *patch = 0;
}
#endif

struct Info {
  uint32_t apiVersion;
  const char *name, *version;
  void (*callbacks)(void);
};

int main(int argc, char **argv) {
  void *plugin = argc > 1 ? dlopen(argv[1], RTLD_LAZY | RTLD_GLOBAL) : NULL;
  const char *names[] = {"mlirGetDialectPluginInfo", "mlirGetPassPluginInfo"};
  int i;
  if (!plugin) {
    printf("not loaded: %s\n", argc > 1 ? dlerror() : "no plugin named");
    return 1;
  }
  for (i = 0; i < 2; ++i) {
    struct Info (*get)(void);
    *(void **)&get = dlsym(plugin, names[i]);
    fflush(stderr);
    printf("API version %u\n", (unsigned)get().apiVersion);
  }
  return 0;
}
