//===- NarrowTypesToNVVM.h - casts from and to 8 and 16 bits ----*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_NARROWTYPESTONVVM_H
#define MORTAR_LIB_CONVERSION_NARROWTYPESTONVVM_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace mortar {
struct ChipTraits;

/// Clamps narrow values before they are widened, in pairs; before the conversion.
void populateClampBeforeWideningPatterns(mlir::RewritePatternSet &patterns);

/// Casts between f32 and narrow types that stock patterns leave out, or make slower.
void populateNarrowTypesToNVVMPatterns(const mlir::LLVMTypeConverter &converter,
                                       const ChipTraits &chip,
                                       mlir::RewritePatternSet &patterns);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_NARROWTYPESTONVVM_H
