//===- ReductionPatterns.h - simpler programs of the same kind --*- C++ -*-===//
#ifndef MORTAR_REDUCE_REDUCTIONPATTERNS_H
#define MORTAR_REDUCE_REDUCTIONPATTERNS_H

namespace mlir {
class DialectRegistry;
}

namespace mortar {

/// Gives the dialect the patterns that mlir-reduce tries: an op's result becomes one of
/// its operands, or an argument of the same type, and optional attributes go.
void registerReductionPatterns(mlir::DialectRegistry &registry);

} // namespace mortar

#endif // MORTAR_REDUCE_REDUCTIONPATTERNS_H
