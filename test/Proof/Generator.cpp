//===- Generator.cpp - valid programs that nobody wrote -------------------===//

#include "Generator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::proof;

/// Row lengths around powers of two and of real layers; a long one now and then.
static int64_t pickWidth(Random &random) {
  static const int64_t usual[] = {1,  2,  3,  5,   7,   8,   16,  31,  32,  33,  63, 64,
                                  96, 111, 127, 128, 129, 130, 192, 255, 256, 384, 500};
  static const int64_t longer[] = {512, 640, 769, 1000, 1024, 2048, 3077, 4096, 5125};
  return random.oneIn(16) ? random.pick(ArrayRef(longer)) : random.pick(ArrayRef(usual));
}

Generator::Generator(MLIRContext *context, uint64_t seed)
    : random(seed), b(UnknownLoc::get(context), context), width(pickWidth(random)) {
  const int64_t dynamic = ShapedType::kDynamic;
  int64_t rows = 1 + random.below(6), heads = 2 + random.below(3);
  SmallVector<int64_t> forms[] = {{dynamic}, {dynamic}, {rows},
                                  {dynamic, heads}, {rows, heads}};
  leading = forms[random.below(std::size(forms))];
  Type elements[] = {b.getBF16Type(), b.getF16Type(), b.getF32Type()};
  favourite = elements[random.below(4) % 3];
  wideOneIn = random.oneIn(4) ? 2 : 10;
}

Type Generator::pickElement() {
  if (!random.oneIn(3))
    return favourite;
  Type elements[] = {b.getBF16Type(), b.getF16Type(), b.getF32Type()};
  return random.pick(ArrayRef(elements));
}

RankedTensorType Generator::typeLike(Value like, Type element, int64_t rowWidth) {
  auto type = cast<RankedTensorType>(like.getType());
  SmallVector<int64_t> shape(type.getShape());
  if (rowWidth)
    shape.back() = rowWidth;
  return RankedTensorType::get(shape, element);
}

Value Generator::addArgument(RankedTensorType type) {
  return function.getBody().front().addArgument(type, b.getLoc());
}

Value Generator::addColumn(Type element) {
  return addArgument(RankedTensorType::get({width}, element));
}

Value Generator::addTensorScalar() {
  return addArgument(RankedTensorType::get({1}, b.getF32Type()));
}

/// f32, f16 or bf16: not what is only stored.
static bool isComputedWith(Type element) {
  return element.isF32() || element.isF16() || element.isBF16();
}

/// A late value that fits, or null.
Value Generator::choose(llvm::function_ref<bool(Value)> fits) {
  SmallVector<Value> fitting(llvm::make_filter_range(pool, fits));
  if (fitting.empty())
    return {};
  size_t back = random.oneIn(3) ? random.below(fitting.size())
                                : random.below(std::min<size_t>(2, fitting.size()));
  return fitting[fitting.size() - 1 - back];
}

Value Generator::pickRows(int64_t rowWidth, Type element) {
  if (!random.oneIn(5))
    if (Value value = choose([&](Value value) {
          Type found = getElementTypeOrSelf(value.getType());
          return rowLength(value.getType()) == rowWidth &&
                 (element ? found == element : isComputedWith(found));
        }))
      return value;
  SmallVector<int64_t> shape(leading);
  shape.push_back(rowWidth);
  Value argument =
      addArgument(RankedTensorType::get(shape, element ? element : pickElement()));
  if (random.oneIn(3)) // or else a program reads more of what comes from outside
    pool.push_back(argument);
  return argument;
}

Value Generator::pickLike(Value like, Type element) {
  auto type = cast<RankedTensorType>(like.getType());
  if (!random.oneIn(3))
    if (Value value = choose([&](Value value) {
          auto found = cast<RankedTensorType>(value.getType());
          return found.getShape() == type.getShape() &&
                 (element ? found.getElementType() == element
                          : isComputedWith(found.getElementType()));
        }))
      return value;
  return addArgument(
      RankedTensorType::get(type.getShape(), element ? element : pickElement()));
}

//===----------------------------------------------------------------------===//
// What stands between ops
//===----------------------------------------------------------------------===//

Value Generator::makeOp() {
  unsigned sum = 0;
  for (const OpMaker &maker : getOpMakers())
    sum += maker.weight;
  size_t number = random.below(sum);
  for (const OpMaker &maker : getOpMakers()) {
    if (number < maker.weight)
      return maker.make(*this);
    number -= maker.weight;
  }
  llvm_unreachable("below the sum of the weights");
}

/// An exact view: rows joined, split or of a size that is no longer static.
Value Generator::makeView() {
  Value source = pickRows(pickRowWidth());
  auto type = cast<RankedTensorType>(source.getType());
  int64_t rowWidth = rowLength(type);
  if (type.getRank() == 3) {
    int64_t rows = type.getDimSize(0) == ShapedType::kDynamic
                       ? ShapedType::kDynamic
                       : type.getDimSize(0) * type.getDimSize(1);
    auto flat = RankedTensorType::get({rows, rowWidth}, type.getElementType());
    return tensor::CollapseShapeOp::create(
        b, flat, source, SmallVector<ReassociationIndices>{{0, 1}, {2}});
  }
  if (type.isDynamicDim(0)) {
    auto split = RankedTensorType::get({ShapedType::kDynamic, 1, rowWidth},
                                       type.getElementType());
    return tensor::ExpandShapeOp::create(
        b, split, source, SmallVector<ReassociationIndices>{{0, 1}, {2}});
  }
  if (random.oneIn(2) && type.getDimSize(0) % 2 == 0) {
    auto split = RankedTensorType::get({2, type.getDimSize(0) / 2, rowWidth},
                                       type.getElementType());
    return tensor::ExpandShapeOp::create(
        b, split, source, SmallVector<ReassociationIndices>{{0, 1}, {2}});
  }
  auto open = RankedTensorType::get({ShapedType::kDynamic, rowWidth},
                                    type.getElementType());
  Value cast = tensor::CastOp::create(b, open, source);
  return random.oneIn(2) ? cast : tensor::CastOp::create(b, type, cast).getResult();
}

