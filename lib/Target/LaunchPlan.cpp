//===- LaunchPlan.cpp - host functions to plans ---------------------------===//
//
// A host function after convert-mortar-to-gpu is straight index arithmetic, checks,
// scf.if and launches. Each op has one instruction; anything else is an error.
//
//===----------------------------------------------------------------------===//

#include "mortar/Target/LaunchPlan.h"

#include "ShortenPlan.h"

#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
namespace rt = mortar::runtime;
using rt::BinaryOp;

namespace {

/// A memref that the host function knows: an argument, or workspace.
struct Buffer {
  int argument = -1;                       // -1: workspace
  uint32_t pointer = 0;                    // workspace only, like the next two
  SmallVector<uint32_t> sizes, strides;
};

class PlanBuilder {
public:
  PlanBuilder(const llvm::StringMap<uint32_t> &kernels) : kernels(kernels) {}

  LogicalResult addFunction(func::FuncOp func);
  rt::Program take() {
    program.numRegisters = nextRegister;
    return mortar::shortenPlan(program);
  }

private:
  uint32_t fresh() { return nextRegister++; }
  uint32_t define(Value value) { return registers[value] = fresh(); }
  uint32_t use(Value value) { return registers.lookup(value); }
  uint32_t constant(int64_t value) {
    uint32_t r = fresh();
    program.code.push_back(rt::Const{r, value});
    return r;
  }
  uint32_t binary(BinaryOp op, uint32_t lhs, uint32_t rhs) {
    uint32_t r = fresh();
    program.code.push_back(rt::Binary{op, r, lhs, rhs});
    return r;
  }
  void binary(Operation *op, BinaryOp kind) {
    uint32_t lhs = use(op->getOperand(0)), rhs = use(op->getOperand(1));
    program.code.push_back(rt::Binary{kind, define(op->getResult(0)), lhs, rhs});
  }

  LogicalResult addBlock(Block &block);
  LogicalResult add(Operation &op);
  LogicalResult addIf(scf::IfOp op);
  LogicalResult addLaunch(gpu::LaunchFuncOp op);
  void addAlloc(memref::AllocOp op);
  void addMetadata(memref::ExtractStridedMetadataOp op);
  uint32_t sizeOf(const Buffer &buffer, int64_t dim);

  const llvm::StringMap<uint32_t> &kernels;
  rt::Program program;
  uint32_t nextRegister = 0;
  DenseMap<Value, uint32_t> registers;
  DenseMap<Value, Buffer> buffers;
};

} // namespace

static std::optional<BinaryOp> binaryKind(Operation &op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    switch (compare.getPredicate()) {
    case arith::CmpIPredicate::eq: return BinaryOp::CmpEq;
    case arith::CmpIPredicate::ne: return BinaryOp::CmpNe;
    case arith::CmpIPredicate::slt: return BinaryOp::CmpLtS;
    case arith::CmpIPredicate::sle: return BinaryOp::CmpLeS;
    case arith::CmpIPredicate::sgt: return BinaryOp::CmpGtS;
    case arith::CmpIPredicate::sge: return BinaryOp::CmpGeS;
    case arith::CmpIPredicate::ult: return BinaryOp::CmpLtU;
    case arith::CmpIPredicate::ule: return BinaryOp::CmpLeU;
    case arith::CmpIPredicate::ugt: return BinaryOp::CmpGtU;
    case arith::CmpIPredicate::uge: return BinaryOp::CmpGeU;
    }
  }
  using Kind = std::optional<BinaryOp>;
  return llvm::TypeSwitch<Operation *, Kind>(&op)
      .Case([](arith::AddIOp) { return BinaryOp::Add; })
      .Case([](arith::SubIOp) { return BinaryOp::Sub; })
      .Case([](arith::MulIOp) { return BinaryOp::Mul; })
      .Case([](arith::DivSIOp) { return BinaryOp::DivS; })
      .Case([](arith::DivUIOp) { return BinaryOp::DivU; })
      .Case([](arith::RemSIOp) { return BinaryOp::RemS; })
      .Case([](arith::RemUIOp) { return BinaryOp::RemU; })
      .Case([](arith::FloorDivSIOp) { return BinaryOp::FloorDivS; })
      .Case([](arith::CeilDivSIOp) { return BinaryOp::CeilDivS; })
      .Case([](arith::CeilDivUIOp) { return BinaryOp::CeilDivU; })
      .Case([](arith::AndIOp) { return BinaryOp::And; })
      .Case([](arith::OrIOp) { return BinaryOp::Or; })
      .Case([](arith::XOrIOp) { return BinaryOp::Xor; })
      .Case([](arith::ShLIOp) { return BinaryOp::Shl; })
      .Case([](arith::ShRSIOp) { return BinaryOp::ShrS; })
      .Case([](arith::ShRUIOp) { return BinaryOp::ShrU; })
      .Case([](arith::MinSIOp) { return BinaryOp::MinS; })
      .Case([](arith::MaxSIOp) { return BinaryOp::MaxS; })
      .Case([](arith::MinUIOp) { return BinaryOp::MinU; })
      .Case([](arith::MaxUIOp) { return BinaryOp::MaxU; })
      .Default([](Operation *) { return Kind(); });
}

