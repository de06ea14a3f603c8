//===- Equalities.cpp - what ought not to change the result ---------------===//
//
// Each equality rewrites the program, or its rows, into one with the same meaning. Fused,
// it must give the same bits; and it may have more kernels only if a remark says why.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "Generator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"

#include <cstring>

using namespace mlir;
using namespace mortar;
using namespace mortar::proof;
using execution::Tensor;

namespace {
/// A program to be changed.
struct Subject {
  func::FuncOp function;
  Random random;
  size_t extraResults = 0;

  Block &body() { return function.getBody().front(); }

  /// A tensor of rows that some op reads, and that passes `fits`; or null.
  Value pickValue(llvm::function_ref<bool(RankedTensorType)> fits) {
    SmallVector<Value> values;
    auto add = [&](Value value) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (type && type.getRank() > 1 && !ShapedType::isDynamic(rowLength(type)) &&
          !value.use_empty() && fits(type))
        values.push_back(value);
    };
    llvm::for_each(body().getArguments(), add);
    for (Operation &op : body())
      llvm::for_each(op.getResults(), add);
    return values.empty() ? Value() : values[random.below(values.size())];
  }

  /// Lets all readers of a value read what `make` makes of it.
  bool insertBehind(llvm::function_ref<bool(RankedTensorType)> fits,
                    llvm::function_ref<Value(ImplicitLocOpBuilder &, Value)> make) {
    Value value = pickValue(fits);
    if (!value)
      return false;
    ImplicitLocOpBuilder b(value.getLoc(), function.getContext());
    b.setInsertionPointAfterValue(value);
    Operation *before = value.getDefiningOp();
    Value made = make(b, value);
    llvm::SmallPtrSet<Operation *, 8> inserted;
    for (auto it = before ? ++Block::iterator(before) : body().begin();
         it != b.getInsertionPoint(); ++it)
      inserted.insert(&*it);
    value.replaceUsesWithIf(made, [&](OpOperand &use) {
      return !inserted.contains(use.getOwner());
    });
    return true;
  }
};

bool anyType(RankedTensorType) { return true; }

/// Not what is only stored.
bool isComputedWith(RankedTensorType type) {
  return isa<FloatType>(type.getElementType()) && type.getElementTypeBitWidth() >= 16;
}

/// Sizes for a view of the whole of `value`.
SmallVector<OpFoldResult> sizesOf(ImplicitLocOpBuilder &b, Value value) {
  return tensor::getMixedSizes(b, b.getLoc(), value);
}

//===----------------------------------------------------------------------===//
// Rewrites; each gives false where the program has no place for it
//===----------------------------------------------------------------------===//

bool commute(Subject &subject) {
  bool changed = false;
  subject.function.walk([&](Operation *op) {
    if (!op->hasTrait<OpTrait::IsCommutative>() || op->getNumOperands() < 2)
      return;
    Value first = op->getOperand(0);
    op->setOperand(0, op->getOperand(1));
    op->setOperand(1, first);
    changed = true;
  });
  return changed;
}

bool castThere(Subject &subject) {
  return subject.insertBehind(
      [](RankedTensorType type) { return type.hasStaticShape(); },
      [](ImplicitLocOpBuilder &b, Value value) -> Value {
        auto type = cast<RankedTensorType>(value.getType());
        SmallVector<int64_t> shape(type.getShape());
        shape.front() = ShapedType::kDynamic;
        auto open = RankedTensorType::get(shape, type.getElementType());
        return tensor::CastOp::create(b, type, tensor::CastOp::create(b, open, value));
      });
}

bool reshapeThere(Subject &subject) {
  SmallVector<ReassociationIndices> groups{{0, 1}, {2}};
  return subject.insertBehind(
      [](RankedTensorType type) { return type.getRank() == 2; },
      [&](ImplicitLocOpBuilder &b, Value value) -> Value {
        auto type = cast<RankedTensorType>(value.getType());
        auto split = RankedTensorType::get({type.getDimSize(0), 1, type.getDimSize(1)},
                                           type.getElementType());
        Value there = tensor::ExpandShapeOp::create(b, split, value, groups);
        return tensor::CollapseShapeOp::create(b, type, there, groups);
      });
}

