//===- Workers.cpp - trials in processes of their own ---------------------===//

#include "Workers.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mortar::badinput;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MORTAR_ASAN 1
#endif
#endif

namespace {

constexpr uint64_t batchSize = 50;
constexpr uint64_t maxGrowth = uint64_t(1) << 30;
constexpr int maxSeconds = 10;
constexpr int finished = 93; // an exit status that nothing else gives

/// What a child tells its parent, in memory that both see.
struct Slot {
  uint64_t current, done;
  uint64_t outcomes[numOutcomes];
  uint64_t numProblems;
  struct {
    uint64_t index;
    char text[400];
  } problems[batchSize];
};

struct Child {
  Slot *slot;
  uint64_t end; // of the batch
  std::string log;
  std::chrono::steady_clock::time_point start;
};

class Workers {
public:
  Workers(const std::vector<Piece> &corpus, const Settings &settings)
      : corpus(corpus), settings(settings),
        start(std::chrono::steady_clock::now()) {}

  Statistics run();

private:
  void spawn(Slot *slot, uint64_t first, uint64_t end);
  [[noreturn]] void runBatch(Slot &slot, uint64_t end, const std::string &log);
  void collect(pid_t pid, int status);
  void report(uint64_t index, const std::string &what, const std::string &log);
  void progress();

  const std::vector<Piece> &corpus;
  const Settings &settings;
  Statistics statistics;
  std::map<pid_t, Child> children;
  uint64_t next = 0;
  std::chrono::steady_clock::time_point start;
};

} // namespace

/// Of the processor, not of the clock: others use this machine.
static void limitTime(int seconds) {
  itimerval limit = {};
  limit.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &limit, nullptr);
}

