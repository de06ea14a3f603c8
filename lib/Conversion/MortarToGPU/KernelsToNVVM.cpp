//===- KernelsToNVVM.cpp - kernels in the LLVM dialect, without libdevice -===//

#include "../Common/Float8.h"
#include "RowSchedule.h"

#include "mortar/Conversion/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mortar {
#define GEN_PASS_DEF_CONVERTKERNELSTONVVMPASS
#include "mortar/Conversion/Passes.h.inc"
} // namespace mortar

using namespace mlir;

namespace {

/// Stock math.sqrt becomes sqrt.approx; the contract is IEEE.
struct SqrtToIntrinsic : ConvertOpToLLVMPattern<math::SqrtOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(math::SqrtOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "only f32 scalars have an instruction");
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(), rewriter.getStringAttr("llvm.nvvm.sqrt.rn.f"),
        adaptor.getOperand());
    return success();
  }
};

/// Stock memref.prefetch becomes llvm.prefetch, which NVPTX cannot select.
struct PrefetchToL2 : ConvertOpToLLVMPattern<memref::PrefetchOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(memref::PrefetchOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value address = getStridedElementPtr(rewriter, loc, op.getMemRefType(),
                                         adaptor.getMemref(), adaptor.getIndices());
    auto global = LLVM::LLVMPointerType::get(getContext(),
                                             unsigned(NVVM::NVVMMemorySpace::Global));
    address = LLVM::AddrSpaceCastOp::create(rewriter, loc, global, address);
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, rewriter.getStringAttr("llvm.nvvm.prefetch.global.L2"), address);
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
    Type i8 = rewriter.getI8Type();
    auto pair = VectorType::get({2}, i8);
    auto at = [&](int64_t i) -> Value {
      return LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64IntegerAttr(i));
    };
    Value codes = LLVM::UndefOp::create(rewriter, loc, vector.clone(i8));
    for (int64_t i = 0; i < vector.getNumElements(); i += 2) {
      Value low = LLVM::ExtractElementOp::create(rewriter, loc, adaptor.getIn(), at(i));
      Value high =
          LLVM::ExtractElementOp::create(rewriter, loc, adaptor.getIn(), at(i + 1));
      // The first operand goes to the upper half.
      Value made = NVVM::ConvertF32x2ToF8x2Op::create(
          rewriter, loc, pair, high, low, NVVM::FPRoundingMode::RN,
          NVVM::SaturationMode::SATFINITE, /*relu=*/false,
          Type(Float8E4M3FNType::get(getContext())));
      for (int64_t k : {0, 1}) {
        Value code = LLVM::ExtractElementOp::create(rewriter, loc, made, at(k));
        codes = LLVM::InsertElementOp::create(rewriter, loc, codes, code, at(i + k));
      }
    }
    rewriter.replaceOp(op, codes);
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

struct ConvertKernelsToNVVMPass
    : ::mortar::impl::ConvertKernelsToNVVMPassBase<ConvertKernelsToNVVMPass> {
  using ConvertKernelsToNVVMPassBase::ConvertKernelsToNVVMPassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    gpu::GPUModuleOp module = getOperation();
    LowerToLLVMOptions options(context);
    options.overrideIndexBitwidth(64);
    options.useBarePtrCallConv = true;
    LLVMTypeConverter converter(context, options);
    configureGpuToNVVMTypeConverter(converter);

    RewritePatternSet patterns(context);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns,
                                         /*approximateLog1p=*/false, /*benefit=*/5);
    populateGpuToNVVMConversionPatterns(converter, patterns);
    patterns.add<PrefetchToL2, SqrtToIntrinsic, TruncateToByte, WidenF8>(
        converter, /*benefit=*/10);
    auto traits = ::mortar::ChipTraits::parse(chip);
    if (failed(traits)) {
      module.emitError() << "expected a chip such as sm_90, but found '" << chip << "'";
      return signalPassFailure();
    }
    patterns.add<RoundToF8>(converter, traits->convertsF8());

    LLVMConversionTarget target(*context);
    configureGpuToNVVMConversionLegality(target);
    target.addLegalOp<LLVM::FMAOp>();
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return signalPassFailure();
  }
};

} // namespace