bool sliceAll(Subject &subject) {
  return subject.insertBehind(anyType, [](ImplicitLocOpBuilder &b, Value value) -> Value {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<OpFoldResult> zeros(type.getRank(), b.getIndexAttr(0)),
        ones(type.getRank(), b.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(b, value, zeros, sizesOf(b, value), ones);
  });
}

bool widenAndNarrow(Subject &subject) {
  return subject.insertBehind(
      [](RankedTensorType type) { return type.getElementTypeBitWidth() == 16; },
      [](ImplicitLocOpBuilder &b, Value value) -> Value {
        auto type = cast<RankedTensorType>(value.getType());
        Value wide = arith::ExtFOp::create(b, type.clone(b.getF32Type()), value);
        return arith::TruncFOp::create(b, type, wide);
      });
}

bool negateTwice(Subject &subject) {
  return subject.insertBehind(isComputedWith, [](ImplicitLocOpBuilder &b, Value value) -> Value {
    return arith::NegFOp::create(b, arith::NegFOp::create(b, value));
  });
}

bool takeMaximumOfSame(Subject &subject) {
  return subject.insertBehind(isComputedWith, [](ImplicitLocOpBuilder &b, Value value) -> Value {
    return arith::MaximumFOp::create(b, value, value);
  });
}

/// Ops at the top level that can be copied or dropped.
SmallVector<Operation *> findFusible(Subject &subject) {
  SmallVector<Operation *> ops;
  for (Operation &op : subject.body())
    if (isa<FusionOpInterface>(op))
      ops.push_back(&op);
  return ops;
}

bool duplicateProducer(Subject &subject) {
  SmallVector<Operation *> ops = findFusible(subject);
  llvm::erase_if(ops, [](Operation *op) { return op->use_empty(); });
  if (ops.empty())
    return false;
  Operation *op = ops[subject.random.below(ops.size())];
  Operation *copy = OpBuilder(op).clone(*op);
  OpOperand &use = *op->use_begin();
  use.set(copy->getResult(cast<OpResult>(use.get()).getResultNumber()));
  return true;
}

bool addDeadOp(Subject &subject) {
  SmallVector<Operation *> ops = findFusible(subject);
  if (ops.empty())
    return false;
  Operation *op = ops[subject.random.below(ops.size())];
  OpBuilder(op).clone(*op);
  return true;
}

/// Returns one more of the values that are made on the way.
bool addResult(Subject &subject) {
  Operation *terminator = subject.body().getTerminator();
  SmallVector<Value> results(terminator->getOperands());
  for (Operation *op : findFusible(subject)) {
    if (llvm::is_contained(results, op->getResult(0)))
      continue;
    results.push_back(op->getResult(0));
    terminator->setOperands(results);
    subject.function.setType(FunctionType::get(
        subject.function.getContext(), subject.function.getArgumentTypes(),
        llvm::map_to_vector(results, [](Value value) { return value.getType(); })));
    subject.extraResults = 1;
    return true;
  }
  return false;
}

/// Another order that is possible; what has effects stays in its own.
bool reorder(Subject &subject) {
  SmallVector<Operation *> left;
  for (Operation &op : subject.body().without_terminator())
    left.push_back(&op);
  if (left.size() < 2)
    return false;
  Operation *terminator = subject.body().getTerminator();
  while (!left.empty()) {
    SmallVector<Operation *> ready;
    bool effectBefore = false;
    for (Operation *op : left) {
      bool pure = isMemoryEffectFree(op);
      bool depends = false;
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          for (Operation *other : left)
            depends |= other != op && other->isAncestor(operand.getDefiningOp()
                                                            ? operand.getDefiningOp()
                                                            : op->getParentOp());
      });
      if (!depends && (pure || !effectBefore))
        ready.push_back(op);
      effectBefore |= !pure;
    }
    Operation *next = ready[subject.random.below(ready.size())];
    next->moveBefore(terminator);
    llvm::erase(left, next);
  }
  return true;
}

struct Equality {
  StringLiteral name;
  bool (*rewrite)(Subject &);
  /// Whether the program keeps its number of kernels, or a remark says why not.
  bool keepsKernels;
};

constexpr Equality equalities[] = {
    {"commute", commute, true},
    {"cast", castThere, true},
    {"reshape", reshapeThere, true},
    {"slice", sliceAll, false}, // a slice may be a gap's border
    {"widen", widenAndNarrow, false},
    {"negate", negateTwice, false},
    {"maximum", takeMaximumOfSame, false},
    {"duplicate", duplicateProducer, true},
    {"dead", addDeadOp, true},
    {"result", addResult, true},
    {"reorder", reorder, false},
};
} // namespace