LogicalResult PlanBuilder::addFunction(func::FuncOp func) {
  for (BlockArgument arg : func.getArguments())
    buffers[arg].argument = arg.getArgNumber();
  return addBlock(func.front());
}

LogicalResult PlanBuilder::addBlock(Block &block) {
  for (Operation &op : block)
    if (failed(add(op)))
      return failure();
  return success();
}

uint32_t PlanBuilder::sizeOf(const Buffer &buffer, int64_t dim) {
  if (buffer.argument < 0)
    return buffer.sizes[dim];
  uint32_t r = fresh();
  program.code.push_back(rt::ArgDim{r, uint32_t(buffer.argument), uint32_t(dim)});
  return r;
}

void PlanBuilder::addAlloc(memref::AllocOp op) {
  Buffer buffer;
  auto sizes = op.getDynamicSizes().begin();
  uint32_t bytes = constant(op.getType().getElementTypeBitWidth() / 8);
  for (int64_t size : op.getType().getShape()) {
    buffer.sizes.push_back(ShapedType::isDynamic(size) ? use(*sizes++)
                                                       : constant(size));
    bytes = binary(BinaryOp::Mul, bytes, buffer.sizes.back());
  }
  uint32_t stride = constant(1);
  for (uint32_t size : llvm::reverse(buffer.sizes)) {
    buffer.strides.insert(buffer.strides.begin(), stride);
    stride = binary(BinaryOp::Mul, stride, size);
  }
  buffer.pointer = fresh();
  program.code.push_back(rt::Workspace{buffer.pointer, bytes});
  buffers[op.getResult()] = buffer;
}

/// The address of element 0 is an argument's base, so its offset is 0.
void PlanBuilder::addMetadata(memref::ExtractStridedMetadataOp op) {
  const Buffer buffer = buffers.lookup(op.getSource());
  uint32_t pointer = buffer.pointer;
  if (buffer.argument >= 0) {
    pointer = fresh();
    program.code.push_back(rt::ArgPointer{pointer, uint32_t(buffer.argument)});
  }
  registers[op.getBaseBuffer()] = pointer;
  if (!op.getOffset().use_empty())
    registers[op.getOffset()] = constant(0);
  for (auto [i, size, stride] : llvm::enumerate(op.getSizes(), op.getStrides())) {
    if (!size.use_empty())
      registers[size] = sizeOf(buffer, i);
    if (stride.use_empty())
      continue;
    if (buffer.argument < 0) {
      registers[stride] = buffer.strides[i];
      continue;
    }
    program.code.push_back(
        rt::ArgStride{define(stride), uint32_t(buffer.argument), uint32_t(i)});
  }
}

