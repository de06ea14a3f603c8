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
    patterns.add<PrefetchToL2, SqrtToIntrinsic>(converter, /*benefit=*/10);
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
