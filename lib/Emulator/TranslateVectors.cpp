//===- TranslateVectors.cpp - ops that move a vector's elements -----------===//

#include "Translator.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mortar::emulator;

/// Element first + i of `to` becomes element sources[i] of `from`.
LogicalResult Translator::moveElements(Operation &op, Register from,
                                       ArrayRef<int64_t> sources, Register to,
                                       uint32_t first) {
  uint32_t bytes = laneBytes(to.type) * warpSize;
  for (auto [i, source] : llvm::enumerate(sources)) {
    if (source < 0 || source >= int64_t(from.elements))
      return op.emitError() << "expected elements 0 to " << from.elements - 1
                            << " of a vector, but found " << source;
    Instruction &copy = emitCopy(to, from, /*activeOnly=*/false);
    copy.count = warpSize;
    copy.result = to.place + (first + i) * bytes;
    copy.a = from.place + source * bytes;
  }
  return success();
}

std::optional<LogicalResult> Translator::addVector(Operation &op) {
  auto result = [&]() { return define(op.getResult(0), op); };
  auto sequence = [](int64_t count) {
    return llvm::to_vector(llvm::seq<int64_t>(count));
  };
  auto dynamic = [&] {
    return op.emitError(
        "expected a position that is known, but found a dynamic one");
  };
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(&op)
      .Case([&](vector::ExtractOp extract) -> LogicalResult {
        if (!extract.getDynamicPosition().empty())
          return dynamic();
        FailureOr<Register> to = result();
        ArrayRef<int64_t> at = extract.getStaticPosition();
        return failed(to) ? failure()
                          : moveElements(op, use(extract.getSource()),
                                         at.empty() ? ArrayRef<int64_t>(0) : at,
                                         *to, 0);
      })
      .Case([&](vector::InsertOp insert) -> LogicalResult {
        if (!insert.getDynamicPosition().empty())
          return dynamic();
        FailureOr<Register> to = result();
        if (failed(to))
          return failure();
        ArrayRef<int64_t> at = insert.getStaticPosition();
        emitCopy(*to, use(insert.getDest()), /*activeOnly=*/false);
        return moveElements(op, use(insert.getValueToStore()), {0}, *to,
                            at.empty() ? 0 : at[0]);
      })
      .Case([&](vector::ShuffleOp shuffle) -> LogicalResult {
        Register first = use(shuffle.getV1()), second = use(shuffle.getV2());
        FailureOr<Register> to = result();
        if (failed(to))
          return failure();
        for (auto [i, source] : llvm::enumerate(shuffle.getMask())) {
          bool isSecond = source >= int64_t(first.elements);
          if (failed(moveElements(
                  op, isSecond ? second : first,
                  {isSecond ? source - int64_t(first.elements) : source}, *to,
                  i)))
            return failure();
        }
        return success();
      })
      .Case([&](vector::BroadcastOp broadcast) -> LogicalResult {
        Register from = use(broadcast.getSource());
        FailureOr<Register> to = result();
        if (failed(to))
          return failure();
        SmallVector<int64_t> sources(to->elements, 0);
        return moveElements(
            op, from,
            from.elements == to->elements ? sequence(to->elements) : sources,
            *to, 0);
      })
      .Case([&](vector::FromElementsOp gather) -> LogicalResult {
        FailureOr<Register> to = result();
        if (failed(to))
          return failure();
        for (auto [i, element] : llvm::enumerate(gather.getElements()))
          if (failed(moveElements(op, use(element), {0}, *to, i)))
            return failure();
        return success();
      })
      .Case([&](vector::ShapeCastOp cast) -> LogicalResult {
        FailureOr<Register> to = result();
        return failed(to) ? failure()
                          : moveElements(op, use(cast.getSource()),
                                         sequence(to->elements), *to, 0);
      })
      .Case([&](vector::ExtractStridedSliceOp slice) -> LogicalResult {
        int64_t first = cast<IntegerAttr>(slice.getOffsets()[0]).getInt();
        FailureOr<Register> to = result();
        if (failed(to))
          return failure();
        SmallVector<int64_t> sources;
        for (uint32_t i = 0; i < to->elements; ++i)
          sources.push_back(first + i);
        return moveElements(op, use(slice.getSource()), sources, *to, 0);
      })
      .Case([&](vector::InsertStridedSliceOp slice) -> LogicalResult {
        int64_t first = cast<IntegerAttr>(slice.getOffsets()[0]).getInt();
        Register value = use(slice.getValueToStore());
        FailureOr<Register> to = result();
        if (failed(to))
          return failure();
        emitCopy(*to, use(slice.getDest()), /*activeOnly=*/false);
        return moveElements(op, value, sequence(value.elements), *to, first);
      })
      .Case([&](vector::ConstantMaskOp mask) -> LogicalResult {
        auto type = mask.getType();
        SmallVector<bool> bits;
        for (int64_t i = 0; i < type.getNumElements(); ++i)
          bits.push_back(i < mask.getMaskDimSizes()[0]);
        return define(op, DenseElementsAttr::get(type, bits));
      })
      .Case([&](vector::CreateMaskOp mask) -> LogicalResult {
        Register bound = use(mask.getOperand(0));
        FailureOr<Register> to = result();
        if (failed(to))
          return failure();
        for (uint32_t i = 0; i < to->elements; ++i) {
          Instruction &less = emit(Step::Lanes);
          less.function = findLaneFunction(LaneOp::LtS, LaneType::I64);
          less.count = warpSize;
          less.result = to->place + i * warpSize;
          less.a = constantIndex(i).place;
          less.b = bound.place;
        }
        return success();
      })
      .Default(std::optional<LogicalResult>());
}
