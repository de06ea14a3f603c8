//===- Compiler.h - a module in, an executable out --------------*- C++ -*-===//
#ifndef MORTAR_PIPELINES_COMPILER_H
#define MORTAR_PIPELINES_COMPILER_H

#include "mortar/Pipelines/Summary.h"
#include "mortar/Runtime/Artifact.h"
#include "mortar/Target/HostCode.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace mortar {

/// Changes whenever the same program may give other bits: the reduction tree, a pinned
/// sequence, a rounding point. An artifact carries it.
inline constexpr uint32_t numericsVersion = 1;

struct CompileOptions {
  /// "sm_80", "sm_90", … for a GPU; "host" or a CPU that LLVM knows ("x86-64-v3").
  std::string target = "sm_90";
  /// Join neighbours. Without it each op is a kernel of its own, with the same bits.
  bool fuse = true;
  /// Lift the dtype rule.
  bool mixedDtypes = false;
  /// Add a cubin where ptxas is found. PTX is always there.
  bool cubin = true;
  /// Put kernels for what isn't aligned into PTX of their own, so that the driver compiles
  /// them when one is launched. Not with a cubin, which takes no time to load.
  bool onDemand = true;
  /// On a GPU: up to so many rows, or shorter ones that hold as much as so many of 1024
  /// elements, take the schedule for few. Changes no bit.
  int64_t fewRows = 1024;
  /// On a GPU: note in the code which line of the input it comes from, for profilers.
  bool lineTables = true;
  /// On a GPU: let threads of ours generate the code of all images but one, whatever the
  /// context's own threading. Changes no byte.
  bool threads = true;
  /// Make each candidate that didn't fuse an error at its place, unless the condition
  /// that it failed ("budget") is tolerated. The context must have no remark engine.
  bool requireFusions = false;
  std::vector<std::string> toleratedConditions;
};

/// A launch plan without device code.
struct LoweredGPUProgram {
  runtime::Artifact artifact; // no images
  Summary summary;
};

struct GPUProgram {
  runtime::Artifact artifact;  // its first image is PTX
  std::string assemblerReport; // what ptxas says of registers and spills
  Summary summary;
};

struct CPUProgram {
  HostCode code;
  Summary summary;
};

/// For either kind of target.
struct CompiledProgram {
  runtime::Artifact artifact;
  Summary summary;
};

/// Whether `target` names a GPU. What isn't one is taken for a CPU.
inline bool isGPU(llvm::StringRef target) { return target.starts_with("sm_"); }

/// The first step of compiling: fuses, and leaves in `module` only functions that hold
/// regions on tensors and call nothing. An op of Mortar's that isn't in a region is an
/// error at the op.
llvm::LogicalResult fuseAndOutline(mlir::ModuleOp module, const CompileOptions &options,
                                   Summary &summary);

/// Fuses and compiles `module`, which is changed on the way. Everything between
/// foreign ops becomes an entry; functions left with foreign ops are dropped. An op of
/// Mortar's that was not lowered is an error at the op.
mlir::FailureOr<GPUProgram> compileForGPU(mlir::ModuleOp module,
                                          const CompileOptions &options);
/// The first half of compileForGPU: leaves the plan's kernels, in its order, as gpu.funcs
/// of upstream dialects in the module.
mlir::FailureOr<LoweredGPUProgram> lowerForGPU(mlir::ModuleOp module,
                                               const CompileOptions &options);
mlir::FailureOr<CPUProgram> compileForCPU(mlir::ModuleOp module,
                                          const CompileOptions &options);


/// One of the two, by options.target, as an artifact.
mlir::FailureOr<CompiledProgram> compile(mlir::ModuleOp module,
                                         const CompileOptions &options);

} // namespace mortar

#endif // MORTAR_PIPELINES_COMPILER_H
