//===- HostCode.cpp - CPU functions as an object --------------------------===//

#include "mortar/Target/HostCode.h"

#include "MachineCode.h"
#include "mortar/Runtime/Executable.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <utility>

using namespace mlir;
using namespace mortar;

/// This CPU, and its features as LLVM takes them: "+avx2,-sse4a,…".
static std::pair<std::string, std::string> findHost() {
  llvm::SubtargetFeatures all;
  for (auto &[feature, enabled] : llvm::sys::getHostCPUFeatures())
    all.AddFeature(feature, enabled);
  std::vector<std::string> sorted = all.getFeatures();
  llvm::sort(sorted);
  return {llvm::sys::getHostCPUName().str(), llvm::join(sorted, ",")};
}

std::string mortar::hostCPU(StringRef cpu) {
  if (cpu != "host")
    return cpu.str();
  static const std::string name = [] {
    auto [cpu, features] = findHost();
    return cpu + " " + features;
  }();
  return name;
}

/// A machine for `cpu`, or an error at `module`.
static std::unique_ptr<llvm::TargetMachine> makeMachine(ModuleOp module,
                                                        StringRef cpu) {
  initializeHostTarget();
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string problem, features;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target) {
    module.emitError() << "expected LLVM to have this machine's target: " << problem;
    return nullptr;
  }
  std::string name = cpu.str();
  if (cpu == "host")
    std::tie(name, features) = findHost();
  llvm::TargetOptions options;
  // Only what is written as fma is one.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  auto unknown = [&] {
    module.emitError() << "expected a target like sm_90, host or x86-64-v3, but found '"
                       << cpu << "'";
    return nullptr;
  };
  // LLVM itself would print that it doesn't know the CPU, and go on.
  if (cpu != "host" && triple.isX86() &&
      llvm::X86::parseArchX86(name) == llvm::X86::CK_None)
    return unknown();
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, name, features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  if (!machine || !machine->getMCSubtargetInfo()->isCPUStringValid(name))
    return unknown();
  if (!machine->getMCSubtargetInfo()->checkFeatures("+fma") ||
      !machine->getMCSubtargetInfo()->checkFeatures("+f16c")) {
    module.emitError() << "expected a CPU with FMA3 and F16C (x86-64-v3 or later), but '"
                       << cpu << "' has not both";
    return nullptr;
  }
  return machine;
}

/// Beside each `_mlir_ciface_f(p0, p1, …)` a `mortar_packed_f(p[])`, which can be called
/// without knowing how many there are.
static void addPackedFunctions(llvm::Module &module) {
  llvm::SmallVector<llvm::Function *> functions;
  for (llvm::Function &function : module)
    if (function.getName().starts_with("_mlir_ciface_") && !function.isDeclaration())
      functions.push_back(&function);
  llvm::IRBuilder<> b(module.getContext());
  for (llvm::Function *function : functions) {
    std::string name =
        ("mortar_packed_" + function->getName().drop_front(strlen("_mlir_ciface_"))).str();
    auto *packed = llvm::Function::Create(
        llvm::FunctionType::get(b.getPtrTy(), {b.getPtrTy()}, false),
        llvm::Function::ExternalLinkage, name, module);
    b.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "", packed));
    llvm::SmallVector<llvm::Value *> arguments;
    for (unsigned i = 0; i < function->arg_size(); ++i)
      arguments.push_back(b.CreateLoad(
          b.getPtrTy(), b.CreateConstGEP1_32(b.getPtrTy(), packed->getArg(0), i)));
    b.CreateRet(b.CreateCall(function, arguments));
  }
}

/// Optimizes `module` and writes it as an object file.
static bool emitObject(llvm::Module &module, llvm::TargetMachine &machine,
                       std::string &object) {
  module.setDataLayout(machine.createDataLayout());
  module.setTargetTriple(machine.getTargetTriple());
  for (llvm::Function &function : module) {
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    // Vectors are as wide as the rows' loops say.
    function.addFnAttr("prefer-vector-width", "512");
  }
  return emitMachineCode(module, machine, llvm::OptimizationLevel::O2,
                         llvm::CodeGenFileType::ObjectFile, object);
}

FailureOr<HostCode> HostCode::compile(ModuleOp module, StringRef cpu,
                                      std::vector<runtime::Entry> entries) {
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(module, cpu);
  if (!machine)
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, context, "mortar");
  HostCode code;
  if (translated)
    addPackedFunctions(*translated);
  if (!translated || !emitObject(*translated, *machine, code.objectBytes))
    return module.emitError("expected a module in the LLVM dialect that compiles for "
                            "this machine, but it doesn't");
  code.allEntries = std::move(entries);
  code.cpu = machine->getTargetCPU().str();
  for (StringRef feature : llvm::split(machine->getTargetFeatureString(), ','))
    if (feature.starts_with("+"))
      code.cpu += feature.str();
  return code;
}

std::string HostCode::header(StringRef guard) const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "/* Made by mortar-compile. Each function returns NULL, or the message of the\n"
        "   check that failed. An argument points to a strided memref descriptor:\n"
        "   sizes and strides are in elements; offset is added to aligned. The last\n"
        "   stride is 1, but where an argument says any. */\n"
     << "#ifndef " << guard << "\n#define " << guard << "\n\n#include <stdint.h>\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  llvm::SmallDenseSet<size_t> ranks;
  for (const runtime::Entry &entry : allEntries)
    for (const runtime::Argument &argument : entry.args)
      if (ranks.insert(argument.shape.size()).second)
        os << "struct mortar_memref_" << argument.shape.size() << " {\n  void *allocated;"
           << "\n  void *aligned;\n  int64_t offset;\n  int64_t sizes["
           << argument.shape.size() << "];\n  int64_t strides["
           << argument.shape.size() << "];\n};\n\n";
  for (const runtime::Entry &entry : allEntries) {
    os << "const char *_mlir_ciface_" << entry.name << "(";
    llvm::interleaveComma(entry.args, os, [&](const runtime::Argument &argument) {
      static constexpr const char *roles[] = {"input", "output", "updated in place"};
      os << "\n    struct mortar_memref_" << argument.shape.size() << " * /* "
         << roles[argument.role] << ", " << runtime::elementTypeName(argument.type)
         << " [";
      llvm::interleaveComma(argument.shape, os, [&](int64_t size) {
        size < 0 ? os << "rows" : os << size;
      });
      os << (argument.strided ? "], any strides */" : "] */");
    });
    os << ");\n\n";
  }
  os << "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}
