//===- RecurrenceToken.cpp - what a thread computes of a token ------------===//

#include "../Common/RowProgram.h"
#include "RecurrenceEmitter.h"
#include "RowReduction.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mortar;
using Predicate = arith::CmpIPredicate;

RecurrenceEmitter::Values RecurrenceEmitter::loadScalar(unsigned number) {
  const RecurrenceOperand &operand = operands.all[number];
  return {memref::LoadOp::create(
      b, memrefs[number], indexToken(b, b.getLoc(), shape, operand, token, head, {}))};
}

/// Threads behind a row's end load another's part of it: nobody writes an input.
RecurrenceEmitter::Values RecurrenceEmitter::loadRow(unsigned number, Extent extent) {
  const RecurrenceOperand &operand = operands.all[number];
  auto at = [&](Value element) {
    return indexToken(b, b.getLoc(), shape, operand, token, head, element);
  };
  Values loaded;
  if (extent == Extent::Values) {
    for (Value row : valueRows)
      loaded.push_back(memref::LoadOp::create(b, memrefs[number], at(row)));
    return loaded;
  }
  auto type = VectorType::get({schedule.width}, operand.type.getElementType());
  for (Value column : columns) {
    auto load = vector::LoadOp::create(b, type, memrefs[number], at(column));
    load.setAlignment(
        std::min<int64_t>(16, schedule.width * int64_t(operand.elementBytes())));
    loaded.push_back(load);
  }
  return loaded;
}

/// What this thread has of each token's inputs: all arguments that aren't for every token.
void RecurrenceEmitter::findInputs() {
  for (BlockArgument argument : region.getBodyBlock()->getArguments()) {
    unsigned number = argument.getArgNumber();
    if (number >= region.getInputs().size() || argument.use_empty() ||
        !operands.all[number].tokenDims())
      continue;
    Extent extent = program.extentOf(argument);
    SmallVector<int64_t> piece = shapeOfPiece(extent);
    Type element = operands.all[number].type.getElementType();
    inputs.push_back({argument, extent});
    inputTypes.append(countPieces(extent),
                      piece.empty() ? element : VectorType::get(piece, element));
  }
}

/// All inputs of a token, so that they can arrive while there is something else to do.
RecurrenceEmitter::Values RecurrenceEmitter::loadInputs(ValueRange ofToken) {
  token = Values(ofToken);
  Values loaded;
  for (auto [argument, extent] : inputs) {
    unsigned number = argument.getArgNumber();
    llvm::append_range(loaded, extent == Extent::None ? loadScalar(number)
                                                      : loadRow(number, extent));
  }
  return loaded;
}

/// Forgets the last token for one that has `loaded`.
void RecurrenceEmitter::takeInputs(ValueRange loaded) {
  pieces.clear();
  for (auto [argument, extent] : inputs) {
    pieces[{argument, extent}] = Values(loaded.take_front(countPieces(extent)));
    loaded = loaded.drop_front(countPieces(extent));
  }
}

/// This thread's part of `value`, as `extent` is dealt.
RecurrenceEmitter::Values RecurrenceEmitter::piecesOf(Value value, Extent extent) {
  if (auto found = pieces.find({value, extent}); found != pieces.end())
    return found->second;
  if (auto found = loadedOnce.find({value, extent}); found != loadedOnce.end())
    return found->second;
  Values made;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned number = argument.getArgNumber(); // of what no token changes
    OpBuilder::InsertionGuard guard(b);
    b.restoreInsertionPoint(operands.all[number].isConstant ? early : late);
    return loadedOnce[{value, extent}] =
               extent == Extent::None ? loadScalar(number) : loadRow(number, extent);
  }
  Operation *op = value.getDefiningOp();
  if (auto broadcast = dyn_cast<RowBroadcastOp>(op)) {
    Value scalar = piecesOf(broadcast.getInput(), Extent::None)[0];
    if (!shapeOfPiece(extent).empty())
      scalar = vector::BroadcastOp::create(
          b, VectorType::get(shapeOfPiece(extent), scalar.getType()), scalar);
    made.assign(countPieces(extent), scalar);
  } else {
    made.assign(countPieces(extent),
                cloneElementwise(b, op, {}, shapeOfPiece(extent))); // a constant
  }
  return pieces[{value, extent}] = made;
}

