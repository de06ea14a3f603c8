//===- Mutants.cpp - mutants by number ------------------------------------===//

#include "Mutators.h"
#include "Trial.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace mortar::badinput;

static uint64_t mix(uint64_t seed, uint64_t index) {
  return Random(seed * 0x9e3779b97f4a7c15 + index).bits();
}

/// One attempt.
static Mutant mutate(const Piece &piece, Mutant::Kind kind, Random &random) {
  Mutant mutant;
  mutant.kind = kind;
  mutant.description = piece.name;
  size_t count = 1 + (random.oneIn(2) ? random.below(3) : 0);
  auto note = [&](const std::string &what) {
    mutant.description += ", " + what;
  };
  if (kind == Mutant::Text) {
    mutant.bytes = piece.text;
    for (; count; --count)
      note(mutateText(mutant.bytes, random));
    return mutant;
  }
  mutant.context = makeContext(/*allowUnregistered=*/true);
  mutant.module = parseSourceString<ModuleOp>(piece.text, mutant.context.get());
  // Upstream's parser of linalg ops leaves their bodies without.
  mutant.module->walk([](Operation *op) {
    if (isa<UnknownLoc>(op->getLoc()))
      op->setLoc(op->getParentOp()->getLoc());
  });
  if (kind == Mutant::IR) {
    for (; count; --count)
      note(mutateIR(*mutant.module, random));
    return mutant;
  }
  llvm::raw_string_ostream os(mutant.bytes);
  (void)writeBytecodeToFile(*mutant.module, os);
  for (; count; --count)
    note("bytecode: " + mutateBytes(mutant.bytes, random));
  return mutant;
}

Mutant mortar::badinput::makeMutant(const std::vector<Piece> &corpus,
                                    uint64_t seed, uint64_t index) {
  Random random(mix(seed, index));
  const Piece &piece = random.pick(corpus);
  Mutant::Kind kind = random.oneIn(10)  ? Mutant::Bytecode
                      : random.oneIn(4) ? Mutant::Text
                                        : Mutant::IR;
  // What a verifier rejects has seen nothing of Mortar's passes: most of the
  // time, try until it doesn't.
  unsigned attempts = kind == Mutant::IR && !random.oneIn(4) ? 8 : 1;
  Mutant mutant;
  do {
    mutant = mutate(piece, kind, random);
    if (--attempts == 0)
      break;
    ScopedDiagnosticHandler silent(mutant.context.get(),
                                   [](Diagnostic &) { return success(); });
    if (succeeded(verify(*mutant.module)))
      break;
  } while (true);
  return mutant;
}

Verdict mortar::badinput::tryMutant(Mutant &mutant, uint64_t seed,
                                    uint64_t index) {
  Random random(mix(~seed, index));
  Effort effort;
  effort.gpu = random.oneIn(6);
  effort.cpu = random.oneIn(12);
  effort.seed = random.bits();
  if (mutant.kind == Mutant::IR)
    return tryModule(*mutant.module, effort);
  // A mutant may say loc(unknown), the bodies of linalg's ops have none from
  // the parser, and bytecode may lose its own.
  bool known = mutant.kind == Mutant::Text &&
               mutant.bytes.find("loc(") == std::string::npos &&
               mutant.bytes.find("linalg.") == std::string::npos;
  return tryBytes(mutant.bytes, effort, known);
}

std::string mortar::badinput::print(Mutant &mutant) {
  if (mutant.kind != Mutant::IR)
    return mutant.bytes;
  std::string text = "// " + mutant.description + "\n";
  llvm::raw_string_ostream os(text);
  mutant.module->print(os, OpPrintingFlags()
                               .printGenericOpForm()
                               .assumeVerified()
                               .enableDebugInfo());
  return text + "\n";
}
