//===- HostCode.h - CPU functions, in memory or as an object ----*- C++ -*-===//
#ifndef MORTAR_TARGET_HOSTCODE_H
#define MORTAR_TARGET_HOSTCODE_H

#include "mortar/Runtime/Artifact.h"
#include "mortar/Runtime/HostProgram.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace mortar {

/// What code for `cpu` may use: its name; for "host", which CPU this is and what it can.
std::string hostCPU(llvm::StringRef cpu);

/// Functions compiled for a CPU. Each takes one pointer to a strided memref descriptor
/// {allocated, aligned, offset, sizes[rank], strides[rank]} an argument, and
/// returns null or the message of the check that failed.
class HostCode final : public runtime::HostProgram {
public:
  HostCode();
  HostCode(HostCode &&);
  HostCode &operator=(HostCode &&);
  ~HostCode();

  /// Compiles a module in the LLVM dialect (mortar-to-llvm), whose functions `entries`
  /// declares, for "host" or a CPU that LLVM knows. Emits an error at the module and
  /// fails otherwise.
  static mlir::FailureOr<HostCode> compile(mlir::ModuleOp module, llvm::StringRef cpu,
                                           std::vector<runtime::Entry> entries);

  /// Links the object of an artifact that toArtifact has made. The error says what this
  /// CPU lacks.
  static runtime::Expected<std::unique_ptr<runtime::HostProgram>>
  load(const runtime::Artifact &artifact);

  /// An artifact without remarks.
  runtime::Artifact toArtifact() const;

  /// The object file (ELF, position independent). It exports
  /// `const char *_mlir_ciface_<function>(memref *...)`.
  const std::string &object() const { return objectBytes; }

  /// A C header that declares the object's functions.
  std::string header(llvm::StringRef guard) const;

  /// The functions, declared as an artifact declares its own: argument types and roles,
  /// and the programs that compute result shapes. Their bodies are empty.
  const std::vector<runtime::Entry> &entries() const { return allEntries; }

  /// Links the code, so that it can run here.
  runtime::Status link();

  /// Runs entry number `entry` here. Arguments are checked as the runtime checks them; a
  /// failed check is an error. Linked code may run in many threads.
  runtime::Status run(size_t entry,
                      runtime::ArrayView<runtime::TensorArg> args) const override;
  /// The same; links before the first run.
  runtime::Status run(size_t entry, runtime::ArrayView<runtime::TensorArg> args);

private:
  std::string cpu; // its name, then "+feature" for each that the code may use
  std::string objectBytes;
  std::vector<runtime::Entry> allEntries;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::vector<const char *(*)(void **)> functions; // one for each entry, once linked
};

} // namespace mortar

#endif // MORTAR_TARGET_HOSTCODE_H