static void limitMemory() {
#ifndef MORTAR_ASAN // whose shadow takes terabytes of addresses
  auto statm = llvm::MemoryBuffer::getFileAsStream("/proc/self/statm");
  uint64_t pages = 0;
  if (statm)
    (*statm)->getBuffer().split(' ').first.getAsInteger(10, pages);
  rlimit limit;
  limit.rlim_cur = limit.rlim_max = pages * sysconf(_SC_PAGESIZE) + maxGrowth;
  setrlimit(RLIMIT_AS, &limit);
#endif
  rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

void Workers::runBatch(Slot &slot, uint64_t end, const std::string &log) {
  int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(fd, 1);
  dup2(fd, 2);
  limitMemory();
  for (; slot.current < end; ++slot.current) {
    // What a child says before it dies is worth keeping; the rest is noise.
    (void)!ftruncate(fd, 0);
    lseek(fd, 0, SEEK_SET);
    limitTime(maxSeconds);
    Mutant mutant = makeMutant(corpus, settings.seed, slot.current);
    Verdict verdict = tryMutant(mutant, settings.seed, slot.current);
    ++slot.outcomes[size_t(verdict.outcome)];
    ++slot.done;
    if (!verdict.problem.empty()) {
      auto &problem = slot.problems[slot.numProblems++];
      problem.index = slot.current;
      snprintf(problem.text, sizeof problem.text, "%s",
               verdict.problem.c_str());
    }
  }
  _exit(finished);
}

void Workers::spawn(Slot *slot, uint64_t first, uint64_t end) {
  std::memset(slot, 0, sizeof *slot);
  slot->current = first;
  std::string log = llvm::formatv("{0}/log-{1}", settings.folder,
                                  reinterpret_cast<uintptr_t>(slot));
  pid_t pid = fork();
  if (pid == 0)
    runBatch(*slot, end, log);
  children[pid] = {slot, end, log, std::chrono::steady_clock::now()};
}

void Workers::report(uint64_t index, const std::string &what,
                     const std::string &log) {
  ++statistics.findings;
  // The mutant is made again in a child, since making it may be what fails.
  std::string path = llvm::formatv("{0}/mutant-{1}-{2}.mlir", settings.folder,
                                   settings.seed, index);
  std::string description = "?";
  pid_t pid = fork();
  if (pid == 0) {
    limitMemory();
    limitTime(maxSeconds);
    Mutant mutant = makeMutant(corpus, settings.seed, index);
    std::error_code error;
    llvm::raw_fd_ostream(path + ".txt", error) << mutant.description;
    llvm::raw_fd_ostream(path, error) << print(mutant);
    _exit(0);
  }
  waitpid(pid, nullptr, 0);
  if (auto text = llvm::MemoryBuffer::getFile(path + ".txt"))
    description = (*text)->getBuffer().str();
  llvm::sys::fs::remove(path + ".txt");
  llvm::outs() << "finding: " << what << "\n  of " << description << "\n  in "
               << path << "\n  reproduce: " << settings.program
               << " --seed=" << settings.seed << " --only=" << index << "\n";
  if (auto said = llvm::MemoryBuffer::getFile(log))
    if (llvm::StringRef text = (*said)->getBuffer().trim(); !text.empty())
      llvm::outs() << "  it said: " << text.take_back(2000) << "\n";
  llvm::outs().flush();
}

void Workers::collect(pid_t pid, int status) {
  Child child = children[pid];
  children.erase(pid);
  Slot &slot = *child.slot;
  for (size_t i = 0; i < numOutcomes; ++i)
    statistics.outcomes[i] += slot.outcomes[i];
  statistics.tried += slot.done;
  for (size_t i = 0; i < slot.numProblems; ++i)
    report(slot.problems[i].index, slot.problems[i].text, "");
  if (WIFEXITED(status) && WEXITSTATUS(status) == finished)
    return;
  ++statistics.tried;
  std::string what;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
    what = llvm::formatv("a hang: more than {0} s", maxSeconds);
  else if (WIFSIGNALED(status))
    what = std::string("a crash: ") + strsignal(WTERMSIG(status));
  else
    what = llvm::formatv("it ended its process with status {0}",
                         WEXITSTATUS(status));
  uint64_t failed = slot.current;
  report(failed, what, child.log);
  if (failed + 1 < child.end)
    spawn(child.slot, failed + 1, child.end);
}

void Workers::progress() {
  std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - start;
  llvm::outs() << llvm::formatv("{0} of {1} mutants, {2} findings, {3:F0} s\n",
                                statistics.tried, settings.count,
                                statistics.findings, taken.count());
  llvm::outs().flush();
}

Statistics Workers::run() {
  auto *slots = static_cast<Slot *>(mmap(nullptr, sizeof(Slot) * settings.jobs,
                                         PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  next = settings.first;
  uint64_t end = settings.first + settings.count, shown = 0;
  std::vector<Slot *> idle;
  for (unsigned i = 0; i < settings.jobs; ++i)
    idle.push_back(slots + i);
  while (next < end || !children.empty()) {
    while (next < end && !idle.empty()) {
      uint64_t stop = std::min(end, next + batchSize);
      spawn(idle.back(), next, stop);
      idle.pop_back();
      next = stop;
    }
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    auto found = children.find(pid);
    if (found == children.end())
      continue;
    Slot *slot = found->second.slot;
    std::string log = found->second.log;
    collect(pid, status);
    bool goesOn = false;
    for (auto &[other, child] : children)
      goesOn |= child.slot == slot;
    if (!goesOn) {
      idle.push_back(slot);
      llvm::sys::fs::remove(log);
    }
    if (statistics.tried >= shown + settings.count / 10) {
      shown = statistics.tried;
      progress();
    }
  }
  munmap(slots, sizeof(Slot) * settings.jobs);
  return statistics;
}

Statistics mortar::badinput::runAll(const std::vector<Piece> &corpus,
                                    const Settings &settings) {
  return Workers(corpus, settings).run();
}

void mortar::badinput::runOne(const std::vector<Piece> &corpus,
                              const Settings &settings, uint64_t index,
                              bool printIt) {
  Mutant mutant = makeMutant(corpus, settings.seed, index);
  if (printIt) {
    llvm::outs() << print(mutant);
    return;
  }
  llvm::outs() << mutant.description << "\n";
  llvm::outs().flush();
  static constexpr const char *outcomes[] = {
      "rejected by the parser", "rejected by the verifier",
      "rejected by a pipeline", "accepted"};
  Verdict verdict = tryMutant(mutant, settings.seed, index);
  llvm::outs() << outcomes[size_t(verdict.outcome)] << "\n"
               << verdict.problem << "\n";
}
