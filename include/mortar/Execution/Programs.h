//===- Programs.h - compiled programs and where they run --------*- C++ -*-===//
#ifndef MORTAR_EXECUTION_PROGRAMS_H
#define MORTAR_EXECUTION_PROGRAMS_H

#include "mortar/Execution/Tensors.h"

#include "mortar/Emulator/Findings.h"
#include "mortar/Pipelines/Compiler.h"

#include <memory>

namespace mortar::execution {

struct Timing {
  double median = 0, best = 0; // µs a run
};

/// A program on a device. An error without a message was emitted as a diagnostic.
class Program {
public:
  virtual ~Program();

  const std::vector<runtime::Entry> &entries() const { return declarations.entries; }
  const Summary &summary() const { return fusing; }

  /// The results of one run. `inputs` are the arguments that aren't Outputs, in order;
  /// those that are updated in place are copied.
  Expected<std::vector<Tensor>> run(size_t entry, const std::vector<Tensor> &inputs,
                                    Placement placement);
  Expected<Timing> time(size_t entry, const std::vector<Tensor> &inputs,
                        Placement placement, unsigned runs);
  /// Bytes of all arguments, twice for one that is read and written.
  Expected<size_t> bytesMoved(size_t entry, const std::vector<Tensor> &inputs);
  /// What the last run executed and touched; null but on the emulator.
  virtual const emulator::Counts *counts() const { return nullptr; }

protected:
  /// One image an argument, filled.
  Expected<std::vector<Image>> place(size_t entry, const std::vector<Tensor> &inputs,
                                     Placement placement);
  virtual Status runOn(size_t entry, std::vector<Image> &images) = 0;
  /// µs of each of `runs` runs.
  virtual Expected<std::vector<double>> timeOn(size_t entry, std::vector<Image> &images,
                                               unsigned runs) = 0;

  runtime::Artifact declarations; // on a CPU without kernels
  Summary fusing;
};

/// Compiles `module`, which is left as it is.
Expected<std::unique_ptr<Program>> compileOnCPU(mlir::ModuleOp module,
                                                const CompileOptions &options);
Expected<std::unique_ptr<Program>> compileOnGPU(mlir::ModuleOp module,
                                                const CompileOptions &options);
/// Compiles as for a GPU, but runs the lowered kernels on the emulator: a run fails if they
/// do anything wrong. With another seed than 0, blocks and warps run in an order that it
/// gives. `options.target` is a GPU's.
Expected<std::unique_ptr<Program>>
compileOnEmulator(mlir::ModuleOp module, const CompileOptions &options,
                  uint64_t orderSeed = 0);
Expected<std::unique_ptr<Program>> loadOnGPU(runtime::Artifact artifact);

/// "sm_90" of the GPU in this machine.
Expected<std::string> findGPU();

} // namespace mortar::execution

#endif // MORTAR_EXECUTION_PROGRAMS_H
