//===- HostLink.cpp - CPU code, linked and run in this process ------------===//

#include "mortar/Target/HostCode.h"

#include "MachineCode.h"
#include "mortar/Runtime/Executable.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <mutex>
#include <utility>

using namespace mlir;
using namespace mortar;

HostCode::HostCode() = default;
HostCode::HostCode(HostCode &&) = default;
HostCode &HostCode::operator=(HostCode &&) = default;
HostCode::~HostCode() = default;

//===----------------------------------------------------------------------===//
// Linking
//===----------------------------------------------------------------------===//

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
  initializeHostTarget(); // which this process need not have compiled for
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

/// Appends a strided memref descriptor of any rank: three words and two a dimension.
static void describe(const runtime::TensorArg &arg, SmallVectorImpl<int64_t> &words) {
  auto address = reinterpret_cast<int64_t>(arg.data);
  words.append({address, address, /*offset=*/0});
  words.append(arg.shape, arg.shape + arg.rank);
  if (arg.strides) {
    words.append(arg.strides, arg.strides + arg.rank);
    return;
  }
  words.append(arg.rank, 1);
  for (int64_t i = int64_t(arg.rank) - 2; i >= 0; --i) {
    int64_t *stride = words.end() - arg.rank + i;
    *stride = stride[1] * arg.shape[i + 1];
  }
}

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
  SmallVector<int64_t, 128> words;
  SmallVector<size_t, 16> firsts;
  for (const runtime::TensorArg &arg : args) {
    firsts.push_back(words.size());
    describe(arg, words);
  }
  SmallVector<void *, 16> pointers;
  for (size_t first : firsts) // only now: words have moved as they grew
    pointers.push_back(&words[first]);
  const char *failed = functions[number](pointers.data());
  return failed ? runtime::Status::error("entry '", entry.name, "': ", failed)
                : runtime::Status();
}
