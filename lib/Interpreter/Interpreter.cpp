//===- Interpreter.cpp - functions, views and regions on tensors ----------===//

#include "mortar/Interpreter/Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::interpreter;
using execution::Tensor;
using runtime::ElementType;

//===----------------------------------------------------------------------===//
// Arrays and tensors
//===----------------------------------------------------------------------===//

static Type typeOf(ElementType type, MLIRContext *context) {
  Builder b(context);
  switch (type) {
  case ElementType::F32: return b.getF32Type();
  case ElementType::F16: return b.getF16Type();
  case ElementType::BF16: return b.getBF16Type();
  case ElementType::F8E4M3: return Float8E4M3FNType::get(context);
  case ElementType::I8: return b.getI8Type();
  case ElementType::I32: return b.getI32Type();
  case ElementType::I64: return b.getI64Type();
  case ElementType::F8E8M0: return Float8E8M0FNUType::get(context);
  }
  llvm_unreachable("all types are named above");
}

Array interpreter::fromTensor(const Tensor &tensor, MLIRContext *context) {
  Array array{typeOf(tensor.type, context), tensor.shape, {}};
  for (size_t i = 0, e = tensor.count(); i < e; ++i)
    array.bits.push_back(tensor.bits(i));
  return array;
}

FailureOr<Tensor> interpreter::toTensor(const Array &array) {
  for (uint32_t number = 0; number < runtime::numElementTypes; ++number) {
    auto type = ElementType(number);
    if (typeOf(type, array.elementType.getContext()) != array.elementType)
      continue;
    Tensor tensor{type, array.shape, {}};
    for (uint64_t bits : array.bits) // little endian, as every machine of ours
      tensor.bytes.append(reinterpret_cast<const char *>(&bits),
                          runtime::elementTypeBytes(type));
    return tensor;
  }
  return failure();
}

/// Elements of a shape.
static int64_t countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// The shape of `type`, with `sizes` for what is dynamic.
static std::vector<int64_t> fillIn(RankedTensorType type, ArrayRef<int64_t> sizes) {
  std::vector<int64_t> shape;
  for (int64_t extent : type.getShape()) {
    bool dynamic = ShapedType::isDynamic(extent);
    shape.push_back(dynamic ? sizes.front() : extent);
    sizes = sizes.drop_front(dynamic);
  }
  return shape;
}

/// The same elements in another shape.
static FailureOr<Array> reshape(Operation *op, const Array &source,
                                std::vector<int64_t> shape) {
  if (countElements(shape) != int64_t(source.bits.size()))
    return op->emitError() << "expected a view of " << source.bits.size()
                           << " elements, but found one of " << countElements(shape);
  return Array{source.elementType, std::move(shape), source.bits};
}

static FailureOr<Array> collapse(tensor::CollapseShapeOp op, const Array &source) {
  std::vector<int64_t> shape;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    int64_t extent = 1;
    for (int64_t dim : group)
      extent *= source.shape[dim];
    shape.push_back(extent);
  }
  return reshape(op, source, std::move(shape));
}