LogicalResult PlanBuilder::addIf(scf::IfOp op) {
  if (op.getNumResults())
    return op.emitError("expected an scf.if without results in a launch plan, but "
                        "found one with results");
  size_t at = program.code.size();
  program.code.push_back(rt::If{use(op.getCondition()), 0, 0});
  if (failed(addBlock(op.getThenRegion().front())))
    return failure();
  size_t middle = program.code.size();
  if (!op.getElseRegion().empty() && failed(addBlock(op.getElseRegion().front())))
    return failure();
  auto &made = std::get<rt::If>(program.code[at]);
  made.thenCount = middle - at - 1;
  made.elseCount = program.code.size() - middle;
  return success();
}

LogicalResult PlanBuilder::addLaunch(gpu::LaunchFuncOp op) {
  rt::Launch launch;
  launch.kernel = kernels.lookup(op.getKernelName().getValue());
  gpu::KernelDim3 grid = op.getGridSizeOperandValues();
  gpu::KernelDim3 block = op.getBlockSizeOperandValues();
  launch.grid = {use(grid.x), use(grid.y), use(grid.z)};
  launch.block = {use(block.x), use(block.y), use(block.z)};
  launch.dynamicSharedBytes =
      op.getDynamicSharedMemorySize() ? use(op.getDynamicSharedMemorySize())
                                      : constant(0);
  for (Value parameter : op.getKernelOperands())
    launch.params.push_back(use(parameter));
  program.code.push_back(std::move(launch));
  return success();
}

LogicalResult PlanBuilder::add(Operation &op) {
  if (auto kind = binaryKind(op)) {
    binary(&op, *kind);
    return success();
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](arith::ConstantOp constant) -> LogicalResult {
        auto value = dyn_cast<IntegerAttr>(constant.getValue());
        if (!value)
          return constant.emitError("expected an integer constant in a launch plan");
        bool isBit = value.getType().isInteger(1);
        program.code.push_back(rt::Const{
            define(constant), isBit ? int64_t(value.getValue().getZExtValue())
                                    : value.getValue().getSExtValue()});
        return success();
      })
      .Case([&](arith::SelectOp select) {
        uint32_t condition = use(select.getCondition());
        uint32_t onTrue = use(select.getTrueValue());
        uint32_t onFalse = use(select.getFalseValue());
        program.code.push_back(rt::Select{define(select), condition, onTrue, onFalse});
        return success();
      })
      .Case([&](memref::DimOp dim) -> LogicalResult {
        auto index = dim.getConstantIndex();
        auto type = dyn_cast<MemRefType>(dim.getSource().getType());
        if (!index || !type || *index < 0 || *index >= type.getRank() ||
            !buffers.contains(dim.getSource()))
          return dim.emitError("expected a constant dimension of an argument");
        registers[dim] = sizeOf(buffers.lookup(dim.getSource()), *index);
        return success();
      })
      .Case([&](memref::ExtractAlignedPointerAsIndexOp pointer) {
        const Buffer buffer = buffers.lookup(pointer.getSource());
        if (buffer.argument >= 0)
          program.code.push_back(
              rt::ArgPointer{define(pointer), uint32_t(buffer.argument)});
        else
          registers[pointer] = buffer.pointer;
        return success();
      })
      .Case([&](memref::ExtractStridedMetadataOp metadata) {
        addMetadata(metadata);
        return success();
      })
      .Case([&](memref::AllocOp alloc) {
        addAlloc(alloc);
        return success();
      })
      .Case([&](cf::AssertOp check) {
        program.code.push_back(rt::Check{use(check.getArg()), check.getMsg().str()});
        return success();
      })
      .Case([&](scf::IfOp branch) { return addIf(branch); })
      .Case([&](gpu::LaunchFuncOp launch) { return addLaunch(launch); })
      .Case([&](func::ReturnOp end) {
        for (Value value : end.getOperands())
          program.outputs.push_back(use(value));
        return success();
      })
      .Case([&](scf::YieldOp) { return success(); })
      .Default([&](Operation *other) {
        return other->emitError() << "'" << other->getName()
                                  << "' was not lowered: a launch plan can't hold it";
      });
}

//===----------------------------------------------------------------------===//
// The artifact around the plans
//===----------------------------------------------------------------------===//

