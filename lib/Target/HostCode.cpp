//===- HostCode.cpp - CPU functions, in memory or as an object ------------===//

#include "mortar/Target/HostCode.h"

#include "MachineCode.h"
#include "mortar/Runtime/Executable.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <mutex>
#include <utility>

using namespace mlir;
using namespace mortar;

HostCode::HostCode() = default;
HostCode::HostCode(HostCode &&) = default;
HostCode &HostCode::operator=(HostCode &&) = default;
HostCode::~HostCode() = default;

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
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
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

namespace {
/// What LLVM's linker says beside the error that it returns. It prints that otherwise.
class LinkReports {
public:
  explicit LinkReports(llvm::orc::ExecutionSession &session) {
    session.setErrorReporter([said = said](llvm::Error error) {
      std::lock_guard<std::mutex> lock(said->mutex);
      said->text += "; " + llvm::toString(std::move(error));
    });
  }
  std::string text() const {
    std::lock_guard<std::mutex> lock(said->mutex);
    return said->text;
  }

private:
  /// Lives as long as the session may report.
  struct Said {
    std::mutex mutex;
    std::string text;
  };
  std::shared_ptr<Said> said = std::make_shared<Said>();
};
} // namespace

/// `error` as a runtime status.
static runtime::Status toStatus(llvm::Error error, const std::string &more = "") {
  return runtime::Status::error("the CPU code can't be loaded: ",
                                llvm::toString(std::move(error)), more);
}

runtime::Status HostCode::link() {
  if (jit)
    return {};
  auto made = llvm::orc::LLJITBuilder().create();
  if (!made)
    return toStatus(made.takeError());
  LinkReports reports((*made)->getExecutionSession());
  if (auto error = (*made)->addObjectFile(
          llvm::MemoryBuffer::getMemBufferCopy(objectBytes, "mortar")))
    return toStatus(std::move(error), reports.text());
  // malloc, free and memcpy, for temporaries.
  auto symbols = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      (*made)->getDataLayout().getGlobalPrefix());
  if (!symbols)
    return toStatus(symbols.takeError());
  (*made)->getMainJITDylib().addGenerator(std::move(*symbols));
  for (const runtime::Entry &entry : allEntries) {
    auto symbol = (*made)->lookup("mortar_packed_" + entry.name);
    if (!symbol)
      return toStatus(symbol.takeError(), reports.text());
    functions.push_back(symbol->toPtr<const char *(void **)>());
  }
  jit = std::move(*made);
  return {};
}

//===----------------------------------------------------------------------===//
// Artifacts
//===----------------------------------------------------------------------===//

runtime::Artifact HostCode::toArtifact() const {
  runtime::Artifact artifact;
  artifact.images.push_back({cpu, runtime::CodeImage::Object, objectBytes});
  artifact.entries = allEntries;
  return artifact;
}

/// Whether this machine has what code for `cpu` ("znver3+avx2+…") may use.
static runtime::Status checkCPU(StringRef cpu) {
  llvm::StringMap<bool> here = llvm::sys::getHostCPUFeatures();
  SmallVector<StringRef> needed; // first the name
  cpu.split(needed, '+');
  // Features are named for "host", which may lack some that its model has.
  if (needed.size() == 1) {
    // Of one that it doesn't know LLVM would read beyond its table.
    if (llvm::X86::parseArchX86(cpu) == llvm::X86::CK_None)
      return runtime::Status::error("expected code for a CPU that LLVM knows, like "
                                    "x86-64-v3, found it for '", cpu.str(), "'");
    llvm::X86::getFeaturesForCPU(cpu, needed);
  }
  for (StringRef feature : ArrayRef(needed).drop_front()) {
    auto found = here.find(feature);
    // Tuning and such aren't listed, and no code depends on them.
    if (found != here.end() && !found->second)
      return runtime::Status::error("expected a CPU like ", needed.front().str(),
                                    ", with ", feature.str(), ", found ",
                                    llvm::sys::getHostCPUName().str(), " without");
  }
  return {};
}

runtime::Expected<std::unique_ptr<runtime::HostProgram>>
HostCode::load(const runtime::Artifact &artifact) {
  if (artifact.images.size() != 1)
    return runtime::Status::error("expected one object for a CPU, found ",
                                  artifact.images.size(), " images");
  const runtime::CodeImage &image = artifact.images.front();
  if (auto status = runtime::checkImage(image); !status.ok())
    return status;
  if (auto status = checkCPU(image.chip); !status.ok())
    return status;
  auto code = std::make_unique<HostCode>();
  code->cpu = image.chip;
  code->objectBytes = image.bytes;
  code->allEntries = artifact.entries;
  if (auto status = code->link(); !status.ok())
    return status;
  return std::unique_ptr<runtime::HostProgram>(std::move(code));
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

namespace {
/// A strided memref descriptor of any rank: five words and two a dimension.
struct Descriptor {
  llvm::SmallVector<int64_t, 8> words;
  explicit Descriptor(const runtime::TensorArg &arg) {
    auto address = reinterpret_cast<int64_t>(arg.data);
    words = {address, address, /*offset=*/0};
    words.append(arg.shape, arg.shape + arg.rank);
    size_t first = words.size();
    words.append(arg.rank, 1);
    for (int64_t i = arg.rank - 1, stride = 1; i >= 0; stride *= arg.shape[i], --i)
      words[first + i] = arg.strides ? arg.strides[i] : stride;
  }
};
} // namespace

runtime::Status HostCode::run(size_t number,
                              runtime::ArrayView<runtime::TensorArg> args) {
  if (auto status = link(); !status.ok())
    return status;
  return std::as_const(*this).run(number, args);
}

runtime::Status HostCode::run(size_t number,
                              runtime::ArrayView<runtime::TensorArg> args) const {
  if (number >= allEntries.size())
    return runtime::Status::error("expected one of ", allEntries.size(),
                                  " entries, but found number ", number);
  const runtime::Entry &entry = allEntries[number];
  if (auto status = runtime::checkForLaunch(entry, args); !status.ok())
    return status;
  SmallVector<Descriptor, 8> descriptors(args.begin(), args.end());
  SmallVector<void *, 8> pointers;
  for (Descriptor &descriptor : descriptors)
    pointers.push_back(descriptor.words.data());
  const char *failed = functions[number](pointers.data());
  return failed ? runtime::Status::error("entry '", entry.name, "': ", failed)
                : runtime::Status();
}
