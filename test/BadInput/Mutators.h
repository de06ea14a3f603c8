//===- Mutators.h - valid modules made odd ----------------------*- C++ -*-===//
#ifndef MORTAR_TEST_BADINPUT_MUTATORS_H
#define MORTAR_TEST_BADINPUT_MUTATORS_H

#include "Corpus.h"

#include "mlir/IR/BuiltinOps.h"

namespace mortar::badinput {

/// Changes the IR in one way, and says which. What is left may be invalid, but
/// only in ways that a verifier must find: no dangling pointers.
std::string mutateIR(mlir::ModuleOp module, Random &random);

/// The same on text, token by token or byte by byte.
std::string mutateText(std::string &text, Random &random);

/// The same on bytecode.
std::string mutateBytes(std::string &bytes, Random &random);

/// Attributes and types that are odd for whatever takes them.
mlir::Attribute makeAttribute(mlir::MLIRContext *context, Random &random);
mlir::Type makeType(mlir::MLIRContext *context, Random &random);
/// `attribute` or `type` with a number, an element or an extent changed to an
/// extreme one.
mlir::Attribute tweakAttribute(mlir::Attribute attribute, Random &random);
mlir::Type tweakType(mlir::Type type, Random &random);

} // namespace mortar::badinput

#endif // MORTAR_TEST_BADINPUT_MUTATORS_H
