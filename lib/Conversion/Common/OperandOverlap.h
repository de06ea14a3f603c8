//===- OperandOverlap.h - what may share memory -----------------*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_OPERANDOVERLAP_H
#define MORTAR_LIB_CONVERSION_OPERANDOVERLAP_H

#include "HostOperands.h"
#include "IndexBuilder.h"

namespace mortar {

/// So many elements, or rows of them, one stride apart.
struct Steps {
  mlir::Value stride, count;
};

/// Emits the check that no two elements of a destination lie at one place: `adjacent` lie
/// side by side, and the dimensions `steps` nest, in whatever order, each stepping over all
/// that smaller steps reach. Rows that mesh without nesting exist, but nobody lays out a
/// tensor so. Where `none` holds there are no elements.
void checkElementsApart(IndexBuilder &b, llvm::ArrayRef<Steps> steps, mlir::Value adjacent,
                        llvm::StringRef name, mlir::Value none);
void checkElementsApart(IndexBuilder &b, const HostOperand &destination,
                        llvm::StringRef name, mlir::Value rows);

/// Emits the check that a destination shares another operand's memory exactly (each thread
/// reads the elements that it writes, and no others, before it writes), or not at all. What
/// all threads of a row read, a row_scalar, none may write.
void checkOverlap(IndexBuilder &b, const HostOperand &destination,
                  llvm::StringRef destinationName, const HostOperand &other,
                  llvm::StringRef otherName, mlir::Value rows);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_OPERANDOVERLAP_H
