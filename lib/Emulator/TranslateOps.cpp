//===- TranslateOps.cpp - ops on values -----------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mortar::emulator;

/// Ops that are one function of lanes, by name.
static std::optional<LaneOp> laneOpOf(Operation &op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    static constexpr LaneOp byPredicate[] = {
        LaneOp::Eq,  LaneOp::Ne,  LaneOp::LtS, LaneOp::LeS, LaneOp::GtS,
        LaneOp::GeS, LaneOp::LtU, LaneOp::LeU, LaneOp::GtU, LaneOp::GeU};
    return byPredicate[unsigned(compare.getPredicate())];
  }
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
    static constexpr LaneOp byPredicate[] = {
        LaneOp::FalseF, LaneOp::OEq, LaneOp::OGt, LaneOp::OGe,
        LaneOp::OLt,    LaneOp::OLe, LaneOp::ONe, LaneOp::Ord,
        LaneOp::UEq,    LaneOp::UGt, LaneOp::UGe, LaneOp::ULt,
        LaneOp::ULe,    LaneOp::UNe, LaneOp::Uno, LaneOp::TrueF};
    return byPredicate[unsigned(compare.getPredicate())];
  }
  using Found = std::optional<LaneOp>;
  return llvm::StringSwitch<Found>(op.getName().getStringRef())
      .Case("arith.addi", LaneOp::AddI)
      .Case("arith.subi", LaneOp::SubI)
      .Case("arith.muli", LaneOp::MulI)
      .Case("arith.divui", LaneOp::DivU)
      .Case("arith.divsi", LaneOp::DivS)
      .Case("arith.remui", LaneOp::RemU)
      .Case("arith.remsi", LaneOp::RemS)
      .Case("arith.ceildivui", LaneOp::CeilDivU)
      .Case("arith.ceildivsi", LaneOp::CeilDivS)
      .Case("arith.floordivsi", LaneOp::FloorDivS)
      .Case("arith.andi", LaneOp::And)
      .Case("arith.ori", LaneOp::Or)
      .Case("arith.xori", LaneOp::Xor)
      .Case("arith.shli", LaneOp::Shl)
      .Case("arith.shrui", LaneOp::ShrU)
      .Case("arith.shrsi", LaneOp::ShrS)
      .Case("arith.minui", LaneOp::MinU)
      .Case("arith.maxui", LaneOp::MaxU)
      .Case("arith.minsi", LaneOp::MinS)
      .Case("arith.maxsi", LaneOp::MaxS)
      .Case("arith.addf", LaneOp::AddF)
      .Case("arith.subf", LaneOp::SubF)
      .Case("arith.mulf", LaneOp::MulF)
      .Case("arith.divf", LaneOp::DivF)
      .Case("arith.negf", LaneOp::NegF)
      .Case("arith.maximumf", LaneOp::MaximumF)
      .Case("arith.minimumf", LaneOp::MinimumF)
      .Case("arith.maxnumf", LaneOp::MaxNumF)
      .Case("arith.minnumf", LaneOp::MinNumF)
      .Case("math.fma", LaneOp::Fma)
      .Case("vector.fma", LaneOp::Fma)
      .Case("math.sqrt", LaneOp::Sqrt)
      .Case("math.absf", LaneOp::AbsF)
      .Case("math.floor", LaneOp::Floor)
      .Case("math.ceil", LaneOp::Ceil)
      .Case("math.trunc", LaneOp::TruncF)
      .Case("math.roundeven", LaneOp::RoundEven)
      .Case("math.copysign", LaneOp::CopySign)
      .Case("arith.bitcast", LaneOp::Copy)
      .Default(Found());
}

static bool isDivision(LaneOp op) {
  return op >= LaneOp::DivU && op <= LaneOp::FloorDivS;
}

LogicalResult Translator::addLanes(Operation &op, LaneFunction function,
                                   uint32_t elements) {
  if (!function)
    return op.emitError() << "expected types of which the emulator knows '"
                          << op.getName() << "', but found "
                          << op.getOperand(0).getType();
  SmallVector<Register> operands = llvm::map_to_vector(
      op.getOperands(), [&](Value value) { return use(value); });
  FailureOr<Register> result = define(op.getResult(0), op);
  if (failed(result))
    return failure();
  Instruction &made = emit(Step::Lanes);
  made.function = function;
  made.count = elements * warpSize;
  made.result = result->place;
  uint32_t *places[] = {&made.a, &made.b, &made.c};
  for (auto [place, operand] : llvm::zip(places, operands))
    *place = operand.place;
  return success();
}

LogicalResult Translator::addConversion(Operation &op, Conversion conversion) {
  Register from = use(op.getOperand(0));
  FailureOr<Register> to = registerFor(op.getResult(0).getType(), op);
  if (failed(to))
    return failure();
  return addLanes(op, findConversion(conversion, from.type, to->type),
                  from.elements);
}

