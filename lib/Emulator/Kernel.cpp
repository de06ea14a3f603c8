//===- Kernel.cpp - a gpu.func, ready to be emulated ----------------------===//

#include "mortar/Emulator/Kernel.h"

#include "Translator.h"

using namespace mlir;
using namespace mortar::emulator;

FailureOr<Kernel> Kernel::load(gpu::GPUFuncOp func) {
  if (!canRunLanes())
    return func.emitError(
        "expected a machine with AVX2, FMA3 and F16C (x86-64-v3), which "
        "the emulator is compiled for, but found another");
  FailureOr<Program> program = Translator(func).translate();
  if (failed(program))
    return failure();
  return Kernel(std::make_shared<const Program>(std::move(*program)));
}

const std::string &Kernel::name() const { return code->name; }

bool Kernel::isPointer(size_t parameter) const {
  return parameter < code->parameters.size() &&
         code->parameters[parameter].isPointer;
}
