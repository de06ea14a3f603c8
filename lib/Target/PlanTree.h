//===- PlanTree.h - a launch plan with its branches nested ------*- C++ -*-===//
#ifndef MORTAR_LIB_TARGET_PLANTREE_H
#define MORTAR_LIB_TARGET_PLANTREE_H

#include "mortar/Runtime/Plan.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace mortar {

struct Node;
using Block = std::vector<Node>;

/// An instruction, with the arms if it is a branch.
struct Node {
  runtime::Instruction op;
  Block arms[2];
  /// The second arm runs seldom: worth computing there what only it reads.
  bool isSeldom = false;
};

/// The instructions from `begin` to `end`, and back at the end of `made`.
Block nest(const runtime::Program &plan, size_t begin, size_t end);
void flatten(const Block &block, runtime::Program &made);

/// The register that the instruction assigns, or null.
uint32_t *resultOf(runtime::Instruction &op);

/// Whether nobody misses the instruction where its result isn't read.
bool isPure(const runtime::Instruction &op);

/// Calls `visit` on each register that the instruction reads.
template <typename Op, typename Visit>
void visitReads(Op &op, Visit visit) {
  if (auto *binary = std::get_if<runtime::Binary>(&op)) {
    visit(binary->lhs);
    visit(binary->rhs);
  } else if (auto *select = std::get_if<runtime::Select>(&op)) {
    visit(select->condition);
    visit(select->onTrue);
    visit(select->onFalse);
  } else if (auto *branch = std::get_if<runtime::If>(&op)) {
    visit(branch->condition);
  } else if (auto *check = std::get_if<runtime::Check>(&op)) {
    visit(check->condition);
  } else if (auto *workspace = std::get_if<runtime::Workspace>(&op)) {
    visit(workspace->bytes);
  } else if (auto *launch = std::get_if<runtime::Launch>(&op)) {
    for (int axis = 0; axis < 3; ++axis) {
      visit(launch->grid[axis]);
      visit(launch->block[axis]);
    }
    visit(launch->dynamicSharedBytes);
    for (auto &param : launch->params)
      visit(param);
  }
}

/// Calls `visit` on each register read in the block, whatever the depth.
void visitAllReads(const Block &block, llvm::function_ref<void(uint32_t)> visit);
void replaceReads(Block &block, uint32_t from, uint32_t to);

} // namespace mortar

#endif // MORTAR_LIB_TARGET_PLANTREE_H
