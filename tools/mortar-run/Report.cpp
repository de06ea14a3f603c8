//===- Report.cpp - checksums, differences, times and files ---------------===//

#include "mortar/Execution/Npy.h"
#include "Runner.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"

using namespace mortar;
using namespace mortar::run;
namespace rt = mortar::runtime;

bool Runner::compareWith(const Variant &reference, const rt::Entry &entry,
                         const std::vector<Tensor> &arguments,
                         const std::vector<Tensor> &results) {
  const std::vector<rt::Entry> &entries = reference.program->entries();
  auto found =
      llvm::find_if(entries, [&](const rt::Entry &e) { return e.name == entry.name; });
  if (found == entries.end())
    return fail(Status::error("expected an entry '", entry.name, "' in the program for ",
                              reference.name, ", but found none"));
  auto expected =
      reference.program->run(found - entries.begin(), arguments, reference.placement);
  if (!expected)
    return fail(expected.status().in(reference.name));
  if (expected->size() != results.size())
    return fail(Status::error("'", entry.name, "' has ", results.size(), " results, but ",
                              expected->size(), " in the program for ", reference.name));
  for (size_t i = 0; i < results.size(); ++i) {
    const Tensor &result = results[i], &other = (*expected)[i];
    if (result.type != other.type || result.shape != other.shape)
      return fail(Status::error("result ", i, " of '", entry.name, "' is ",
                                describe(result.type, result.shape), ", but ",
                                describe(other.type, other.shape), " in the program for ",
                                reference.name));
    Difference difference = compare(result, other);
    llvm::outs() << llvm::formatv("  = {0,-8}  result {1}  {2,10} elements  {3,8} differ",
                                  reference.name, i, result.count(), difference.count);
    if (difference.count)
      llvm::outs() << "  first at " << place(result.shape, difference.first) << ": "
                   << describeElement(result, difference.first) << ", but "
                   << reference.name << " " << describeElement(other, difference.first);
    llvm::outs() << "\n";
    differs |= difference.count != 0;
  }
  return true;
}

bool Runner::printTime(const Variant &variant, size_t number,
                       const std::vector<Tensor> &arguments) {
  auto time =
      variant.program->time(number, arguments, variant.placement, settings.timedRuns);
  if (!time)
    return fail(time.status());
  auto bytes = variant.program->bytesMoved(number, arguments);
  if (!bytes)
    return fail(bytes.status());
  llvm::outs() << llvm::formatv("  time: median {0:f2} us, least {1:f2} us of {2} runs, "
                                "{3} bytes, {4:f1} GB/s\n",
                                time->median, time->best, settings.timedRuns, *bytes,
                                double(*bytes) / time->median * 1e-3);
  return true;
}

bool Runner::runEntry(size_t number, int64_t extent) {
  const rt::Entry &entry = subject.program->entries()[number];
  say("running " + llvm::Twine(entry.name));
  auto arguments = makeInputs(entry, extent);
  if (!arguments)
    return fail(arguments.status());
  auto results = subject.program->run(number, *arguments, subject.placement);
  if (!results)
    return fail(results.status());
  llvm::outs() << entry.name << "\n";
  for (auto [i, result] : llvm::enumerate(*results)) {
    bool byColumn = settings.placement.columnMajor && i < entry.results.size() &&
                    entry.args[entry.results[i].argument].strided;
    llvm::outs() << llvm::formatv("  result {0}  {1}{2}  checksum {3}\n", i,
                                  describe(result.type, result.shape),
                                  byColumn ? " column-major" : "",
                                  llvm::format_hex_no_prefix(checksum(result), 16));
    if (!settings.output.empty())
      written.emplace_back(
          settings.output + entry.name + "." + std::to_string(i) + ".npy", toNpy(result));
  }
  if (const emulator::Counts *counts = subject.program->counts();
      counts && settings.printSummary)
    llvm::outs() << counts->table();
  for (const Variant &other : others)
    if (!compareWith(other, entry, *arguments, *results))
      return false;
  return !settings.timedRuns || printTime(subject, number, *arguments);
}

/// Everything is written beside its place first, then renamed.
bool Runner::writeResults() {
  std::vector<std::string> temporaries;
  Status problem;
  for (auto &[path, bytes] : written) {
    temporaries.push_back(path + ".tmp" +
                          std::to_string(llvm::sys::Process::getProcessId()));
    std::error_code error;
    llvm::raw_fd_ostream os(temporaries.back(), error);
    if (!error) {
      os << bytes;
      os.close();
      error = os.error();
      os.clear_error();
    }
    if (error)
      problem = Status::error(path, ": ", error.message());
    if (!problem.ok())
      break;
  }
  for (size_t i = 0; i < temporaries.size() && problem.ok(); ++i)
    if (std::error_code error = llvm::sys::fs::rename(temporaries[i], written[i].first))
      problem = Status::error(written[i].first, ": ", error.message());
  if (problem.ok())
    return true;
  for (const std::string &temporary : temporaries)
    llvm::sys::fs::remove(temporary);
  return fail(problem);
}
