//===- LaunchPlan.h - host functions to plans -------------------*- C++ -*-===//
#ifndef MORTAR_TARGET_LAUNCHPLAN_H
#define MORTAR_TARGET_LAUNCHPLAN_H

#include "mortar/Runtime/Artifact.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace mortar {

/// The type of a tensor's elements at run time, if there is one.
std::optional<runtime::ElementType> findElementType(mlir::Type type);

/// Serializes the host functions of a module that convert-mortar-to-gpu has made: one
/// entry for each function with launches, one kernel for each gpu.func. Run
/// before the kernels are taken to the LLVM dialect. An op that a plan can't hold is
/// an error at the op. Images are left empty.
mlir::FailureOr<runtime::Artifact> buildLaunchPlan(mlir::ModuleOp module);

/// Declares the functions of a bufferized module (mortar-bufferize) that have a shapes
/// function: arguments, results and how to compute result shapes. Bodies are left empty.
mlir::FailureOr<std::vector<runtime::Entry>> declareEntries(mlir::ModuleOp module);

} // namespace mortar

#endif // MORTAR_TARGET_LAUNCHPLAN_H
