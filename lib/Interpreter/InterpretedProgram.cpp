//===- InterpretedProgram.cpp - the interpreter as a device ---------------===//

#include "mortar/Interpreter/Interpreter.h"

#include "mortar/Transforms/Passes.h"

#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::interpreter;
using namespace mortar::execution;
namespace rt = mortar::runtime;

namespace {
class InterpretedProgram : public Program {
public:
  Status prepare(ModuleOp source, const CompileOptions &options);

  Expected<std::vector<Tensor>> run(size_t entry, const std::vector<Tensor> &inputs,
                                    Placement) override;
  Expected<Timing> time(size_t, const std::vector<Tensor> &, Placement,
                        unsigned) override {
    return Status::error("the interpreter can't be timed");
  }

private:
  Status runOn(size_t, std::vector<Image> &) override {
    return Status::error("the interpreter runs on tensors");
  }
  Expected<std::vector<double>> timeOn(size_t, std::vector<Image> &, unsigned) override {
    return Status::error("the interpreter can't be timed");
  }

  OwningOpRef<ModuleOp> module;
  std::vector<func::FuncOp> functions; // one an entry
};
} // namespace

/// Arguments are what a function on tensors takes; what it gives has no place among them.
static Expected<rt::Entry> declareEntry(func::FuncOp function) {
  rt::Entry entry;
  entry.name = function.getName().str();
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    FailureOr<Tensor> like = failure();
    if (tensor)
      like = toTensor(Array{tensor.getElementType(), {0}, {}});
    if (failed(like))
      return Status::error("entry '", entry.name, "': argument ", i,
                           " is no tensor of numbers");
    rt::Argument argument{"arg" + std::to_string(i), like->type, {}, {}, {}};
    for (int64_t extent : tensor.getShape())
      argument.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
    entry.args.push_back(std::move(argument));
  }
  return entry;
}

Status InterpretedProgram::prepare(ModuleOp source, const CompileOptions &options) {
  module = source.clone();
  if (failed(fuseAndOutline(*module, options, fusing)))
    return Status::error("");
  PassManager pm(source.getContext());
  pm.addPass(createDecomposePass());
  if (failed(pm.run(*module)))
    return Status::error("");
  for (auto function : module->getOps<func::FuncOp>()) {
    auto entry = declareEntry(function);
    if (!entry)
      return entry.status();
    declarations.entries.push_back(std::move(*entry));
    functions.push_back(function);
  }
  return {};
}

Expected<std::vector<Tensor>>
InterpretedProgram::run(size_t entry, const std::vector<Tensor> &inputs, Placement) {
  std::vector<Array> arguments;
  for (const Tensor &input : inputs)
    arguments.push_back(fromTensor(input, module->getContext()));
  auto results = Interpreter(*module).run(functions[entry], arguments);
  if (failed(results))
    return Status::error("");
  std::vector<Tensor> tensors;
  for (auto [i, result] : llvm::enumerate(*results)) {
    auto tensor = toTensor(result);
    if (failed(tensor))
      return Status::error("entry '", declarations.entries[entry].name, "': result ", i,
                           " has elements that no tensor at run time has");
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

Expected<std::unique_ptr<Program>>
interpreter::makeInterpretedProgram(ModuleOp module, const CompileOptions &options) {
  auto program = std::make_unique<InterpretedProgram>();
  if (Status status = program->prepare(module, options); !status.ok())
    return status;
  return std::unique_ptr<Program>(std::move(program));
}
