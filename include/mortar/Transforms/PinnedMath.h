//===- PinnedMath.h - Elementary functions with pinned bits -----*- C++ -*-===//
//
// Elementary functions as fixed sequences of IEEE operations, so that CPU and
// GPU give the same bits. Each function emits its sequence for `x`, an f32 or a
// vector of f32 of any shape, and returns a value of the same type. The
// sequences are branch-free and hold only arith operations without fast-math
// flags and math.fma. They are right over all of f32, subnormals and infinities
// included, and give NaN for NaN, of unspecified sign and payload.
//
// The bounds below are in units in the last place of f32, over all 2^32 inputs;
// test/Numerics/pinned-math.c measures them, and tools/fit-pinned-math fits the
// coefficients.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_TRANSFORMS_PINNEDMATH_H
#define MORTAR_TRANSFORMS_PINNEDMATH_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mortar {

/// exp(x).
mlir::Value buildExp(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// 1 / (1 + exp(-x)).
mlir::Value buildSigmoid(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// x / (1 + exp(-x)); silu(-inf) is -0.
mlir::Value buildSilu(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// tanh(x).
mlir::Value buildTanh(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// erf(x).
mlir::Value buildErf(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// log(1 + x): -inf at -1, NaN below.
mlir::Value buildLog1p(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// log(1 + exp(x)), and x itself above `threshold` (20 in torch).
mlir::Value buildSoftplus(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                          float threshold);

//===----------------------------------------------------------------------===//
// What quantizing needs, exact for every f32
//===----------------------------------------------------------------------===//

/// |x|; a NaN stays one.
mlir::Value buildAbs(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// The least power of two that is at least x, for x >= 2^-126; inf and NaN pass.
mlir::Value buildPowerOfTwoAtLeast(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// The code of x, a power of two from 2^-126 on, in f8E8M0FNU; inf and NaN give
/// its NaN.
mlir::Value buildE8M0Code(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// x / y, rounded once, from y's reciprocal, which was: five instructions for each x where a
/// division takes ten and a branch (Markstein, IBM J. Res. Dev. 34, 1990). y, 1/y and the
/// quotient are normal numbers; of an x below 2^-100 the last bit may be off. If y and its
/// "reciprocal" are 0, the result is that of x / inf.
mlir::Value buildQuotient(mlir::ImplicitLocOpBuilder &b, mlir::Value x, mlir::Value y,
                          mlir::Value reciprocal);

/// x clamped to [-448, 448], to nearest even in f8E4M3FN; NaN passes.
mlir::Value buildSaturatedE4M3(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// x clamped to [-128, 127] and rounded to nearest even, as i8; NaN gives 0.
mlir::Value buildSaturatedInt8(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

} // namespace mortar

#endif // MORTAR_TRANSFORMS_PINNEDMATH_H
