//===- PlanTree.cpp - a launch plan with its branches nested --------------===//

#include "PlanTree.h"

using namespace mortar;
using namespace mortar::runtime;

Block mortar::nest(const Program &plan, size_t begin, size_t end) {
  Block block;
  while (begin < end) {
    Node &node = block.emplace_back(Node{plan.code[begin++], {}});
    auto *branch = std::get_if<If>(&node.op);
    if (!branch)
      continue;
    size_t middle = begin + branch->thenCount, last = middle + branch->elseCount;
    node.arms[0] = nest(plan, begin, middle);
    node.arms[1] = nest(plan, middle, last);
    begin = last;
  }
  return block;
}

void mortar::flatten(const Block &block, Program &made) {
  for (const Node &node : block) {
    size_t at = made.code.size();
    made.code.push_back(node.op);
    if (!std::holds_alternative<If>(node.op))
      continue;
    flatten(node.arms[0], made);
    size_t middle = made.code.size();
    flatten(node.arms[1], made);
    auto &branch = std::get<If>(made.code[at]);
    branch.thenCount = middle - at - 1;
    branch.elseCount = made.code.size() - middle;
  }
}

uint32_t *mortar::resultOf(Instruction &instruction) {
  return std::visit(
      [](auto &op) -> uint32_t * {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, If> || std::is_same_v<Op, Check> ||
                      std::is_same_v<Op, Launch>)
          return nullptr;
        else
          return &op.result;
      },
      instruction);
}

bool mortar::isPure(const Instruction &op) {
  return !std::holds_alternative<If>(op) && !std::holds_alternative<Check>(op) &&
         !std::holds_alternative<Launch>(op) && !std::holds_alternative<Workspace>(op);
}

void mortar::visitAllReads(const Block &block,
                           llvm::function_ref<void(uint32_t)> visit) {
  for (const Node &node : block) {
    visitReads(node.op, visit);
    for (const Block &arm : node.arms)
      visitAllReads(arm, visit);
  }
}

void mortar::replaceReads(Block &block, uint32_t from, uint32_t to) {
  for (Node &node : block) {
    visitReads(node.op, [&](uint32_t &reg) { reg = reg == from ? to : reg; });
    for (Block &arm : node.arms)
      replaceReads(arm, from, to);
  }
}
