//===- Passes.h - from buffered regions to kernels --------------*- C++ -*-===//
#ifndef MORTAR_CONVERSION_PASSES_H
#define MORTAR_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mortar {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mortar/Conversion/Passes.h.inc"
} // namespace mortar

#endif // MORTAR_CONVERSION_PASSES_H
