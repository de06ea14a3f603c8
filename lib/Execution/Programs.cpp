//===- Programs.cpp - compiled programs and where they run ----------------===//

#include "mortar/Execution/Programs.h"

#include "mortar/Runtime/Executable.h"

#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLExtras.h"

#include <chrono>

using namespace mortar::execution;
namespace rt = mortar::runtime;

Program::~Program() = default;

Expected<std::vector<Image>>
Program::place(size_t entry, const std::vector<Tensor> &inputs, Placement placement) {
  const rt::Entry &declared = declarations.entries[entry];
  std::vector<rt::TensorArg> args(declared.args.size());
  size_t next = 0;
  for (auto [arg, declaration] : llvm::zip(args, declared.args))
    if (declaration.role != rt::Argument::Output) {
      const Tensor &input = inputs[next++];
      arg.shape = input.shape.data();
      arg.rank = input.shape.size();
      arg.type = input.type;
    }
  auto shapes = rt::resultShapes(declarations, entry, args);
  if (!shapes)
    return shapes.status();

  // Results that no kernel writes differ from run to run, as comparing should find.
  static unsigned char unwritten = 0;
  unwritten += 0x35;
  std::vector<Image> images;
  next = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    const Tensor *input = nullptr;
    const std::vector<int64_t> *shape = nullptr;
    if (declared.args[i].role != rt::Argument::Output) {
      input = &inputs[next++];
      shape = &input->shape;
    } else {
      for (auto [result, resultShape] : llvm::zip(declared.results, *shapes))
        if (result.argument == i)
          shape = &resultShape;
    }
    if (!shape)
      return Status::error("entry '", declared.name, "': expected output argument ", i,
                           " to hold a result");
    // Rows in two dimensions need no even spacing where the inner one is static.
    const std::vector<int64_t> &known = declared.args[i].shape;
    Placement own = placement;
    if (known.size() > 2 && known[known.size() - 2] > 1)
      own.outerPad = placement.pad;
    own.columnMajor &= declared.args[i].strided;
    auto image = Image::make(declared.args[i].type, *shape, own);
    if (!image)
      return image.status();
    if (input)
      image->put(*input);
    else
      image->fill(unwritten);
    images.push_back(std::move(*image));
  }
  return images;
}

Expected<std::vector<Tensor>>
Program::run(size_t entry, const std::vector<Tensor> &inputs, Placement placement) {
  auto images = place(entry, inputs, placement);
  if (!images)
    return images.status();
  if (Status status = runOn(entry, *images); !status.ok())
    return status;
  const rt::Entry &declared = declarations.entries[entry];
  for (auto [i, image] : llvm::enumerate(*images))
    if (Status status = image.checkGuards(); !status.ok())
      return status.in("entry '", declared.name, "', argument ", i, " ('",
                       declared.args[i].name, "')");
  // An argument that is only read stays as it was.
  size_t next = 0;
  for (size_t i = 0; i < images->size(); ++i) {
    if (declared.args[i].role == rt::Argument::Output)
      continue;
    const Tensor &before = inputs[next++];
    if (declared.args[i].role == rt::Argument::Input &&
        (*images)[i].get().bytes != before.bytes)
      return Status::error("entry '", declared.name, "': argument ", i, " ('",
                           declared.args[i].name, "') is an input, but was written");
  }
  std::vector<Tensor> results;
  for (const rt::Result &result : declared.results)
    results.push_back((*images)[result.argument].get());
  return results;
}

Expected<size_t> Program::bytesMoved(size_t entry, const std::vector<Tensor> &inputs) {
  auto images = place(entry, inputs, {});
  if (!images)
    return images.status();
  size_t bytes = 0;
  for (auto [image, arg] : llvm::zip(*images, declarations.entries[entry].args))
    bytes += (image.size() - 2 * Image::guardBytes) *
             (arg.role == rt::Argument::InOut ? 2 : 1);
  return bytes;
}

Expected<Timing> Program::time(size_t entry, const std::vector<Tensor> &inputs,
                               Placement placement, unsigned runs) {
  auto images = place(entry, inputs, placement);
  if (!images)
    return images.status();
  auto times = timeOn(entry, *images, runs);
  if (!times)
    return times.status();
  llvm::sort(*times);
  return Timing{(*times)[times->size() / 2], times->front()};
}

namespace {
class CPUDevice : public Program {
public:
  explicit CPUDevice(mortar::CPUProgram program) : code(std::move(program.code)) {
    declarations.entries = code.entries();
    fusing = std::move(program.summary);
  }

private:
  Status runOn(size_t entry, std::vector<Image> &images) override {
    std::vector<rt::TensorArg> args;
    for (Image &image : images)
      args.push_back(image.at(image.data()));
    return code.run(entry, args);
  }

  Expected<std::vector<double>> timeOn(size_t entry, std::vector<Image> &images,
                                       unsigned runs) override {
    std::vector<double> times;
    if (Status status = runOn(entry, images); !status.ok()) // warm-up
      return status;
    for (unsigned i = 0; i < runs; ++i) {
      auto begin = std::chrono::steady_clock::now();
      if (Status status = runOn(entry, images); !status.ok())
        return status;
      std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - begin;
      times.push_back(took.count());
    }
    return times;
  }

  mortar::HostCode code;
};
} // namespace

Expected<std::unique_ptr<Program>>
mortar::execution::compileOnCPU(mlir::ModuleOp module, const CompileOptions &options) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(module.clone());
  auto program = compileForCPU(*copy, options);
  if (failed(program))
    return Status::error("");
  return std::unique_ptr<Program>(new CPUDevice(std::move(*program)));
}
