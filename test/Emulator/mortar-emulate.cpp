//===- mortar-emulate.cpp - runs hand-written kernels on the emulator -----===//
//
//   mortar-emulate file.mlir [order seed]
//
// Runs every gpu.func of a file once and prints what the emulator finds. The
// function says how:
//
//   emulate.grid, emulate.block   array<i64: x, y, z>; one thread by default
//
// and so does each parameter:
//
//   emulate.elements = n          of a memref, if its type doesn't say
//   emulate.rows = array<i64: rows, length, stride>   what lies between is
//   outside emulate.output                nothing is initialized (else element
//   i is i) emulate.constant              nobody writes it emulate.print its
//   values afterwards emulate.value = n             of a number
//
//===----------------------------------------------------------------------===//

#include "mortar/Emulator/Emulator.h"
#include "mortar/InitAll.h"
#include "mortar/Target/LaunchPlan.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

#include <cstring>
#include <deque>

using namespace mlir;
using namespace mortar::emulator;
namespace rt = mortar::runtime;

static APInt bitsOf(Type type, int64_t value) {
  auto number = dyn_cast<FloatType>(type);
  if (!number)
    return APInt(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true,
                 /*implicitTrunc=*/true);
  APFloat made{double(value)};
  bool losesInfo;
  made.convert(number.getFloatSemantics(), APFloat::rmNearestTiesToEven,
               &losesInfo);
  return made.bitcastToAPInt();
}

namespace {
/// The memory of one memref parameter.
class TestBuffer {
public:
  TestBuffer(gpu::GPUFuncOp func, unsigned argument)
      : type(cast<MemRefType>(func.getArgument(argument).getType())) {
    auto attribute = [&](StringRef name) {
      return func.getArgAttr(argument, name);
    };
    bool isOutput = bool(attribute("emulate.output"));
    isPrinted = bool(attribute("emulate.print"));
    isConstant = bool(attribute("emulate.constant"));
    int64_t count = type.getNumElements();
    if (auto elements =
            dyn_cast_or_null<IntegerAttr>(attribute("emulate.elements")))
      count = elements.getInt();
    shape = {1, count};
    strides = {count, 1};
    if (auto rows =
            dyn_cast_or_null<DenseI64ArrayAttr>(attribute("emulate.rows"))) {
      shape = {rows[0], rows[1]};
      strides = {rows[2], 1};
      count = rows[0] * rows[2];
    }
    Type element = type.getElementType();
    bytes = element.getIntOrFloatBitWidth() / 8;
    storage.resize(count * bytes + 256);
    data =
        storage.data() + (-reinterpret_cast<uintptr_t>(storage.data()) & 255);
    for (int64_t i = 0; i < count && !isOutput; ++i) {
      uint64_t bits = bitsOf(element, i).getZExtValue();
      std::memcpy(data + i * bytes, &bits, bytes);
    }
    rt::TensorArg tensor;
    tensor.data = data;
    tensor.shape = shape.data();
    tensor.strides = strides.data();
    tensor.rank = 2;
    tensor.type = mortar::findElementType(element).value_or(rt::ElementType::F32);
    registered = [this, tensor, isOutput, argument](Memory &memory) {
      memory.add("argument " + std::to_string(argument), tensor, !isOutput,
                 isConstant);
    };
  }

  void print(unsigned argument) const {
    if (!isPrinted)
      return;
    llvm::outs() << "  argument " << argument << ":";
    for (int64_t i = 0; i < shape[1]; ++i) {
      uint64_t bits = 0;
      std::memcpy(&bits, data + i * bytes, bytes);
      if (auto number = dyn_cast<FloatType>(type.getElementType())) {
        SmallString<32> text;
        APFloat(number.getFloatSemantics(), APInt(bytes * 8, bits))
            .toString(text, 6);
        llvm::outs() << " " << text;
      } else {
        llvm::outs() << " " << APInt(bytes * 8, bits).getSExtValue();
      }
    }
    llvm::outs() << "\n";
  }

  char *data;
  std::function<void(Memory &)> registered;

private:
  MemRefType type;
  bool isPrinted, isConstant;
  unsigned bytes;
  std::vector<int64_t> shape, strides;
  std::vector<char> storage;
};
} // namespace

static void run(gpu::GPUFuncOp func, uint64_t seed) {
  llvm::outs() << "@" << func.getName() << "\n";
  llvm::outs().flush();
  FailureOr<Kernel> kernel = Kernel::load(func);
  if (failed(kernel))
    return;
  rt::LaunchDims dims{{1, 1, 1}, {1, 1, 1}, 0};
  auto read = [&](StringRef name, uint32_t *into) {
    if (auto sizes = func->getAttrOfType<DenseI64ArrayAttr>(name))
      llvm::copy(sizes.asArrayRef(), into);
  };
  read("emulate.grid", dims.grid);
  read("emulate.block", dims.block);
  Emulator emulator(seed);
  std::deque<TestBuffer> buffers;
  std::vector<int64_t> params;
  for (unsigned i = 0; i < func.getNumArguments(); ++i) {
    if (isa<MemRefType>(func.getArgument(i).getType())) {
      TestBuffer &buffer = buffers.emplace_back(func, i);
      buffer.registered(emulator.memory());
      params.push_back(reinterpret_cast<int64_t>(buffer.data));
      continue;
    }
    auto value =
        dyn_cast_or_null<IntegerAttr>(func.getArgAttr(i, "emulate.value"));
    params.push_back(value ? value.getInt() : 0);
  }
  rt::Status status =
      emulator.launch(*kernel, dims, params.data(), params.size());
  if (!status.ok())
    llvm::outs() << "  error: " << status.message() << "\n";
  for (const Finding &finding : emulator.findings().list())
    llvm::outs() << "  " << finding.describe() << "\n";
  if (emulator.findings().empty())
    llvm::outs() << "  nothing found\n";
  auto next = buffers.begin();
  for (unsigned i = 0; i < func.getNumArguments(); ++i)
    if (isa<MemRefType>(func.getArgument(i).getType()))
      (next++)->print(i);
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) {
    llvm::errs() << "expected: mortar-emulate file.mlir [order seed]\n";
    return 1;
  }
  uint64_t seed = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  DialectRegistry registry;
  mortar::registerAllDialects(registry);
  registry.insert<NVVM::NVVMDialect, cf::ControlFlowDialect,
                  vector::VectorDialect>();
  MLIRContext context(registry);
  context.allowUnregisteredDialects();
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context, llvm::outs());
  auto module = parseSourceFile<ModuleOp>(argv[1], sources, &context);
  if (!module)
    return 1;
  module->walk([&](gpu::GPUFuncOp func) { run(func, seed); });
  return 0;
}
