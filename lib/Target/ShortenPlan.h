//===- ShortenPlan.h - fewer instructions for a launch ----------*- C++ -*-===//
#ifndef MORTAR_LIB_TARGET_SHORTENPLAN_H
#define MORTAR_LIB_TARGET_SHORTENPLAN_H

#include "mortar/Runtime/Plan.h"

namespace mortar {

/// The same plan in fewer instructions, as each costs every launch nanoseconds. In `plan` an
/// instruction assigns each register at most once, and before it is read. Checks and
/// launches stay in their order. No division may be by zero: an unread one goes, or runs where
/// it is read alone.
runtime::Program shortenPlan(const runtime::Program &plan);

} // namespace mortar

#endif // MORTAR_LIB_TARGET_SHORTENPLAN_H
