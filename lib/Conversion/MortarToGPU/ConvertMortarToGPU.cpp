//===- ConvertMortarToGPU.cpp - regions become launches -------------------===//

#include "KernelBuilder.h"
#include "RecurrenceEmitter.h"

#include "mortar/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringExtras.h"

namespace mortar {
#define GEN_PASS_DEF_CONVERTMORTARTOGPUPASS
#include "mortar/Conversion/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {
struct ConvertMortarToGPUPass
    : ::mortar::impl::ConvertMortarToGPUPassBase<ConvertMortarToGPUPass> {
  using ConvertMortarToGPUPassBase::ConvertMortarToGPUPassBase;

  void runOnOperation() override {
    if (fewRows < 0) {
      getOperation().emitError()
          << "expected few-rows of at least 0, but found " << int64_t(fewRows);
      return signalPassFailure();
    }
    FailureOr<ChipTraits> parsed = ChipTraits::parse(chip);
    if (failed(parsed)) {
      getOperation().emitError()
          << "expected a chip of sm_80, sm_86, sm_87, sm_89, sm_90, sm_100, sm_103, "
             "sm_120 or sm_121, but found '"
          << chip << "'";
      return signalPassFailure();
    }
    traits = *parsed;
    SmallVector<FusedOp> regions;
    getOperation().walk([&](FusedOp region) { regions.push_back(region); });
    if (regions.empty())
      return;
    OpBuilder b(&getContext());
    b.setInsertionPointToEnd(getOperation().getBody());
    kernels = gpu::GPUModuleOp::create(b, getOperation().getLoc(), "mortar_kernels");
    getOperation()->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                            b.getUnitAttr());
    SymbolTable symbols(kernels);
    for (FusedOp region : regions)
      if (failed(convert(region, symbols)))
        return signalPassFailure();
  }

private:
  LogicalResult convert(FusedOp region, SymbolTable &symbols);
  LogicalResult convertRecurrence(FusedOp region, SymbolTable &symbols);
  gpu::GPUFuncOp launch(OpBuilder &b, const RecurrenceProgram &program,
                        const RecurrenceOperands &operands,
                        const RecurrenceSchedule &schedule, SymbolTable &symbols);
  LogicalResult launchWide(OpBuilder &b, RowProgram &program,
                           const HostOperands &operands, SymbolTable &symbols);
  void launchWide(IndexBuilder &b, const RecurrenceProgram &program,
                  const RecurrenceOperands &operands, int64_t width,
                  SymbolTable &symbols);
  gpu::GPUFuncOp launch(OpBuilder &b, RowProgram &program, const HostOperands &operands,
                        const RowSchedule &schedule, SymbolTable &symbols);

  ChipTraits traits;
  gpu::GPUModuleOp kernels;
};
} // namespace

/// The names of a region's ops, as a kernel may be called.
static std::string nameOps(FusedOp region) {
  std::string name = region.getLabel().value_or("fused").str();
  for (char &c : name)
    if (!llvm::isAlnum(c) && c != '_')
      c = '_';
  // Long chains would give names that no profiler shows.
  if (name.size() > 64)
    name.resize(64);
  return name;
}

/// residual_add_rms_norm_4096_bf16_x8: what it does, on rows of what, how many at once;
/// with x8x2, a thread takes two such chunks of a row.
static std::string nameKernel(const RowProgram &program, const RowSchedule &schedule) {
  FusedOp region = program.region;
  std::string name = nameOps(region);
  llvm::raw_string_ostream os(name);
  os << '_' << program.length << '_'
     << getElementTypeOrSelf(region.getInits()[0].getType()) << "_x" << schedule.width;
  if (schedule.chunks > 1)
    os << 'x' << schedule.chunks;
  return name;
}