std::optional<rt::ElementType> mortar::findElementType(Type type) {
  if (type.isF32())
    return rt::ElementType::F32;
  if (type.isF16())
    return rt::ElementType::F16;
  if (type.isBF16())
    return rt::ElementType::BF16;
  if (isa<Float8E4M3FNType>(type))
    return rt::ElementType::F8E4M3;
  if (isa<Float8E8M0FNUType>(type))
    return rt::ElementType::F8E8M0;
  if (type.isInteger(8))
    return rt::ElementType::I8;
  if (type.isInteger(32))
    return rt::ElementType::I32;
  if (type.isInteger(64))
    return rt::ElementType::I64;
  return std::nullopt;
}

static FailureOr<rt::Entry> declareEntry(func::FuncOp func) {
  rt::Entry entry;
  entry.name = func.getName().str();
  std::map<int64_t, uint32_t> results;
  for (BlockArgument arg : func.getArguments()) {
    unsigned i = arg.getArgNumber();
    auto type = dyn_cast<MemRefType>(arg.getType());
    auto element = type ? mortar::findElementType(type.getElementType())
                        : std::optional<rt::ElementType>();
    if (!element)
      return func.emitError() << "expected argument " << i
                              << " to be a memref of f32, f16, bf16, f8E4M3FN, i8, i32 or i64, but found "
                              << arg.getType();
    rt::Argument argument;
    argument.name = "argument " + std::to_string(i);
    argument.type = *element;
    for (int64_t size : type.getShape())
      argument.shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
    argument.constant = bool(func.getArgAttr(i, mortar::MortarDialect::constantAttr));
    argument.strided = type.getRank() && type.getStridesAndOffset().first.back() != 1;
    auto result = func.getArgAttrOfType<IntegerAttr>(
        i, mortar::MortarDialect::resultAttr);
    if (func.getArgAttr(i, mortar::MortarDialect::outputAttr))
      argument.role = rt::Argument::Output;
    else if (result)
      argument.role = rt::Argument::InOut;
    if (result)
      results[result.getInt()] = i;
    entry.args.push_back(std::move(argument));
  }
  for (auto [number, argument] : results)
    entry.results.push_back({argument});
  return entry;
}

FailureOr<std::vector<rt::Entry>> mortar::declareEntries(ModuleOp module) {
  static const llvm::StringMap<uint32_t> noKernels;
  std::vector<rt::Entry> entries;
  for (auto func : module.getOps<func::FuncOp>()) {
    auto shapesFunc =
        module.lookupSymbol<func::FuncOp>((func.getName() + ".shapes").str());
    if (!shapesFunc)
      continue;
    FailureOr<rt::Entry> entry = declareEntry(func);
    if (failed(entry))
      return failure();
    PlanBuilder shapes(noKernels);
    if (failed(shapes.addFunction(shapesFunc)))
      return failure();
    entry->shapes = shapes.take();
    entries.push_back(std::move(*entry));
  }
  return entries;
}

FailureOr<rt::Artifact> mortar::buildLaunchPlan(ModuleOp module) {
  rt::Artifact artifact;
  llvm::StringMap<uint32_t> kernels;
  module.walk([&](gpu::GPUFuncOp kernel) {
    kernels[kernel.getName()] = artifact.kernels.size();
    rt::Kernel made;
    made.name = kernel.getName().str();
    if (auto size = kernel.getKnownBlockSizeAttr())
      made.maxThreads = size[0];
    for (BlockArgument scratch : kernel.getWorkgroupAttributions()) {
      auto type = cast<MemRefType>(scratch.getType());
      made.staticSharedBytes +=
          type.getNumElements() * type.getElementTypeBitWidth() / 8;
    }
    made.programmaticLaunch = bool(kernel->getAttr("mortar.programmatic_launch"));
    made.onDemand = bool(kernel->getAttr("mortar.on_demand"));
    artifact.kernels.push_back(made);
  });
  auto entries = declareEntries(module);
  if (failed(entries))
    return failure();
  for (rt::Entry &entry : *entries) {
    PlanBuilder body(kernels);
    auto func = module.lookupSymbol<func::FuncOp>(entry.name);
    if (failed(body.addFunction(func)))
      return failure();
    entry.body = body.take();
  }
  artifact.entries = std::move(*entries);
  return artifact;
}
