//===- NarrowTypesToNVVM.cpp - casts from and to 8 and 16 bits ------------===//

#include "NarrowTypesToNVVM.h"

#include "../Common/Float8.h"
#include "RowSchedule.h"

#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace {

/// x of x clamped to f8E4M3FN's largest numbers, which the instruction does itself.
Value lookThroughSaturation(Value value) {
  auto isSplat = [](Value limit, float expected) {
    DenseFPElementsAttr splat;
    return matchPattern(limit, m_Constant(&splat)) && splat.isSplat() &&
           splat.getSplatValue<APFloat>() == APFloat(expected);
  };
  auto most = value.getDefiningOp<arith::MaximumFOp>();
  if (!most || !isSplat(most.getRhs(), -448.0f))
    return value;
  auto least = most.getLhs().getDefiningOp<arith::MinimumFOp>();
  return least && isSplat(least.getRhs(), 448.0f) ? least.getLhs() : value;
}

/// Rounds pairs of a vector of `count` f32s: `round` makes two of `narrow` from two. A pair
/// stays one integer, so that nothing takes it apart on its way to a store.
Value roundPairs(ConversionPatternRewriter &rewriter, Location loc, Value wide,
                 Type narrow, int64_t count,
                 llvm::function_ref<Value(Value low, Value high)> round) {
  auto at = [&](int64_t i) -> Value {
    return LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64IntegerAttr(i));
  };
  Type pair = rewriter.getIntegerType(2 * narrow.getIntOrFloatBitWidth());
  Value pairs = LLVM::UndefOp::create(rewriter, loc, VectorType::get({count / 2}, pair));
  for (int64_t i = 0; i < count; i += 2) {
    Value low = LLVM::ExtractElementOp::create(rewriter, loc, wide, at(i));
    Value high = LLVM::ExtractElementOp::create(rewriter, loc, wide, at(i + 1));
    Value made = LLVM::BitcastOp::create(rewriter, loc, pair, round(low, high));
    pairs = LLVM::InsertElementOp::create(rewriter, loc, pairs, made, at(i / 2));
  }
  return LLVM::BitcastOp::create(rewriter, loc, VectorType::get({count}, narrow), pairs);
}

/// Whether LLVM computes this without widening, two values an instruction: a narrow sum or
/// product has the bits of a wide one, rounded.
bool isNarrowOperation(Value value, Type narrow) {
  Operation *op = value.getDefiningOp();
  return isa_and_nonnull<arith::AddFOp, arith::SubFOp, arith::MulFOp>(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           auto widened = operand.getDefiningOp<arith::ExtFOp>();
           return widened && widened.getIn().getType() == narrow;
         });
}

/// Two values an instruction, which keeps them in one register. Left alone, LLVM rounds
/// what is also widened again one by one, at a quarter of the rate.
struct RoundTo16 : ConvertOpToLLVMPattern<arith::TruncFOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto vector = dyn_cast<VectorType>(op.getType());
    if (!vector || !(vector.getElementType().isBF16() || vector.getElementType().isF16()) ||
        !getElementTypeOrSelf(op.getIn().getType()).isF32() ||
        vector.getNumElements() % 2 || isNarrowOperation(op.getIn(), vector))
      return rewriter.notifyMatchFailure(op, "not pairs of f32 to 16 bits");
    Location loc = op.getLoc();
    bool isBF16 = vector.getElementType().isBF16();
    auto pair = VectorType::get({2}, vector.getElementType());
    auto name = rewriter.getStringAttr(isBF16 ? "llvm.nvvm.ff2bf16x2.rn"
                                              : "llvm.nvvm.ff2f16x2.rn");
    // The first operand goes to the upper half.
    auto round = [&](Value low, Value high) -> Value {
      return LLVM::CallIntrinsicOp::create(rewriter, loc, pair, name,
                                           ValueRange{high, low})
          .getResults();
    };
    rewriter.replaceOp(op, roundPairs(rewriter, loc, adaptor.getIn(),
                                      vector.getElementType(), vector.getNumElements(),
                                      round));
    return success();
  }
};

/// f8 codes are i8 in LLVM. Since sm_89 there is an instruction for two.
struct RoundToF8 : ConvertOpToLLVMPattern<arith::TruncFOp> {
  RoundToF8(const LLVMTypeConverter &converter, bool hasInstruction)
      : ConvertOpToLLVMPattern(converter, /*benefit=*/10),
        hasInstruction(hasInstruction) {}

