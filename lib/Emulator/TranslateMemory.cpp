//===- TranslateMemory.cpp - memrefs and accesses -------------------------===//

#include "Translator.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mortar::emulator;

/// A parameter is a bare pointer, so its shape must be static.
FailureOr<View> Translator::viewOfArgument(BlockArgument argument) {
  auto type = cast<MemRefType>(argument.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type.hasStaticShape() ||
      failed(type.getStridesAndOffset(strides, offset)) || offset != 0 ||
      llvm::is_contained(strides, ShapedType::kDynamic))
    return func.emitError()
           << "expected memref parameters of static shape, which are bare "
              "pointers, but found "
           << type;
  FailureOr<Register> element = registerFor(type.getElementType(), *func);
  if (failed(element))
    return failure();
  View view;
  view.number = argument.getArgNumber();
  view.elementBytes = laneBytes(element->type);
  for (auto [size, stride] : llvm::zip_equal(type.getShape(), strides)) {
    view.sizes.push_back({size, -1});
    view.strides.push_back({stride, -1});
  }
  return view;
}

IndexOperand Translator::indexOperand(OpFoldResult value) {
  if (auto attribute = dyn_cast<Attribute>(value))
    return {cast<IntegerAttr>(attribute).getInt(), -1};
  return {0, int64_t(use(cast<Value>(value)).place)};
}

LogicalResult Translator::addView(Operation &op) {
  auto cast = ::cast<memref::ReinterpretCastOp>(op);
  auto found = views.find(cast.getSource());
  if (found == views.end())
    return op.emitError(
        "expected a memref that is a parameter or workgroup memory");
  View view = found->second;
  if (view.offset.place >= 0 || view.offset.value)
    return op.emitError(
        "expected one reinterpret_cast of a buffer, but found one of "
        "another's result");
  view.offset = indexOperand(cast.getMixedOffsets()[0]);
  view.sizes.clear();
  view.strides.clear();
  for (OpFoldResult size : cast.getMixedSizes())
    view.sizes.push_back(indexOperand(size));
  for (OpFoldResult stride : cast.getMixedStrides())
    view.strides.push_back(indexOperand(stride));
  views[cast.getResult()] = view;
  return success();
}

/// `value`: what is loaded (a result) or stored; null for a prefetch. An
/// alignment of 0 is the element's.
LogicalResult Translator::addAccess(Operation &op, Step step, Value memref,
                                    OperandRange indices, Value value,
                                    uint64_t alignment, Value mask) {
  auto found = views.find(memref);
  if (found == views.end())
    return op.emitError(
        "expected a memref that is a parameter, workgroup memory or a "
        "reinterpret_cast of one, but found another");
  auto type = cast<MemRefType>(memref.getType());
  Access access;
  access.view = found->second;
  access.alignment = alignment ? alignment : access.view.elementBytes;
  for (Value index : indices)
    access.indices.push_back(use(index).place);
  if (value) {
    auto vector = dyn_cast<VectorType>(value.getType());
    access.elements = vector ? vector.getNumElements() : 1;
    if (access.elements > 1 &&
        (access.view.strides.empty() || access.view.strides.back().place >= 0 ||
         access.view.strides.back().value != 1))
      return op.emitError()
             << "expected vectors to be of elements side by side, but found "
             << type;
    if (vector && vector.getElementType() != type.getElementType())
      return op.emitError()
             << "expected vectors of the memref's elements, but found "
             << vector << " in " << type;
  }
  if (mask)
    access.mask = use(mask).place;
  if (step == Step::Load) {
    FailureOr<Register> result = define(value, op);
    if (failed(result))
      return failure();
    access.value = result->place;
  } else if (step == Step::Store) {
    access.value = use(value).place;
  }
  program.ops[currentOp].buffer =
      access.view.isWorkgroup
          ? program.workgroup[access.view.number].name
          : "parameter " + std::to_string(access.view.number);
  emit(step).target = program.accesses.size();
  program.accesses.push_back(std::move(access));
  return success();
}

std::optional<LogicalResult> Translator::addMemory(Operation &op) {
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(&op)
      .Case([&](memref::ReinterpretCastOp) { return addView(op); })
      .Case([&](memref::LoadOp load) {
        return addAccess(op, Step::Load, load.getMemref(), load.getIndices(),
                         load.getResult(), load.getAlignment().value_or(0));
      })
      .Case([&](memref::StoreOp store) {
        return addAccess(op, Step::Store, store.getMemref(), store.getIndices(),
                         store.getValueToStore(),
                         store.getAlignment().value_or(0));
      })
      .Case([&](memref::PrefetchOp prefetch) {
        return addAccess(op, Step::Prefetch, prefetch.getMemref(),
                         prefetch.getIndices(), {}, 0);
      })
      .Case([&](vector::LoadOp load) {
        return addAccess(op, Step::Load, load.getBase(), load.getIndices(),
                         load.getResult(), load.getAlignment().value_or(0));
      })
      .Case([&](vector::StoreOp store) {
        return addAccess(op, Step::Store, store.getBase(), store.getIndices(),
                         store.getValueToStore(),
                         store.getAlignment().value_or(0));
      })
      .Case([&](vector::MaskedLoadOp load) -> LogicalResult {
        Register otherwise = use(load.getPassThru());
        if (failed(addAccess(op, Step::Load, load.getBase(), load.getIndices(),
                             load.getResult(), load.getAlignment().value_or(0),
                             load.getMask())))
          return failure();
        // What the mask leaves out stays as it was put there before the load.
        Instruction access = program.code.back();
        program.code.pop_back();
        isFirst = true;
        emitCopy(use(load.getResult()), otherwise, /*activeOnly=*/false);
        access.countsOp = false;
        program.code.push_back(access);
        return success();
      })
      .Case([&](vector::MaskedStoreOp store) {
        return addAccess(op, Step::Store, store.getBase(), store.getIndices(),
                         store.getValueToStore(),
                         store.getAlignment().value_or(0), store.getMask());
      })
      .Default(std::optional<LogicalResult>());
}