gpu::GPUFuncOp ConvertMortarToGPUPass::launch(OpBuilder &b, RowProgram &program,
                                              const HostOperands &operands,
                                              const RowSchedule &schedule,
                                              SymbolTable &symbols) {
  Location loc = FusedOp(program.region).getLoc();
  gpu::GPUFuncOp kernel;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(kernels.getBody());
    kernel = buildKernel(b, nameKernel(program, schedule), program, operands, schedule,
                         traits);
    symbols.insert(kernel);
  }
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  Value blocks;
  if (schedule.kind == RowSchedule::Split) {
    Value all = arith::MulIOp::create(b, loc, operands.rows,
                                      constant(schedule.chunksPerRow()));
    blocks = arith::CeilDivUIOp::create(b, loc, all, constant(schedule.threads));
  } else {
    blocks = b.createOrFold<arith::CeilDivUIOp>(loc, operands.rows,
                                                constant(schedule.rows));
  }
  SmallVector<Value> parameters{operands.rows};
  for (const HostOperand &operand : operands.all) {
    parameters.append({operand.base, operand.offset});
    OperandStrides strides = operand.strides;
    for (Value *stride : strides.all())
      parameters.push_back(*stride);
  }
  Value one = constant(1);
  gpu::LaunchFuncOp::create(b, loc, kernel, gpu::KernelDim3{blocks, one, one},
                            gpu::KernelDim3{constant(schedule.threads), one, one},
                            /*dynamicSharedMemorySize=*/Value(), parameters);
  return kernel;
}

/// One kernel, or two where few and many rows are best dealt out differently.
LogicalResult ConvertMortarToGPUPass::launchWide(OpBuilder &b, RowProgram &program,
                                                 const HostOperands &operands,
                                                 SymbolTable &symbols) {
  FailureOr<RowSchedule> few =
      chooseSchedule(program, findChunkWidth(program, RowCount::Few), RowCount::Few);
  if (failed(few))
    return failure();
  FailureOr<RowSchedule> many =
      chooseSchedule(program, findChunkWidth(program, RowCount::Many), RowCount::Many);
  if (failed(many))
    return failure();
  if (*few == *many) {
    launch(b, program, operands, *few, symbols);
    return success();
  }
  Location loc = FusedOp(program.region).getLoc();
  Value most = arith::ConstantIndexOp::create(b, loc, findMostOfFew(program, fewRows));
  Value isFew = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, operands.rows,
                                      most);
  auto choose = scf::IfOp::create(b, loc, isFew, /*withElse=*/true);
  b.setInsertionPointToStart(&choose.getThenRegion().front());
  launch(b, program, operands, *few, symbols);
  b.setInsertionPointToStart(&choose.getElseRegion().front());
  launch(b, program, operands, *many, symbols);
  return success();
}

gpu::GPUFuncOp ConvertMortarToGPUPass::launch(OpBuilder &b,
                                              const RecurrenceProgram &program,
                                              const RecurrenceOperands &operands,
                                              const RecurrenceSchedule &schedule,
                                              SymbolTable &symbols) {
  FusedOp region = program.region;
  IndexBuilder index(region.getLoc(), b);
  gpu::GPUFuncOp kernel;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(kernels.getBody());
    std::string name = nameOps(region);
    // gated_delta_rule_128x128_f32_x4x8: a head's values and keys, and keys at once of how
    // many rows a thread
    llvm::raw_string_ostream(name)
        << '_' << program.shape.values << 'x' << program.shape.keys << '_'
        << program.poolType().getElementType() << "_x" << schedule.width << 'x'
        << schedule.rows;
    kernel = buildRecurrenceKernel(b, name, program, operands, schedule, traits);
    symbols.insert(kernel);
  }
  Value one = index.constant(1);
  Value sequences = arith::MaxUIOp::create(index, operands.sequences, one);
  Value blocks = index.mul(
      sequences, index.constant(program.shape.heads * schedule.blocksPerHead()));
  SmallVector<Value> parameters{operands.tokens, operands.sequences, operands.slots};
  for (const RecurrenceOperand &operand : operands.all) {
    parameters.append({operand.base, operand.offset});
    llvm::append_range(parameters, ArrayRef(operand.strides).drop_back());
  }
  gpu::LaunchFuncOp::create(index, kernel, gpu::KernelDim3{blocks, one, one},
                            gpu::KernelDim3{index.constant(schedule.threads()), one, one},
                            /*dynamicSharedMemorySize=*/Value(), parameters);
  return kernel;
}

