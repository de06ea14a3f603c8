//===- Findings.cpp - what a run of a kernel showed -----------------------===//

#include "mortar/Emulator/Findings.h"

#include "mortar/Emulator/Emulator.h"

#include <algorithm>
#include <cstdio>

using namespace mortar::emulator;

const char *mortar::emulator::findingName(FindingKind kind) {
  switch (kind) {
  case FindingKind::Race:
    return "race";
  case FindingKind::OutOfBounds:
    return "out of bounds";
  case FindingKind::Misaligned:
    return "misaligned access";
  case FindingKind::Uninitialized:
    return "uninitialized read";
  case FindingKind::DivergentBarrier:
    return "divergent barrier";
  case FindingKind::InactiveShuffle:
    return "shuffle from an inactive lane";
  case FindingKind::EarlyAccess:
    return "access before the wait";
  case FindingKind::MissingWait:
    return "missing wait";
  case FindingKind::ConstantWritten:
    return "write to a constant";
  case FindingKind::DivisionByZero:
    return "division by zero";
  }
  return "?";
}

std::string Finding::describe() const {
  std::string line = location + ": " + findingName(kind) + ": " + text;
  if (count > 1)
    line += ", " + std::to_string(count) + " times";
  return line;
}

Finding *Findings::add(const void *kernel, FindingKind kind, uint32_t op,
                       uint32_t otherOp) {
  auto [entry, isNew] =
      known.try_emplace({kernel, kind, op, otherOp}, all.size());
  if (!isNew) {
    ++all[entry->second].count;
    return nullptr;
  }
  Finding &made = all.emplace_back();
  made.kind = kind;
  return &made;
}

void Findings::clear() {
  all.clear();
  known.clear();
}

mortar::runtime::Status mortar::emulator::toStatus(const Findings &findings) {
  constexpr size_t most = 10;
  if (findings.empty())
    return {};
  const std::vector<Finding> &list = findings.list();
  std::string text;
  for (size_t i = 0; i < std::min(list.size(), most); ++i)
    text += "\n  " + list[i].describe();
  if (list.size() > most)
    text += "\n  … and " + std::to_string(list.size() - most) + " more";
  return runtime::Status::error(
      "the emulator found ", list.size(),
      list.size() == 1 ? " fault:" : " faults:", text);
}

std::string Counts::table() const {
  std::string text;
  char line[512];
  std::string kernel;
  for (const AccessCount &access : accesses) {
    if (access.kernel != kernel) {
      kernel = access.kernel;
      std::snprintf(line, sizeof(line),
                    "@%.200s\n%-26s  %10s  %12s  %10s  %10s\n", kernel.c_str(),
                    "  access", "by warps", "bytes", "sectors", "least");
      text += line;
    }
    std::string what =
        (access.isStore ? "  write " : "  read ") + access.buffer;
    std::snprintf(
        line, sizeof(line), "%-26s  %10llu  %12llu  %10llu  %10llu  %.200s\n",
        what.c_str(), (unsigned long long)access.accesses,
        (unsigned long long)access.bytes, (unsigned long long)access.sectors,
        (unsigned long long)access.least, access.op.c_str());
    text += line;
  }
  std::snprintf(line, sizeof(line),
                "%llu launches, %llu thread-ops, %llu element-ops\n",
                (unsigned long long)launches, (unsigned long long)threadOps,
                (unsigned long long)elementOps);
  return text + line;
}