std::optional<LogicalResult> Translator::addArith(Operation &op) {
  if (auto kind = laneOpOf(op)) {
    Register first = use(op.getOperand(0));
    if (isDivision(*kind)) {
      Register divisor = use(op.getOperand(1));
      Instruction &check = emit(Step::CheckDivisor);
      check.a = divisor.place;
      check.size = laneBytes(divisor.type);
      check.count = divisor.elements * warpSize;
    }
    if (*kind == LaneOp::Copy) {
      FailureOr<Register> to = registerFor(op.getResult(0).getType(), op);
      if (failed(to) || laneBytes(to->type) != laneBytes(first.type))
        return op.emitError("expected a bitcast between types of one size");
    }
    return addLanes(op, findLaneFunction(*kind, first.type), first.elements);
  }
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(&op)
      .Case([&](arith::ConstantOp constant) {
        return define(op, constant.getValue());
      })
      .Case([&](arith::SelectOp select) {
        Register condition = use(select.getCondition()),
                 value = use(select.getTrueValue());
        bool byLane = condition.elements != value.elements;
        return addLanes(
            op,
            findLaneFunction(byLane ? LaneOp::SelectByLane : LaneOp::Select,
                             value.type),
            value.elements);
      })
      .Case([&](arith::ExtUIOp) {
        return addConversion(op, Conversion::ZeroExtend);
      })
      .Case([&](arith::ExtSIOp) {
        return addConversion(op, Conversion::SignExtend);
      })
      .Case([&](arith::TruncIOp) {
        return addConversion(op, Conversion::Truncate);
      })
      .Case([&](arith::IndexCastOp) {
        return addConversion(op, Conversion::SignExtend);
      })
      .Case([&](arith::IndexCastUIOp) {
        return addConversion(op, Conversion::ZeroExtend);
      })
      .Case(
          [&](arith::ExtFOp) { return addConversion(op, Conversion::ToFloat); })
      .Case([&](arith::TruncFOp) {
        return addConversion(op, Conversion::ToFloat);
      })
      .Case([&](arith::SIToFPOp) {
        return addConversion(op, Conversion::FloatFromS);
      })
      .Case([&](arith::UIToFPOp) {
        return addConversion(op, Conversion::FloatFromU);
      })
      .Case([&](arith::FPToSIOp) {
        return addConversion(op, Conversion::FloatToS);
      })
      .Case([&](arith::FPToUIOp) {
        return addConversion(op, Conversion::FloatToU);
      })
      .Default(std::optional<LogicalResult>());
}

LogicalResult Translator::addShuffle(gpu::ShuffleOp op) {
  Register value = use(op.getValue());
  Register offset = use(op.getOffset()), width = use(op.getWidth());
  FailureOr<Register> result = define(op.getShuffleResult(), *op);
  FailureOr<Register> valid = define(op.getValid(), *op);
  if (failed(result) || failed(valid))
    return failure();
  if (value.elements != 1)
    return op.emitError() << "expected a number to shuffle, but found "
                          << op.getValue().getType();
  ShuffleMode mode = ShuffleMode::Xor;
  switch (op.getMode()) {
  case gpu::ShuffleMode::XOR:
    mode = ShuffleMode::Xor;
    break;
  case gpu::ShuffleMode::UP:
    mode = ShuffleMode::Up;
    break;
  case gpu::ShuffleMode::DOWN:
    mode = ShuffleMode::Down;
    break;
  case gpu::ShuffleMode::IDX:
    mode = ShuffleMode::Idx;
    break;
  }
  Instruction &made = emit(Step::Shuffle);
  made.size = laneBytes(value.type);
  made.result = result->place;
  made.count = valid->place;
  made.a = value.place;
  made.b = offset.place;
  made.c = width.place;
  made.target = uint32_t(mode);
  return success();
}

std::optional<LogicalResult> Translator::addGPU(Operation &op) {
  auto coordinate = [&](unsigned first,
                        gpu::Dimension dimension) -> LogicalResult {
    FailureOr<Register> to = define(op.getResult(0), op);
    if (failed(to))
      return failure();
    Instruction &made = emit(Step::Coordinate);
    made.result = to->place;
    made.target = first + unsigned(dimension);
    return success();
  };
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(&op)
      .Case(
          [&](gpu::ThreadIdOp id) { return coordinate(0, id.getDimension()); })
      .Case([&](gpu::BlockIdOp id) { return coordinate(3, id.getDimension()); })
      .Case([&](gpu::BlockDimOp size) {
        return coordinate(6, size.getDimension());
      })
      .Case([&](gpu::GridDimOp size) {
        return coordinate(9, size.getDimension());
      })
      .Case([&](gpu::LaneIdOp) { return coordinate(12, gpu::Dimension::x); })
      .Case([&](gpu::ShuffleOp shuffle) { return addShuffle(shuffle); })
      .Case([&](gpu::BarrierOp) {
        emit(Step::Barrier);
        program.hasBarrier = true;
        return success();
      })
      .Case([&](gpu::ReturnOp) {
        emit(Step::Return);
        return success();
      })
      .Case([&](NVVM::GriddepcontrolOp control) {
        bool waits = control.getKind() == NVVM::GridDepActionKind::wait;
        emit(waits ? Step::Wait : Step::Nothing);
        return success();
      })
      .Default(std::optional<LogicalResult>());
}

LogicalResult Translator::addOp(Operation &op) {
  for (auto add : {&Translator::addArith, &Translator::addVector,
                   &Translator::addGPU, &Translator::addMemory})
    if (std::optional<LogicalResult> added = (this->*add)(op))
      return *added;
  return op.emitError() << "expected ops that the emulator knows, but found '"
                        << op.getName() << "'";
}
