//===- ReduceSteps.h - a failing program, simpler step by step --*- C++ -*-===//
#ifndef MORTAR_REDUCE_REDUCESTEPS_H
#define MORTAR_REDUCE_REDUCESTEPS_H

namespace mortar {

/// Registers `mortar-reduce-steps`, beside upstream's reduction passes. Its options are
/// theirs: `test`, a program that exits with 1 if the file it is given still fails, and
/// `test-arg`, what stands before the file.
void registerReduceSteps();

} // namespace mortar

#endif // MORTAR_REDUCE_REDUCESTEPS_H
