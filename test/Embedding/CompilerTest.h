//===- CompilerTest.h - What the C API's tests share ------------*- C++ -*-===//
#ifndef MORTAR_TEST_EMBEDDING_COMPILERTEST_H
#define MORTAR_TEST_EMBEDDING_COMPILERTEST_H

#include "mortar-c/Compiler.h"

#include <gtest/gtest.h>

#include <string>

inline constexpr const char *layer = R"mlir(
func.func @layer(%x: tensor<?x8xf32>, %r: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %s = mortar.residual_add %x, %r
    : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %n : tensor<?x8xf32>
}
)mlir";

inline std::string lastError() { return mortarRuntimeLastError(); }

inline MortarCompileOptions optionsFor(const char *target) {
  MortarCompileOptions options = {};
  options.size = sizeof(options);
  options.target = target;
  options.noCubin = 1;
  options.cache = MORTAR_CACHE_OFF;
  return options;
}

inline int compile(const std::string &module, const MortarCompileOptions &options,
            MortarProgram *program) {
  return mortarCompile(module.data(), module.size(), &options, program);
}

/// What compiling says when it fails.
inline std::string refusal(const std::string &module, const MortarCompileOptions &options) {
  MortarProgram program = 77;
  EXPECT_EQ(compile(module, options, &program), MORTAR_RUNTIME_ERROR);
  EXPECT_EQ(program, 77u);
  return lastError();
}

#endif // MORTAR_TEST_EMBEDDING_COMPILERTEST_H
