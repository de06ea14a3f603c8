# Instruments our code, and not the LLVM and MLIR that it is linked with.
if(MORTAR_SANITIZE)
  # vptr wants the RTTI of LLVM's classes, which our objects are compiled without.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr,function
    -fno-sanitize-recover=all -fno-omit-frame-pointer -g1 -O1)
  add_link_options(-fsanitize=address,undefined)
endif()
if(MORTAR_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "expected clang for MORTAR_FUZZ, which brings libFuzzer, but "
      "found ${CMAKE_CXX_COMPILER_ID}")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
# A sanitizer's runtime is in the executable only, so libraries are left with gaps.
string(REPLACE "-Wl,-z,defs" "" CMAKE_SHARED_LINKER_FLAGS "${CMAKE_SHARED_LINKER_FLAGS}")