/// One kernel, or two where few and many states are best dealt out differently.
void ConvertMortarToGPUPass::launchWide(IndexBuilder &b, const RecurrenceProgram &program,
                                        const RecurrenceOperands &operands, int64_t width,
                                        SymbolTable &symbols) {
  RecurrenceSchedule few = chooseSchedule(program, width, RowCount::Few);
  RecurrenceSchedule many = chooseSchedule(program, width, RowCount::Many);
  if (few == many) {
    launch(b, program, operands, few, symbols);
    return;
  }
  Value states = b.mul(operands.sequences, b.constant(program.shape.heads));
  Value isFew = b.compare(arith::CmpIPredicate::ule, states,
                          b.constant(findMostOfFew(program, fewRows)));
  auto choose = scf::IfOp::create(b, isFew, /*withElse=*/true);
  b.setInsertionPointToStart(&choose.getThenRegion().front());
  launch(b, program, operands, few, symbols);
  b.setInsertionPointToStart(&choose.getElseRegion().front());
  launch(b, program, operands, many, symbols);
}

/// Kernels with wide accesses of states and rows of keys, and one for what isn't aligned.
LogicalResult ConvertMortarToGPUPass::convertRecurrence(FusedOp region,
                                                        SymbolTable &symbols) {
  FailureOr<RecurrenceProgram> program = RecurrenceProgram::read(region);
  if (failed(program))
    return failure();
  OpBuilder builder(region);
  FailureOr<RecurrenceOperands> operands = takeApart(builder, *program);
  if (failed(operands))
    return failure();
  IndexBuilder b(region.getLoc(), builder);
  Value any = b.compare(arith::CmpIPredicate::ne, operands->tokens, b.constant(0));
  if (program->shape.tokenDims == 2)
    any = b.both(any, b.compare(arith::CmpIPredicate::ne, operands->sequences,
                                b.constant(0)));
  auto ifAny = scf::IfOp::create(b, any, /*withElse=*/false);
  b.setInsertionPointToStart(&ifAny.getThenRegion().front());
  int64_t width = findChunkWidth(*program);
  if (width == 1) {
    launchWide(b, *program, *operands, 1, symbols);
  } else {
    auto choose = scf::IfOp::create(b, isAligned(b, b.getLoc(), *operands, width),
                                    /*withElse=*/true);
    b.setInsertionPointToStart(&choose.getThenRegion().front());
    launchWide(b, *program, *operands, width, symbols);
    b.setInsertionPointToStart(&choose.getElseRegion().front());
    launch(b, *program, *operands, chooseSchedule(*program, 1, RowCount::Many), symbols)
        ->setAttr(onDemandAttr, builder.getUnitAttr());
  }
  region.erase();
  return success();
}

LogicalResult ConvertMortarToGPUPass::convert(FusedOp region, SymbolTable &symbols) {
  if (region.isRecurrence())
    return convertRecurrence(region, symbols);
  FailureOr<RowProgram> program = RowProgram::read(region);
  if (failed(program))
    return failure();
  OpBuilder b(region);
  FailureOr<HostOperands> operands = takeApart(b, region);
  if (failed(operands))
    return failure();
  FailureOr<RowSchedule> byElement = chooseSchedule(*program, 1, RowCount::Few);
  if (failed(byElement))
    return failure();
  Location loc = region.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value any = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, operands->rows,
                                    zero);
  auto ifAny = scf::IfOp::create(b, loc, any, /*withElse=*/false);
  b.setInsertionPointToStart(&ifAny.getThenRegion().front());

  int64_t width = findChunkWidth(*program, RowCount::Many);
  if (width == 1) {
    launch(b, *program, *operands, *byElement, symbols);
  } else {
    Value aligned = isAligned(b, loc, *operands, width);
    auto choose = scf::IfOp::create(b, loc, aligned, /*withElse=*/true);
    b.setInsertionPointToStart(&choose.getThenRegion().front());
    if (failed(launchWide(b, *program, *operands, symbols)))
      return failure();
    b.setInsertionPointToStart(&choose.getElseRegion().front());
    launch(b, *program, *operands, *byElement, symbols)
        ->setAttr(onDemandAttr, b.getUnitAttr());
  }
  region.erase();
  return success();
}