/// Some columns of a wider argument: one of q, k and v in a projection's result.
Value Generator::makeSlice() {
  int64_t parts = 2 + random.below(2), rowWidth = pickRowWidth();
  SmallVector<int64_t> shape(leading);
  shape.push_back(parts * rowWidth);
  Value whole = addArgument(RankedTensorType::get(shape, pickElement()));
  SmallVector<OpFoldResult> offsets, sizes, strides;
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    offsets.push_back(b.getIndexAttr(0));
    strides.push_back(b.getIndexAttr(1));
    if (ShapedType::isDynamic(extent))
      sizes.push_back(tensor::DimOp::create(b, whole, dim).getResult());
    else
      sizes.push_back(b.getIndexAttr(extent));
  }
  offsets.back() = b.getIndexAttr(random.below(parts) * rowWidth);
  sizes.back() = b.getIndexAttr(rowWidth);
  return tensor::ExtractSliceOp::create(b, whole, offsets, sizes, strides);
}

/// A matmul's place: a call of something that isn't Mortar's.
Value Generator::callForeign(Value x) {
  std::string name = "foreign" + std::to_string(random.below(1u << 30));
  OpBuilder atTop(function);
  auto callee = func::FuncOp::create(atTop, b.getLoc(), name,
                                     b.getFunctionType(x.getType(), x.getType()));
  callee.setPrivate();
  return func::CallOp::create(b, callee, ValueRange{x}).getResult(0);
}

Value Generator::makeForeignCall() { return callForeign(pickRows(pickRowWidth())); }

/// An op in a block of its own.
Value Generator::makeBranch() {
  Value x = pickRows(width), y = pickLike(x);
  // Which of the two isn't known before the run; and never twice the same, or else
  // upstream joins the branches.
  Value condition = arith::CmpIOp::create(
      b, arith::CmpIPredicate::ult, tensor::DimOp::create(b, x, 0),
      arith::ConstantIndexOp::create(b, ++branches));
  auto branch = scf::IfOp::create(b, TypeRange{y.getType()}, condition,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(branch.thenBlock());
  Value made = ResidualAddOp::create(b, y.getType(), x, y);
  scf::YieldOp::create(b, made);
  b.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(b, y);
  return branch.getResult(0);
}

/// An attribute that nobody knows, on an op that can do without fusion.
void Generator::decorate(Value made) {
  Operation *op = made.getDefiningOp();
  if (op && isa<arith::ArithDialect>(op->getDialect()) &&
      isa<FusionOpInterface>(op) && random.oneIn(24))
    op->setAttr("vendor.hint", b.getUnitAttr());
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

/// Everything that nobody reads leaves, and some of what is read.
void Generator::chooseResults() {
  llvm::SetVector<Value> results;
  SmallVector<Value> made;
  for (Operation &op : function.getBody().front())
    if (isa<FusionOpInterface>(op) || isa<func::CallOp, scf::IfOp>(op))
      for (Value result : op.getResults())
        if (isa<RankedTensorType>(result.getType()))
          made.push_back(result);
  for (Value value : made)
    if (value.use_empty() || random.oneIn(4))
      results.insert(value);
  if (results.empty())
    results.insert(made.back());
  func::ReturnOp::create(b, results.getArrayRef());
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  function.setType(b.getFunctionType(
      function.getBody().front().getArgumentTypes(),
      llvm::map_to_vector(results, [](Value value) { return value.getType(); })));
}

OwningOpRef<ModuleOp> Generator::generate() {
  OwningOpRef<ModuleOp> owned(ModuleOp::create(b.getLoc()));
  module = *owned;
  b.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(b, "program", b.getFunctionType({}, {}));
  b.setInsertionPointToEnd(function.addEntryBlock());
  size_t ops = 2 + random.below(11);
  // Some programs are all Mortar's, others are full of what isn't.
  bool withCalls = random.oneIn(3);
  bool withBranches = ShapedType::isDynamic(leading[0]) && random.oneIn(4);
  for (size_t made = 0; made < ops;) {
    Value value;
    size_t kind = random.below(20);
    if (kind <= 3 && withCalls)
      value = makeForeignCall();
    else if (kind <= 3 && withBranches)
      value = makeBranch();
    else if (kind == 8)
      value = makePhrase();
    else if (kind == 9)
      value = random.oneIn(3) ? makeRoundTrip() : makeWideGate();
    else {
      value = makeOp();
      decorate(value);
      ++made;
    }
    pool.push_back(value);
  }
  chooseResults();
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    if (cast<RankedTensorType>(function.getArgumentTypes()[i]).getRank() == 1) {
      if (random.oneIn(2))
        function.setArgAttr(i, MortarDialect::constantAttr, b.getUnitAttr());
    } else if (random.oneIn(3)) {
      function.setArgAttr(i, "bufferization.writable", b.getBoolAttr(true));
    }
  }
  return owned;
}
