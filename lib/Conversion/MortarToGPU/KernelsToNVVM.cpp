//===- KernelsToNVVM.cpp - kernels in the LLVM dialect, without libdevice -===//

#include "NarrowTypesToNVVM.h"
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
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include "llvm/Support/FormatVariadic.h"

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

/// Stock vector.maskedload becomes a branch for each element. With one flag for all of them it
/// is a predicate, without which the result is zeros.
struct PredicatedLoad : ConvertOpToLLVMPattern<vector::MaskedLoadOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(vector::MaskedLoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    VectorType type = op.getVectorType();
    unsigned bits = type.getNumElements() * type.getElementTypeBitWidth();
    auto flag = op.getMask().getDefiningOp<vector::BroadcastOp>();
    if (!flag || !flag.getSource().getType().isInteger(1) ||
        !llvm::is_contained({16u, 32u, 64u, 128u}, bits) ||
        op.getAlignment().value_or(0) * 8 < bits ||
        !matchPattern(op.getPassThru(), m_PosZeroFloat()) ||
        op.getMemRefType().getMemorySpace())
      return rewriter.notifyMatchFailure(op, "not one aligned access of global memory");
    Location loc = op.getLoc();
    Value address = getStridedElementPtr(rewriter, loc, op.getMemRefType(),
                                         adaptor.getBase(), adaptor.getIndices());
    auto global = LLVM::LLVMPointerType::get(getContext(),
                                             unsigned(NVVM::NVVMMemorySpace::Global));
    address = LLVM::AddrSpaceCastOp::create(rewriter, loc, global, address);
    Value words = loadWords(rewriter, loc, address,
                            rewriter.getRemappedValue(flag.getSource()), bits);
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(op, type, words);
    return success();
  }

private:
  /// A vector of words, of 32 bits if there are as many.
  static Value loadWords(ConversionPatternRewriter &rewriter, Location loc, Value address,
                         Value flag, unsigned bits) {
    unsigned width = std::min(bits, 32u), count = bits / width;
    std::string zeros, results, constraints;
    for (unsigned i = 0; i < count; ++i) {
      zeros += llvm::formatv("mov.b{0} ${1}, 0; ", width, i);
      results += llvm::formatv("{0}${1}", i ? ", " : "", i);
      constraints += width == 32 ? "=&r," : "=&h,"; // written before the rest is read
    }
    std::string vector = count > 1 ? llvm::formatv(".v{0}", count) : std::string();
    std::string code = llvm::formatv("{0}@${1} ld.global{2}.b{3} {{{4}}, [${5}];", zeros,
                                     count + 1, vector, width, results, count);
    Type word = rewriter.getIntegerType(width);
    Type made = count == 1 ? word
                           : Type(LLVM::LLVMStructType::getLiteral(
                                 rewriter.getContext(), SmallVector<Type>(count, word)));
    // With side effects, for it must stay behind the wait for earlier kernels.
    auto load = LLVM::InlineAsmOp::create(
        rewriter, loc, made, ValueRange{address, flag}, code, constraints + "l,b",
        /*has_side_effects=*/true, /*is_align_stack=*/false,
        LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
    Value words = LLVM::UndefOp::create(rewriter, loc, VectorType::get({count}, word));
    for (unsigned i = 0; i < count; ++i) {
      Value part = load.getResult(0);
      if (count > 1)
        part = LLVM::ExtractValueOp::create(rewriter, loc, part, i);
      Value at = LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64IntegerAttr(i));
      words = LLVM::InsertElementOp::create(rewriter, loc, words, part, at);
    }
    return words;
  }
};

struct ConvertKernelsToNVVMPass
    : ::mortar::impl::ConvertKernelsToNVVMPassBase<ConvertKernelsToNVVMPass> {
  using ConvertKernelsToNVVMPassBase::ConvertKernelsToNVVMPassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    gpu::GPUModuleOp module = getOperation();
    RewritePatternSet clamps(context);
    ::mortar::populateClampBeforeWideningPatterns(clamps);
    if (failed(applyPatternsGreedily(module, std::move(clamps))))
      return signalPassFailure();

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
    patterns.add<PredicatedLoad, PrefetchToL2, SqrtToIntrinsic>(converter, /*benefit=*/10);
    auto traits = ::mortar::ChipTraits::parse(chip);
    if (failed(traits)) {
      module.emitError() << "expected a chip such as sm_90, but found '" << chip << "'";
      return signalPassFailure();
    }
    ::mortar::populateNarrowTypesToNVVMPatterns(converter, *traits, patterns);

    LLVMConversionTarget target(*context);
    configureGpuToNVVMConversionLegality(target);
    target.addLegalOp<LLVM::FMAOp>();
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return signalPassFailure();
  }
};

} // namespace