bool Checker::checkVariant(StringRef name, ModuleOp changed, size_t extraResults) {
  auto lowered = lower(changed, Fusion{name.str()});
  if (mlir::failed(lowered))
    return fail(name + ": the pipeline failed");
  auto found = interpret(*lowered->decomposed, inputs);
  if (mlir::failed(found))
    return fail(name + ": the interpreter failed");
  found->resize(found->size() - extraResults);
  if (!compare(name, *found, reference))
    return false;
  size_t remarks = llvm::count_if(lowered->remarks, [](const FusionRemark &remark) {
    return remark.isNotFused();
  });
  bool counts = llvm::any_of(equalities, [&](const Equality &equality) {
    return equality.name == name && equality.keepsKernels;
  });
  if (counts && lowered->kernels > fusedKernels && remarks <= fusedRemarks)
    return fail(name + ": " + Twine(lowered->kernels) + " kernels, not " +
                Twine(fusedKernels) + ", and no remark says why");
  return true;
}

/// The same rows in another order, and in two calls.
bool Checker::checkRows() {
  if (mixesRows || reference.empty())
    return true;
  Random random(seed ^ 0x405);
  auto isColumn = [](const Tensor &tensor) { return tensor.shape.size() == 1; };
  auto countRows = [](const Tensor &tensor) {
    int64_t rows = 1;
    for (size_t i = 0; i + 1 < tensor.shape.size(); ++i)
      rows *= tensor.shape[i];
    return rows;
  };
  // What is computed by head has more rows, in the order of the others.
  int64_t rows = countRows(reference[0]);
  for (const Tensors *tensors : {&inputs, &reference})
    for (const Tensor &tensor : *tensors)
      if (!isColumn(tensor))
        rows = std::min(rows, countRows(tensor));
  if (rows < 2)
    return true;
  std::vector<size_t> order(rows);
  for (int64_t i = 0; i < rows; ++i)
    order[i] = i;
  for (int64_t i = rows; i > 1; --i)
    std::swap(order[i - 1], order[random.below(i)]);
  auto permute = [&](Tensors tensors) {
    for (Tensor &tensor : tensors) {
      if (isColumn(tensor))
        continue;
      std::string bytes = tensor.bytes;
      size_t each = bytes.size() / rows;
      for (int64_t i = 0; i < rows; ++i)
        std::memcpy(tensor.bytes.data() + i * each, bytes.data() + order[i] * each, each);
    }
    return tensors;
  };
  auto lowered = lower(program, Fusion{"rows"});
  if (mlir::failed(lowered))
    return fail("permute: the pipeline failed");
  auto found = interpret(*lowered->decomposed, permute(inputs));
  if (mlir::failed(found))
    return fail("permute: the interpreter failed");
  if (!compare("permute", *found, permute(reference)))
    return false;

  // The first part of the leading dimension, if every tensor has one that is dynamic.
  int64_t leading = 0;
  for (auto [type, input] :
       llvm::zip(findProgram(program).getArgumentTypes(), inputs))
    if (!isColumn(input)) {
      bool dynamic = cast<RankedTensorType>(type).isDynamicDim(0);
      if (!dynamic || (leading && leading != input.shape[0]))
        return true;
      leading = input.shape[0];
    }
  if (leading < 2 || branches) // a branch asks for the number of rows
    return true;
  int64_t kept = 1 + random.below(leading - 1);
  auto cut = [&](Tensors tensors) {
    for (Tensor &tensor : tensors)
      if (!isColumn(tensor)) {
        tensor.bytes.resize(tensor.bytes.size() / leading * kept);
        tensor.shape[0] = kept;
      }
    return tensors;
  };
  for (const Tensor &result : reference)
    if (result.shape[0] != leading)
      return true;
  found = interpret(*lowered->decomposed, cut(inputs));
  if (mlir::failed(found))
    return fail("split: the interpreter failed");
  return compare("split", *found, cut(reference));
}

bool Checker::checkEqualities() {
  ScopedDiagnosticHandler handler(program.getContext(), [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(diagnostics) << diagnostic << "; ";
    return success();
  });
  for (const Equality &equality : equalities) {
    OwningOpRef<ModuleOp> changed(program.clone());
    Subject subject{findProgram(*changed), Random(seed)};
    if (!equality.rewrite(subject))
      continue;
    if (mlir::failed(verify(*changed)))
      return fail(equality.name + ": the rewritten program is not valid");
    if (!checkVariant(equality.name, *changed, subject.extraResults))
      return false;
  }
  return checkRows();
}
