//===- Trial.h - one mutant, the whole way ----------------------*- C++ -*-===//
#ifndef MORTAR_TEST_BADINPUT_TRIAL_H
#define MORTAR_TEST_BADINPUT_TRIAL_H

#include "Corpus.h"

#include "mlir/IR/BuiltinOps.h"

namespace mortar::badinput {

enum class Outcome {
  RejectedByParser,
  RejectedByVerifier,
  RejectedByPipeline,
  Accepted
};
inline constexpr size_t numOutcomes = 4;

struct Verdict {
  Outcome outcome = Outcome::Accepted;
  /// Empty, or what was wrong: a rejection without a word or without a place, a
  /// pass that succeeded and left invalid IR, text that reads back as something
  /// else.
  std::string problem;
};

/// What to compile for; few mutants go the whole way, since code generation
/// takes most of the time.
struct Effort {
  bool gpu = false, cpu = false;
  uint64_t seed = 0; // chooses among pipelines and options
};

/// Text or bytecode through the parser, the verifier and every pipeline.
/// `known`: what it is made of has locations, so that a diagnostic must have
/// one.
Verdict tryBytes(llvm::StringRef bytes, const Effort &effort, bool known);

/// IR that may be invalid, the same way.
Verdict tryModule(mlir::ModuleOp module, const Effort &effort);

struct Mutant {
  enum Kind { IR, Text, Bytecode } kind = IR;
  std::string description; // what it was made of, and what was done
  std::string bytes;       // of text and bytecode
  std::unique_ptr<mlir::MLIRContext> context; // of IR
  mlir::OwningOpRef<mlir::ModuleOp> module;

  Mutant() = default;
  Mutant(Mutant &&) = default;
  /// The module goes before its context.
  Mutant &operator=(Mutant &&other) {
    module = std::move(other.module);
    context = std::move(other.context);
    kind = other.kind;
    description = std::move(other.description);
    bytes = std::move(other.bytes);
    return *this;
  }
};

/// Mutant number `index` of the sequence that `seed` names.
Mutant makeMutant(const std::vector<Piece> &corpus, uint64_t seed,
                  uint64_t index);
Verdict tryMutant(Mutant &mutant, uint64_t seed, uint64_t index);

/// As bytes for a file.
std::string print(Mutant &mutant);

} // namespace mortar::badinput

#endif // MORTAR_TEST_BADINPUT_TRIAL_H