static FailureOr<Array> slice(tensor::ExtractSliceOp op, const Array &source,
                              ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                              ArrayRef<int64_t> strides) {
  for (auto [dim, extent] : llvm::enumerate(source.shape)) {
    int64_t last = sizes[dim] ? offsets[dim] + (sizes[dim] - 1) * strides[dim] : 0;
    if (offsets[dim] < 0 || sizes[dim] < 0 || last < 0 || last >= std::max(extent, int64_t(1)))
      return op.emitError() << "the slice leaves its source in dimension " << dim;
  }
  Array result{source.elementType, {}, {}};
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (!dropped[dim])
      result.shape.push_back(size);
  for (int64_t i = 0, e = countElements(sizes); i < e; ++i) {
    int64_t rest = i, at = 0, pitch = 1;
    for (size_t dim = sizes.size(); dim-- > 0;) {
      at += (offsets[dim] + rest % sizes[dim] * strides[dim]) * pitch;
      rest /= sizes[dim];
      pitch *= source.shape[dim];
    }
    result.bits.push_back(source.bits[at]);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// How many rows `map` sees in an array.
static int64_t countRows(RowMap map, const Array &array) {
  return countElements(ArrayRef(array.shape).drop_back(map == RowMap::Heads ? 2 : 1));
}

/// What the program of row `row` sees of an input.
static Array seeThrough(RowMap map, const Array &input, int64_t row) {
  if (map == RowMap::Column)
    return input;
  if (map == RowMap::Scalar)
    return Array{input.elementType, {}, input.bits};
  int64_t length = input.shape.back();
  if (map == RowMap::Heads)
    length *= input.shape[input.shape.size() - 2];
  auto begin = input.bits.begin() + row * length;
  Array seen{input.elementType, {length}, {begin, begin + length}};
  if (map == RowMap::RowScalar)
    seen.shape.clear();
  return seen;
}

FailureOr<std::vector<Array>> Interpreter::runRegion(FusedOp region, Values &values) {
  if (!region.hasPureTensorSemantics())
    return region.emitError("the interpreter runs regions on tensors, but found memrefs");
  std::vector<Array> results;
  for (Value init : region.getInits())
    results.push_back(values[init]);
  if (region.isRecurrence()) {
    std::vector<const Array *> inputs;
    for (Value input : region.getInputs())
      inputs.push_back(&values[input]);
    if (failed(runRecurrence(region, std::move(inputs), results)))
      return failure();
    return results;
  }
  for (Array &result : results)
    result.bits.clear();
  int64_t rows = countRows(region.getInitMap(0), results[0]);
  for (auto [i, input] : llvm::enumerate(region.getInputs())) {
    RowMap map = region.getInputMap(i);
    int64_t found = countRows(map, values[input]);
    if (isPerRow(map) && found != rows)
      return region.emitError() << "expected input " << i << " to have " << rows
                                << " rows, but found " << found;
  }
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<Array> arguments;
    for (auto [i, input] : llvm::enumerate(region.getInputs()))
      arguments.push_back(seeThrough(region.getInputMap(i), values[input], row));
    auto yielded = evaluateRow(region, std::move(arguments));
    if (failed(yielded))
      return failure();
    for (auto [result, value] : llvm::zip_equal(results, *yielded))
      result.bits.insert(result.bits.end(), value.bits.begin(), value.bits.end());
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

FailureOr<std::vector<Array>> Interpreter::runCall(func::CallOp call, Values &values) {
  auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
  std::vector<Array> arguments;
  for (Value operand : call.getOperands())
    arguments.push_back(values[operand]);
  if (handler) {
    auto handled = handler(callee, arguments);
    if (failed(handled))
      return failure();
    if (*handled)
      return std::move(**handled);
  }
  if (callee.isExternal())
    return call.emitError() << "the interpreter can't call '" << call.getCallee()
                            << "', which has no body";
  return run(callee, arguments);
}

FailureOr<std::vector<Array>> Interpreter::runOp(Operation *op, Values &values) {
  auto indices = [&](ArrayRef<OpFoldResult> sizes) {
    return llvm::map_to_vector(sizes, [&](OpFoldResult size) {
      if (auto constant = getConstantIntValue(size))
        return *constant;
      return values[cast<Value>(size)].asIndex();
    });
  };
  auto dynamic = [&](ValueRange sizes) {
    return llvm::map_to_vector(sizes, [&](Value size) { return values[size].asIndex(); });
  };
  auto one = [](FailureOr<Array> array) -> FailureOr<std::vector<Array>> {
    if (failed(array))
      return failure();
    return std::vector<Array>{std::move(*array)};
  };
  using Results = FailureOr<std::vector<Array>>;
  return llvm::TypeSwitch<Operation *, Results>(op)
      .Case([&](FusedOp region) { return runRegion(region, values); })
      .Case([&](func::CallOp call) { return runCall(call, values); })
      .Case([&](scf::IfOp branch) -> Results {
        bool taken = values[branch.getCondition()].bits[0];
        Region &region = taken ? branch.getThenRegion() : branch.getElseRegion();
        return region.empty() ? std::vector<Array>() : runBlock(region.front(), values);
      })
      .Case([&](tensor::EmptyOp empty) {
        // Nobody may read it: any bits will do, and these are no small number.
        auto shape = fillIn(empty.getType(), dynamic(empty.getDynamicSizes()));
        std::vector<uint64_t> bits(countElements(shape), 0x55);
        return one(Array{empty.getType().getElementType(), shape, std::move(bits)});
      })
      .Case([&](tensor::DimOp dim) {
        int64_t extent = values[dim.getSource()].shape[values[dim.getIndex()].asIndex()];
        return one(Array{dim.getType(), {}, {uint64_t(extent)}});
      })
      .Case([&](tensor::CastOp cast) {
        return one(values[cast.getSource()]);
      })
      .Case([&](tensor::CollapseShapeOp view) {
        return one(collapse(view, values[view.getSrc()]));
      })
      .Case([&](tensor::ExpandShapeOp view) {
        auto shape = indices(view.getMixedOutputShape());
        return one(reshape(view, values[view.getSrc()], {shape.begin(), shape.end()}));
      })
      .Case([&](tensor::ExtractSliceOp view) {
        return one(slice(view, values[view.getSource()],
                         indices(view.getMixedOffsets()), indices(view.getMixedSizes()),
                         indices(view.getMixedStrides())));
      })
      .Default([&](Operation *other) {
        SmallVector<const Array *> operands;
        for (Value operand : other->getOperands())
          operands.push_back(&values[operand]);
        return one(evaluateElementwise(other, operands));
      });
}

FailureOr<std::vector<Array>> Interpreter::runBlock(Block &block, Values &values) {
  for (Operation &op : block.without_terminator()) {
    auto results = runOp(&op, values);
    if (failed(results))
      return failure();
    for (auto [value, result] : llvm::zip_equal(op.getResults(), *results))
      values[value] = std::move(result);
  }
  std::vector<Array> given;
  for (Value operand : block.getTerminator()->getOperands())
    given.push_back(values[operand]);
  return given;
}

FailureOr<std::vector<Array>> Interpreter::run(func::FuncOp function,
                                               const std::vector<Array> &arguments) {
  if (function.isExternal() || !llvm::hasSingleElement(function.getBody()))
    return function.emitError("the interpreter runs functions of one block");
  if (arguments.size() != function.getNumArguments())
    return function.emitError() << "expected " << function.getNumArguments()
                                << " arguments, but found " << arguments.size();
  Values values;
  for (auto [argument, value] :
       llvm::zip_equal(function.getBody().getArguments(), arguments))
    values[argument] = value;
  return runBlock(function.getBody().front(), values);
}
