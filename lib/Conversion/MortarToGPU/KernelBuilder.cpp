//===- KernelBuilder.cpp - one gpu.func for one region and schedule -------===//
//
// The kernel, top to bottom: let dependents launch; find this thread's place; fetch what
// never changes; prefetch the rest; wait for earlier kernels; load every row value;
// compute, and store each result as soon as it is known.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mortar;

gpu::GPUFuncOp mortar::beginKernel(OpBuilder &b, Location loc, StringRef name,
                                   ArrayRef<Type> parameters,
                                   ArrayRef<unsigned> constants, int64_t threads,
                                   int64_t residentBlocks, const ChipTraits &chip) {
  auto kernel = gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType(parameters, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel.setKnownBlockSizeAttr(b.getDenseI32ArrayAttr({int32_t(threads), 1, 1}));
  if (residentBlocks)
    kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    b.getI32IntegerAttr(residentBlocks));
  if (chip.hasProgrammaticLaunch())
    kernel->setAttr(programmaticLaunchAttr, b.getUnitAttr());
  // Nobody writes a constant, so its loads may bypass coherence.
  for (unsigned i : constants) {
    kernel.setArgAttr(i, "llvm.noalias", b.getUnitAttr());
    kernel.setArgAttr(i, "llvm.readonly", b.getUnitAttr());
  }
  b.setInsertionPointToStart(&kernel.getBody().front());
  if (chip.hasProgrammaticLaunch())
    NVVM::GriddepcontrolOp::create(b, loc, NVVM::GridDepActionKind::launch_dependents);
  return kernel;
}

gpu::GPUFuncOp KernelEmitter::build(StringRef name) {
  SmallVector<Type> parameters{b.getIndexType()};
  SmallVector<unsigned> constants; // parameters that are buffers of constants
  for (const HostOperand &operand : operands.all) {
    if (operand.isConstant)
      constants.push_back(parameters.size());
    parameters.push_back(operand.base.getType());
    OperandStrides strides = operand.strides;
    parameters.append(1 + strides.all().size(), b.getIndexType()); // and the offset
  }
  OpBuilder::InsertionGuard guard(b);
  // Element by element needs more registers than a number of blocks would leave.
  gpu::GPUFuncOp kernel =
      beginKernel(b, b.getLoc(), name, parameters, constants, schedule.threads,
                  schedule.width > 1 ? schedule.residentBlocks() : 0, chip);
  takeParameters(kernel.getBody().front());
  findPlace();
  unsigned numInputs = region.getInputs().size();
  // Element by element, a prefetch costs as much as a load.
  if (chip.hasProgrammaticLaunch() && schedule.width > 1)
    for (unsigned i = 0; i < numInputs; ++i)
      if (!operands.all[i].isConstant)
        prefetch(i);
  for (unsigned i = 0; i < numInputs; ++i)
    if (operands.all[i].isConstant)
      loadConstant(i);
  if (chip.hasProgrammaticLaunch())
    NVVM::GriddepcontrolOp::create(b, NVVM::GridDepActionKind::wait);
  loadRows();
  for (Value argument : region.getBody().getArguments())
    storeWhereYielded(argument);
  for (Operation &op : region.getBodyBlock()->without_terminator()) {
    compute(op, kernel);
    storeWhereYielded(op.getResult(0));
  }
  gpu::ReturnOp::create(b);
  return kernel;
}

gpu::GPUFuncOp mortar::buildKernel(OpBuilder &builder, StringRef name,
                                   const RowProgram &program,
                                   const HostOperands &operands,
                                   const RowSchedule &schedule, const ChipTraits &chip) {
  FusedOp region = program.region;
  ImplicitLocOpBuilder b(region.getLoc(), builder);
  b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
  return KernelEmitter(b, program, operands, schedule, chip).build(name);
}
