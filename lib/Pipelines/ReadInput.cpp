//===- ReadInput.cpp - files from anywhere, read safely -------------------===//

#include "mortar/Pipelines/ReadInput.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/Encoding.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Config/llvm-config.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

// MLIR's parser, its walks and its destructors recurse; a stack of 8 MiB holds
// some thousand levels. Real programs nest a dozen.
static constexpr unsigned maxNesting = 256;
// Affine expressions recurse once an operator, without a bracket.
static constexpr unsigned maxOperators = 1024;

namespace {
/// Goes over text by the few lexical rules that brackets depend on.
class NestingChecker {
public:
  explicit NestingChecker(StringRef text) : text(text) {}

  /// Null, or the first character that is too deep.
  const char *findTooDeep();

private:
  void skipComment() { at = std::min(text.find('\n', at), text.size()); }
  void skipString();

  StringRef text;
  size_t at = 0;
};
} // namespace

void NestingChecker::skipString() {
  for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at)
    if (text[at] == '\\')
      ++at;
  ++at;
}

const char *NestingChecker::findTooDeep() {
  // Of each open bracket: which, and how many operators since it or a comma.
  SmallVector<std::pair<char, unsigned>> open;
  while (at < text.size()) {
    char c = text[at];
    StringRef rest = text.drop_front(at);
    if (rest.starts_with("// -----")) // files apart (--split-input-file)
      open.clear();
    if (rest.starts_with("//")) {
      skipComment();
      continue;
    }
    if (c == '"') {
      skipString();
      continue;
    }
    if (rest.starts_with("->")) {
      at += 2;
      continue;
    }
    if (strchr("([{<", c) && c) {
      open.emplace_back(c, 0);
      if (open.size() > maxNesting)
        return text.data() + at;
    } else if (strchr(")]}>", c) && c) {
      // One that doesn't match is for the parser to refuse.
      if (!open.empty())
        open.pop_back();
    } else if (!open.empty()) {
      auto &[bracket, operators] = open.back();
      bool isWord = rest.starts_with("mod ") || rest.starts_with("floordiv ") ||
                    rest.starts_with("ceildiv ");
      if (c == ',')
        operators = 0;
      else if (bracket != '{' && (strchr("+-*", c) || isWord) && c &&
               ++operators > maxOperators)
        return text.data() + at;
    }
    ++at;
  }
  return nullptr;
}

static LogicalResult checkText(llvm::MemoryBufferRef bytes,
                               MLIRContext *context) {
  StringRef text = bytes.getBuffer();
  const char *deep = NestingChecker(text).findTooDeep();
  if (!deep)
    return success();
  StringRef before = text.take_front(deep - text.data());
  size_t line = before.count('\n') + 1;
  size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return emitError(FileLineColLoc::get(context, bytes.getBufferIdentifier(),
                                       line, column))
         << "expected at most " << maxNesting
         << " brackets within each other, and " << maxOperators
         << " operators in one expression, but found more";
}

//===----------------------------------------------------------------------===//
// Bytecode
//===----------------------------------------------------------------------===//

/// What ends the text when all went well: no text of MLIR's has it.
static constexpr char endMark = 0;
static constexpr int maxSeconds = 10;
static constexpr uint64_t maxMemory = uint64_t(1) << 32; // beside what the host has

namespace {
/// One way for bytes between two processes.
struct Pipe {
  int ends[2] = {-1, -1};
  bool open() { return pipe2(ends, O_CLOEXEC) == 0; }
  void close(int end) {
    if (ends[end] >= 0)
      ::close(ends[end]);
    ends[end] = -1;
  }
  ~Pipe() {
    close(0);
    close(1);
  }
};
} // namespace

/// Reads, verifies and writes to `out` as text, with the locations. Whatever
/// was damaged on the way shows, at the latest, when the context is freed.
static bool translate(llvm::MemoryBufferRef bytes,
                      const DialectRegistry &registry, bool unregistered,
                      int out) {
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.allowUnregisteredDialects(unregistered);
  ScopedDiagnosticHandler silent(&context,
                                 [](Diagnostic &) { return success(); });
  Block block;
  if (failed(readBytecodeFile(bytes, &block, ParserConfig(&context))))
    return false;
  llvm::raw_fd_ostream os(out, /*shouldClose=*/false);
  for (Operation &op : block)
    op.print(os, OpPrintingFlags().enableDebugInfo());
  return true;
}

/// How many bytes of addresses this process has: with CUDA or JAX in it, many more than
/// the reader may take. 0 if the system doesn't say.
static uint64_t addressesInUse() {
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[32] = {};
  ssize_t count = file >= 0 ? read(file, text, sizeof(text) - 1) : 0;
  if (file >= 0)
    close(file);
  return count > 0 ? strtoull(text, nullptr, 10) * sysconf(_SC_PAGESIZE) : 0;
}

