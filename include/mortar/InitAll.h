//===- InitAll.h - everything a tool or an embedder registers ---*- C++ -*-===//
#ifndef MORTAR_INITALL_H
#define MORTAR_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mortar {

/// Mortar's dialect, the upstream dialects that its pipelines produce, and the
/// interfaces that fusion, bufferization and translation need of them.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Mortar's passes and named pipelines (mortar, mortar-fuse, mortar-to-gpu, …).
/// Only these, for a tool that has upstream's.
void registerPasses();
/// And those of upstream's that are of use beside them.
void registerAllPasses();

} // namespace mortar

#endif // MORTAR_INITALL_H