  LogicalResult matchAndRewrite(arith::TruncFOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isa<Float8E4M3FNType>(getElementTypeOrSelf(op.getType())) ||
        !getElementTypeOrSelf(op.getIn().getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not from f32 to f8E4M3FN");
    Location loc = op.getLoc();
    auto vector = dyn_cast<VectorType>(op.getType());
    if (!hasInstruction || !vector || vector.getNumElements() % 2) {
      rewriter.replaceOp(op, ::mortar::roundToF8E4M3(rewriter, loc, op.getIn()));
      return success();
    }
    auto pair = VectorType::get({2}, rewriter.getI8Type());
    // The first operand goes to the upper half.
    auto round = [&](Value low, Value high) -> Value {
      return NVVM::ConvertF32x2ToF8x2Op::create(
          rewriter, loc, pair, high, low, NVVM::FPRoundingMode::RN,
          NVVM::SaturationMode::SATFINITE, /*relu=*/false,
          Type(Float8E4M3FNType::get(getContext())));
    };
    Value in = rewriter.getRemappedValue(lookThroughSaturation(op.getIn()));
    rewriter.replaceOp(op, roundPairs(rewriter, loc, in, rewriter.getI8Type(),
                                      vector.getNumElements(), round));
    return success();
  }

  bool hasInstruction;
};

struct WidenF8 : ConvertOpToLLVMPattern<arith::ExtFOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isa<Float8E4M3FNType>(getElementTypeOrSelf(op.getIn().getType())) ||
        !getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not from f8E4M3FN to f32");
    rewriter.replaceOp(op, ::mortar::widenF8E4M3(rewriter, op.getLoc(), op.getIn()));
    return success();
  }
};

/// The low byte of an i32. In `st.b8` of a register that an f32 instruction wrote, ptxas
/// (13.0) takes the number for a float and converts it, where PTX says that the low bits
/// are stored; and LLVM leaves such a register, since a mask in front of a store does
/// nothing. So an instruction that LLVM can't see through makes it an integer. Two and
/// more bytes are packed, by integer instructions.
struct TruncateToByte : ConvertOpToLLVMPattern<arith::TruncIOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(arith::TruncIOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto vector = dyn_cast<VectorType>(op.getType());
    if (!getElementTypeOrSelf(op.getType()).isInteger(8) ||
        !getElementTypeOrSelf(op.getIn().getType()).isInteger(32) ||
        (vector && vector.getNumElements() != 1))
      return rewriter.notifyMatchFailure(op, "not one byte of an i32");
    Location loc = op.getLoc();
    Value in = adaptor.getIn(), first;
    if (vector) {
      first = LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64IntegerAttr(0));
      in = LLVM::ExtractElementOp::create(rewriter, loc, in, first);
    }
    auto byte = LLVM::InlineAsmOp::create(
        rewriter, loc, rewriter.getI32Type(), in, "and.b32 $0, $1, 255;", "=r,r",
        /*has_side_effects=*/false, /*is_align_stack=*/false,
        LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
    Value code = LLVM::TruncOp::create(rewriter, loc, rewriter.getI8Type(),
                                       byte.getResult(0));
    if (vector) {
      Value empty = LLVM::UndefOp::create(rewriter, loc, vector);
      code = LLVM::InsertElementOp::create(rewriter, loc, empty, code, first);
    }
    rewriter.replaceOp(op, code);
    return success();
  }
};

/// min(extf(x), c) -> extf(min(x, c)) where the narrow type has c: two values an
/// instruction, and widening is exact and monotonic.
template <typename Op> struct ClampBeforeWidening : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto widened = op.getLhs().template getDefiningOp<arith::ExtFOp>();
    DenseFPElementsAttr limit;
    if (!widened || !widened->hasOneUse() || !matchPattern(op.getRhs(), m_Constant(&limit)) ||
        !limit.isSplat())
      return rewriter.notifyMatchFailure(op, "not a widened row and a constant");
    auto narrow = dyn_cast<VectorType>(widened.getIn().getType());
    if (!narrow || narrow.getNumElements() % 2 ||
        !(narrow.getElementType().isBF16() || narrow.getElementType().isF16()))
      return rewriter.notifyMatchFailure(op, "not pairs of 16 bits");
    auto value = limit.template getSplatValue<APFloat>();
    bool inexact = false;
    value.convert(cast<FloatType>(narrow.getElementType()).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &inexact);
    if (inexact)
      return rewriter.notifyMatchFailure(op, "the narrow type has no such number");
    Value splat = arith::ConstantOp::create(rewriter, op.getLoc(),
                                            DenseElementsAttr::get(narrow, value));
    Value clamped = Op::create(rewriter, op.getLoc(), widened.getIn(), splat);
    rewriter.replaceOpWithNewOp<arith::ExtFOp>(op, op.getType(), clamped);
    return success();
  }
};

} // namespace

void mortar::populateClampBeforeWideningPatterns(RewritePatternSet &patterns) {
  patterns.add<ClampBeforeWidening<arith::MinimumFOp>,
               ClampBeforeWidening<arith::MaximumFOp>>(patterns.getContext());
}

void mortar::populateNarrowTypesToNVVMPatterns(const LLVMTypeConverter &converter,
                                               const ChipTraits &chip,
                                               RewritePatternSet &patterns) {
  patterns.add<RoundTo16, TruncateToByte, WidenF8>(converter, /*benefit=*/10);
  patterns.add<RoundToF8>(converter, chip.convertsF8());
}
