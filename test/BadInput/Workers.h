//===- Workers.h - trials in processes of their own -------------*- C++ -*-===//
#ifndef MORTAR_TEST_BADINPUT_WORKERS_H
#define MORTAR_TEST_BADINPUT_WORKERS_H

#include "Trial.h"

namespace mortar::badinput {

struct Settings {
  uint64_t seed = 1, first = 0, count = 5000;
  unsigned jobs = 2;
  std::string folder;  // findings are written here
  std::string program; // how to reproduce begins with it
};

struct Statistics {
  uint64_t tried = 0, findings = 0;
  uint64_t outcomes[numOutcomes] = {};
};

/// Runs mutants in forked children, a batch each: a crash, a hang and a child
/// that grows too big are findings, and the next child goes on behind them.
/// Prints each finding and where it has come to.
Statistics runAll(const std::vector<Piece> &corpus, const Settings &settings);

/// In this process, with everything that is said.
void runOne(const std::vector<Piece> &corpus, const Settings &settings,
            uint64_t index, bool printIt);

} // namespace mortar::badinput

#endif // MORTAR_TEST_BADINPUT_WORKERS_H
