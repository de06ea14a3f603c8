//===- Passes.h - from tensors to one buffered region a kernel --*- C++ -*-===//
#ifndef MORTAR_TRANSFORMS_PASSES_H
#define MORTAR_TRANSFORMS_PASSES_H

#include "mortar/IR/Mortar.h"
#include "mortar/Transforms/Fusion.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"

namespace mortar {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mortar/Transforms/Passes.h.inc"

/// Lets upstream's one-shot bufferization take mortar.fused.
void registerBufferizableOpInterfaceModels(mlir::DialectRegistry &registry);
} // namespace mortar

#endif // MORTAR_TRANSFORMS_PASSES_H
