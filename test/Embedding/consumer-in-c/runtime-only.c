/* What a program without a compiler links: libmortar_runtime alone. */
#include "mortar-c/Runtime.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  uint32_t api = 0, format = 0;
  MortarExecutable none = 0;
  if (mortarRuntimeVersion(&api, &format) != MORTAR_RUNTIME_OK || api != 1)
    return 1;
  if (mortarRuntimeLoadBytes("no artifact", 11, MORTAR_LOAD_TO_INSPECT, &none) !=
      MORTAR_RUNTIME_ERROR)
    return 1;
  printf("%s\n", mortarRuntimeLastError());
  return strstr(mortarRuntimeLastError(), "expected") == NULL;
}
