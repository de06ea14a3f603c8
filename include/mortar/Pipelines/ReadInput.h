//===- ReadInput.h - files from anywhere, read safely -----------*- C++ -*-===//
//
// What MLIR itself can't read without crashing is refused before it is read;
// what its passes can't take is refused by mortar-check-input, which begins
// every pipeline.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_PIPELINES_READINPUT_H
#define MORTAR_PIPELINES_READINPUT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"

namespace mortar {

/// Text that is safe to parse: `source` itself, or what its bytecode says.
/// Bytecode is read and printed in a child process, as upstream's reader trusts
/// what it reads. Null after an error at the place: text nested deeper than
/// MLIR's stack, damaged bytecode.
std::unique_ptr<llvm::MemoryBuffer>
toSafeText(std::unique_ptr<llvm::MemoryBuffer> source,
           mlir::MLIRContext *context);

/// Reads text or bytecode, which becomes the first buffer of `sources`. Null
/// after an error.
mlir::OwningOpRef<mlir::ModuleOp>
readInput(std::unique_ptr<llvm::MemoryBuffer> source, llvm::SourceMgr &sources,
          mlir::MLIRContext *context);

} // namespace mortar

#endif // MORTAR_PIPELINES_READINPUT_H
