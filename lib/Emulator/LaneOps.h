//===- LaneOps.h - what one op does to the lanes of a warp ------*- C++ -*-===//
#ifndef MORTAR_LIB_EMULATOR_LANEOPS_H
#define MORTAR_LIB_EMULATOR_LANEOPS_H

#include "Program.h"

namespace mortar::emulator {

/// What a register holds.
enum class LaneType : uint8_t { I1, I8, I16, I32, I64, F8E4M3, F16, BF16, F32 };

constexpr unsigned laneBytes(LaneType type) {
  switch (type) {
  case LaneType::I1:
  case LaneType::I8:
  case LaneType::F8E4M3:
    return 1;
  case LaneType::I16:
  case LaneType::F16:
  case LaneType::BF16:
    return 2;
  case LaneType::I32:
  case LaneType::F32:
    return 4;
  case LaneType::I64:
    return 8;
  }
  return 0;
}

// clang-format off
enum class LaneOp : uint8_t {
  // On integers. Division by zero gives zero; the program checks for it.
  AddI, SubI, MulI, DivU, DivS, RemU, RemS, CeilDivU, CeilDivS, FloorDivS,
  And, Or, Xor, Shl, ShrU, ShrS, MinU, MaxU, MinS, MaxS,
  Eq, Ne, LtS, LeS, GtS, GeS, LtU, LeU, GtU, GeU,
  // On floats. bf16 and f16 are computed in f32 and rounded once, which for these
  // gives what the format's own operation would.
  AddF, SubF, MulF, DivF, MaximumF, MinimumF, MaxNumF, MinNumF, CopySign,
  NegF, AbsF, Sqrt, Floor, Ceil, TruncF, RoundEven,
  Fma, // f32 only
  FalseF, OEq, OGt, OGe, OLt, OLe, ONe, Ord, UEq, UGt, UGe, ULt, ULe, UNe, Uno, TrueF,
  // On any type. SelectByLane: one condition for all elements of a lane.
  Select, SelectByLane, Copy
};
enum class Conversion : uint8_t {
  SignExtend, ZeroExtend, Truncate, ToFloat, // between float types, to nearest even
  FloatFromS, FloatFromU, FloatToS, FloatToU
};
// clang-format on

/// Null where the op has no meaning for the type.
LaneFunction findLaneFunction(LaneOp op, LaneType type);
LaneFunction findConversion(Conversion conversion, LaneType from, LaneType to);

/// Whether this machine can run them: they are compiled for x86-64-v3.
bool canRunLanes();

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_LANEOPS_H