Value RecurrenceEmitter::reduceRow(RowReduceOp op) {
  Extent extent = program.extentOf(op.getInput());
  Values row = piecesOf(op.getInput(), extent);
  auto neutral = getNeutralElement(op.getKind());
  RowSchedule dealt;
  ThreadPlace place;
  if (extent == Extent::Keys) {
    dealt.length = schedule.keys;
    dealt.width = schedule.width;
    dealt.lanes = schedule.lanes;
    dealt.chunks = schedule.chunks;
    place.lane = laneInRow;
    for (auto [piece, exists] : llvm::zip_equal(row, columnExists))
      if (exists) {
        auto none = DenseElementsAttr::get(cast<ShapedType>(piece.getType()), neutral);
        piece = b.select(exists, piece, arith::ConstantOp::create(b, none));
      }
  } else {
    // Through memory that the block shares, from which each warp reads all of it.
    auto space = gpu::AddressSpaceAttr::get(b.getContext(),
                                            gpu::GPUDialect::getWorkgroupAddressSpace());
    auto type = MemRefType::get({schedule.values}, b.getF32Type(),
                                MemRefLayoutAttrInterface{}, space);
    Value scratch = kernel.addWorkgroupAttribution(type, op.getLoc());
    Value isDealt =
        b.compare(Predicate::ult, laneInRow, b.constant(schedule.dealt()));
    for (auto [piece, at, exists] : llvm::zip_equal(row, valueRows, valueExists))
      ifThen(both(isDealt, exists), [&, piece = piece, at = at] {
        memref::StoreOp::create(b, piece, scratch, at);
      });
    gpu::BarrierOp::create(b);
    int64_t leaves = llvm::PowerOf2Ceil(schedule.values);
    dealt.length = schedule.values;
    dealt.lanes = std::min<int64_t>(32, leaves);
    dealt.chunks = leaves / dealt.lanes;
    place.lane = b.rem(lane, b.constant(dealt.lanes));
    row.clear();
    for (int64_t c = 0; c < dealt.chunks; ++c) {
      Value at = b.add(place.lane, b.constant(c * dealt.lanes));
      Value last = b.constant(schedule.values - 1);
      Value value =
          memref::LoadOp::create(b, scratch, ValueRange(arith::MinUIOp::create(b, at, last).getResult()));
      if (leaves != schedule.values) {
        Value none = arith::ConstantOp::create(b, b.getFloatAttr(b.getF32Type(), neutral));
        value = b.select(b.compare(Predicate::ule, at, last), value, none);
      }
      row.push_back(vector::BroadcastOp::create(
          b, VectorType::get({1}, b.getF32Type()), value));
    }
  }
  return emitRowReduction(b, op.getLoc(), dealt, place, op.getKind(), row,
                          /*scratch=*/Value());
}

RecurrenceEmitter::Values RecurrenceEmitter::keepPrefix(RowPrefixOp op) {
  Extent extent = program.extentOf(op.getResult());
  Values row = piecesOf(op.getInput(), extent);
  for (auto [piece, at] :
       llvm::zip_equal(row, extent == Extent::Keys ? columns : valueRows)) {
    TypedAttr fill = op.getFillAttr();
    if (auto type = dyn_cast<VectorType>(piece.getType()))
      fill = DenseElementsAttr::get(type, op.getFill());
    Value inside = b.compare(Predicate::ult, at, b.constant(op.getLength()));
    piece = b.select(inside, piece, arith::ConstantOp::create(b, fill));
  }
  return row;
}

void RecurrenceEmitter::compute(Operation &op) {
  Value result = op.getResult(0);
  Extent extent = program.extentOf(result);
  if (auto reduce = dyn_cast<RowReduceOp>(op)) {
    pieces[{result, extent}] = {reduceRow(reduce)};
  } else if (auto reduce = dyn_cast<StateReduceOp>(op)) {
    pieces[{result, extent}] = reduceState(piecesOf(reduce.getInput(), Extent::Both));
  } else if (auto prefix = dyn_cast<RowPrefixOp>(op)) {
    pieces[{result, extent}] = keepPrefix(prefix);
  } else if (auto mask = dyn_cast<MaskPaddingOp>(op)) {
    Values row = piecesOf(mask.getInput(), extent);
    for (Value &piece : row)
      piece = b.select(isPadding,
                       arith::ConstantOp::create(b, b.getZeroAttr(piece.getType())), piece);
    pieces[{result, extent}] = row;
  } else if (auto fill = dyn_cast<StateBroadcastOp>(op)) {
    bool byKeys = fill.getAxis() == StateAxis::Keys;
    Values row = piecesOf(fill.getInput(), byKeys ? Extent::Keys : Extent::Values), made;
    if (!byKeys) {
      row = program.isFlexible(fill.getInput()) &&
                    !isa<BlockArgument>(fill.getInput())
                ? Values(schedule.rows, row[0])
                : spreadValues(row);
      for (Value &value : row)
        value = vector::BroadcastOp::create(
            b, VectorType::get({schedule.width}, b.getF32Type()), value);
    }
    for (int64_t r = 0; r < schedule.rows; ++r)
      for (int64_t c = 0; c < schedule.chunks; ++c)
        made.push_back(row[byKeys ? c : r]);
    pieces[{result, extent}] = made;
  } else if (!program.isFlexible(result)) { // else it is made where it is read
    SmallVector<Values> given;
    for (Value operand : op.getOperands())
      given.push_back(piecesOf(
          operand, isa<VectorType>(operand.getType()) ? extent : Extent::None));
    Values made;
    for (size_t i = 0; i < countPieces(extent); ++i) {
      auto own = llvm::map_to_vector(
          llvm::enumerate(given), [&](auto operand) -> Value {
            return operand.value().size() == 1 ? operand.value()[0] : operand.value()[i];
          });
      made.push_back(cloneElementwise(b, &op, own, shapeOfPiece(extent)));
    }
    pieces[{result, extent}] = made;
  }
}

void RecurrenceEmitter::store(unsigned destination, Value yielded) {
  unsigned number = region.getInputs().size() + destination;
  const RecurrenceOperand &operand = operands.all[number];
  auto at = [&](Value element) {
    return indexToken(b, b.getLoc(), shape, operand, token, head, element);
  };
  Extent extent = program.extentOf(yielded);
  Values own = piecesOf(yielded, extent);
  if (extent == Extent::None) {
    Value first = b.both(b.compare(Predicate::eq, thread, b.constant(0)),
                         b.compare(Predicate::eq, partOfHead, b.constant(0)));
    ifThen(first, [&] { memref::StoreOp::create(b, own[0], memrefs[number], at({})); });
    return;
  }
  Value isDealt = b.compare(Predicate::ult, laneInRow, b.constant(schedule.dealt()));
  for (auto [value, row, exists] : llvm::zip_equal(own, valueRows, valueExists))
    ifThen(both(isDealt, exists), [&, value = value, row = row] {
      memref::StoreOp::create(b, value, memrefs[number], at(row));
    });
}