/// In a process that nobody will miss.
[[noreturn]] static void runChild(llvm::MemoryBufferRef bytes,
                                  const DialectRegistry &registry,
                                  bool unregistered, int out) {
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP})
    ::signal(signal, SIG_DFL);
  rlimit noCore = {0, 0}, seconds = {maxSeconds, maxSeconds};
  setrlimit(RLIMIT_CORE, &noCore);
  setrlimit(RLIMIT_CPU, &seconds);
#if !__has_feature(                                                            \
    address_sanitizer) // whose shadow takes terabytes of addresses
  rlimit memory;
  rlim_t enough = addressesInUse() + maxMemory;
  if (getrlimit(RLIMIT_AS, &memory) == 0 && memory.rlim_cur > enough) {
    memory.rlim_cur = std::min(enough, memory.rlim_max);
    setrlimit(RLIMIT_AS, &memory);
  }
#endif
  close(STDERR_FILENO); // what a dying allocator says is no diagnostic
  // How this process ends may not reach the host, which says what becomes of children.
  if (translate(bytes, registry, unregistered, out))
    while (write(out, &endMark, 1) < 0 && errno == EINTR)
      ;
  _exit(0);
}

/// What the child writes, until it ends or the time is over.
static std::string readAll(int fd, pid_t child) {
  std::string text;
  std::vector<char> chunk(1 << 16);
  auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(3 * maxSeconds);
  while (true) {
    pollfd ready = {fd, POLLIN, 0};
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    int events = poll(&ready, 1, std::max<int>(0, left.count()));
    if (events < 0 && errno == EINTR)
      continue;
    if (events <= 0)
      kill(child, SIGKILL);
    ssize_t count = events > 0 ? read(fd, chunk.data(), chunk.size()) : 0;
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return text;
    text.append(chunk.data(), count);
  }
}

/// Bytecode begins with its version, a small number in one byte, and who wrote it.
static LogicalResult checkVersion(StringRef bytes, Location loc) {
  auto version = bytes.size() > 4 ? uint8_t(bytes[4]) : 0;
  if (!(version & 1) || version >> 1 <= bytecode::kVersion)
    return success(); // or damaged, which the reader finds
  return emitError(loc) << "expected bytecode of version "
                        << unsigned(bytecode::kVersion) << " or older, as MLIR "
                        << LLVM_VERSION_STRING << " reads it, but found version "
                        << version / 2 << ", written by '"
                        << bytes.drop_front(5).take_until([](char c) { return !c; })
                        << "'";
}

static std::unique_ptr<llvm::MemoryBuffer>
bytecodeToText(llvm::MemoryBufferRef bytes, MLIRContext *context) {
  Location loc =
      FileLineColLoc::get(context, bytes.getBufferIdentifier(), 0, 0);
  if (failed(checkVersion(bytes.getBuffer(), loc)))
    return nullptr;
  Pipe pipe;
  pid_t child = pipe.open() ? fork() : -1;
  if (child < 0) {
    emitError(loc) << "expected to read bytecode in a child process, but: "
                   << strerror(errno);
    return nullptr;
  }
  if (child == 0)
    runChild(bytes, context->getDialectRegistry(),
             context->allowsUnregisteredDialects(), pipe.ends[1]);
  pipe.close(1);
  std::string text = readAll(pipe.ends[0], child);
  int status = 0;
  pid_t ended;
  while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR)
    ;
  // The status is for the message alone: where the host ignores its children, or waits
  // for all of them, there is none.
  if (!text.empty() && text.back() == endMark) {
    text.pop_back();
    return llvm::MemoryBuffer::getMemBufferCopy(text,
                                                bytes.getBufferIdentifier());
  }
  auto error = emitError(loc)
               << "expected bytecode that MLIR wrote, but found some that ";
  if (ended == child && WIFSIGNALED(status))
    error << "ends its reader: " << strsignal(WTERMSIG(status));
  else
    error << "its reader refuses";
  return nullptr;
}

std::unique_ptr<llvm::MemoryBuffer>
mortar::toSafeText(std::unique_ptr<llvm::MemoryBuffer> source,
                   MLIRContext *context) {
  if (isBytecode(*source))
    source = bytecodeToText(*source, context);
  if (source && failed(checkText(*source, context)))
    return nullptr;
  return source;
}

OwningOpRef<ModuleOp>
mortar::readInput(std::unique_ptr<llvm::MemoryBuffer> source,
                  llvm::SourceMgr &sources, MLIRContext *context) {
  source = toSafeText(std::move(source), context);
  if (!source)
    return {};
  sources.AddNewSourceBuffer(std::move(source), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(sources, context);
}
