//===- ShortenPlan.cpp - fewer instructions for a launch ------------------===//
//
//   %b = or %apart, (and ...)       if %apart {} else {
//   check %b "..."             to     %b = (and ...)
//                                     check %b "..."
//                                   }
//
// for checks that hold for one simple reason nearly always and for others seldom; what
// is computed twice, or for nobody, is gone before and after.
//
//===----------------------------------------------------------------------===//

#include "ShortenPlan.h"

#include "PlanTree.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <map>
#include <optional>
#include <tuple>

using namespace mortar;
using namespace mortar::runtime;

namespace {

/// What makes two instructions compute the same: kind, operation, operands.
using Key = std::tuple<size_t, int64_t, int64_t, int64_t, int64_t>;
using Known = std::map<Key, uint32_t>;

class Shortener {
public:
  explicit Shortener(const Program &plan)
      : plan(plan), nextRegister(plan.numRegisters) {}

  Program run();

private:
  void simplify(Block &block, Known known);
  std::optional<uint32_t> findSame(const Instruction &op, Known &known);
  void splitChecks(Block &block);
  void splitCheck(Node &node, Block &before);
  void removeUnread(Block &block, llvm::DenseSet<uint32_t> &read);
  void sinkIntoSeldom(Block &block);

  const Binary *findBinary(uint32_t reg) const {
    auto found = binaries.find(reg);
    return found == binaries.end() ? nullptr : &found->second;
  }

  const Program &plan;
  uint32_t nextRegister;
  llvm::DenseMap<uint32_t, uint32_t> replaced;
  llvm::DenseMap<uint32_t, int64_t> constants;
  llvm::DenseMap<uint32_t, Binary> binaries;
  std::vector<uint32_t> outputs;
};

bool commutes(BinaryOp op) {
  using Op = BinaryOp;
  return llvm::is_contained({Op::Add, Op::Mul, Op::And, Op::Or, Op::Xor, Op::MinS,
                             Op::MaxS, Op::MinU, Op::MaxU, Op::CmpEq, Op::CmpNe},
                            op);
}

} // namespace

/// The register that holds what `op` would compute, or nothing. The operands are up to
/// date.
std::optional<uint32_t> Shortener::findSame(const Instruction &op, Known &known) {
  Key key(op.index(), 0, 0, 0, 0);
  auto &[kind, operation, a, b, c] = key;
  if (auto *constant = std::get_if<Const>(&op)) {
    a = constant->value;
  } else if (auto *pointer = std::get_if<ArgPointer>(&op)) {
    a = pointer->arg;
  } else if (auto *dim = std::get_if<ArgDim>(&op)) {
    std::tie(a, b) = std::pair(dim->arg, dim->dim);
  } else if (auto *stride = std::get_if<ArgStride>(&op)) {
    std::tie(a, b) = std::pair(stride->arg, stride->dim);
  } else if (auto *select = std::get_if<Select>(&op)) {
    std::tie(a, b, c) = std::tuple(select->condition, select->onTrue, select->onFalse);
  } else if (auto *binary = std::get_if<Binary>(&op)) {
    uint32_t lhs = binary->lhs, rhs = binary->rhs;
    auto isConstant = [&](uint32_t reg, int64_t value) {
      auto found = constants.find(reg);
      return found != constants.end() && found->second == value;
    };
    // Arguments begin at element 0, and what is multiplied and added for their offsets
    // is most of what folds.
    if (binary->op == BinaryOp::Mul && (isConstant(lhs, 0) || isConstant(rhs, 1)))
      return lhs;
    if (binary->op == BinaryOp::Mul && (isConstant(rhs, 0) || isConstant(lhs, 1)))
      return rhs;
    if (binary->op == BinaryOp::Add && isConstant(lhs, 0))
      return rhs;
    if ((binary->op == BinaryOp::Add || binary->op == BinaryOp::Sub) &&
        isConstant(rhs, 0))
      return lhs;
    if (commutes(binary->op) && lhs > rhs)
      std::swap(lhs, rhs);
    std::tie(operation, a, b) = std::tuple(int64_t(binary->op), lhs, rhs);
  }
  uint32_t result = *resultOf(const_cast<Instruction &>(op));
  auto [found, isNew] = known.try_emplace(key, result);
  return isNew ? std::nullopt : std::optional(found->second);
}

/// Reads what stands there already instead of computing it again. `known` is a copy: what
/// an arm computes is unknown behind it.
void Shortener::simplify(Block &block, Known known) {
  for (Node &node : block) {
    visitReads(node.op, [&](uint32_t &reg) {
      auto found = replaced.find(reg);
      reg = found == replaced.end() ? reg : found->second;
    });
    for (Block &arm : node.arms)
      simplify(arm, known);
    if (!isPure(node.op))
      continue;
    if (auto same = findSame(node.op, known)) {
      replaced[*resultOf(node.op)] = *same;
      continue;
    }
    if (auto *constant = std::get_if<Const>(&node.op))
      constants[constant->result] = constant->value;
    if (auto *binary = std::get_if<Binary>(&node.op))
      binaries[binary->result] = *binary;
  }
}

/// Turns a check of reasons, the first of them plain and another a conjunction, into a
/// branch on the plain ones around a check of the others. What the branch reads goes to
/// the end of `before`.
void Shortener::splitCheck(Node &node, Block &before) {
  auto check = std::get<Check>(node.op);
  llvm::SmallVector<uint32_t> reasons, open = {check.condition};
  while (!open.empty()) {
    uint32_t reg = open.pop_back_val();
    const Binary *binary = findBinary(reg);
    if (binary && binary->op == BinaryOp::Or)
      open.append({binary->rhs, binary->lhs});
    else
      reasons.push_back(reg);
  }
  auto *first = llvm::find_if(reasons, [&](uint32_t reg) {
    const Binary *binary = findBinary(reg);
    return binary && binary->op == BinaryOp::And;
  });
  if (first == reasons.begin() || first == reasons.end())
    return;
  auto either = [&](llvm::ArrayRef<uint32_t> regs, Block &into) {
    uint32_t any = regs.front();
    for (uint32_t reg : regs.drop_front()) {
      into.push_back(Node{Binary{BinaryOp::Or, nextRegister, any, reg}, {}});
      any = nextRegister++;
    }
    return any;
  };
  Block seldom;
  auto split = first - reasons.begin();
  llvm::ArrayRef<uint32_t> all(reasons);
  uint32_t often = either(all.take_front(split), before);
  check.condition = either(all.drop_front(split), seldom);
  seldom.push_back(Node{check, {}});
  node = Node{If{often, 0, 0}, {{}, std::move(seldom)}, /*isSeldom=*/true};
}

void Shortener::splitChecks(Block &block) {
  Block made;
  for (Node &node : block) {
    for (Block &arm : node.arms)
      splitChecks(arm);
    if (std::holds_alternative<Check>(node.op))
      splitCheck(node, /*before=*/made);
    made.push_back(std::move(node));
  }
  block = std::move(made);
}

/// Backwards, with the registers that are read further on.
void Shortener::removeUnread(Block &block, llvm::DenseSet<uint32_t> &read) {
  Block kept;
  for (Node &node : llvm::reverse(block)) {
    if (isPure(node.op) && !read.contains(*resultOf(node.op)))
      continue;
    for (Block &arm : node.arms)
      removeUnread(arm, read);
    visitReads(node.op, [&](uint32_t reg) { read.insert(reg); });
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  block = std::move(kept);
}

/// Computes what only arms that run seldom read in each of them. Backwards: then what it
/// reads may follow it.
void Shortener::sinkIntoSeldom(Block &block) {
  llvm::DenseMap<uint32_t, unsigned> readsElsewhere;
  llvm::DenseMap<uint32_t, llvm::SmallVector<size_t>> readers;
  for (uint32_t reg : outputs)
    ++readsElsewhere[reg];
  auto note = [&](size_t i) {
    const Node &node = block[i];
    visitReads(node.op, [&](uint32_t reg) { ++readsElsewhere[reg]; });
    visitAllReads(node.arms[0], [&](uint32_t reg) { ++readsElsewhere[reg]; });
    visitAllReads(node.arms[1], [&](uint32_t reg) {
      if (!node.isSeldom)
        ++readsElsewhere[reg];
      else if (auto &all = readers[reg]; all.empty() || all.back() != i)
        all.push_back(i);
    });
  };
  llvm::DenseSet<size_t> sunk;
  for (Node &node : block)
    for (Block &arm : node.arms)
      if (!node.isSeldom)
        sinkIntoSeldom(arm);
  for (size_t i = block.size(); i-- > 0;) {
    Node &node = block[i];
    uint32_t *result = resultOf(node.op);
    if (!result || !isPure(node.op) || readsElsewhere.lookup(*result)) {
      note(i);
      continue;
    }
    // A register is assigned once, so that each arm has one of its own.
    for (size_t reader : readers.lookup(*result)) {
      Node copy{node.op, {}};
      *resultOf(copy.op) = nextRegister;
      Block &arm = block[reader].arms[1];
      replaceReads(arm, *result, nextRegister++);
      arm.insert(arm.begin(), std::move(copy));
      visitReads(node.op, [&](uint32_t reg) {
        if (auto &all = readers[reg]; !llvm::is_contained(all, reader))
          all.push_back(reader);
      });
    }
    sunk.insert(i);
  }
  Block kept;
  for (size_t i = 0; i < block.size(); ++i)
    if (!sunk.contains(i))
      kept.push_back(std::move(block[i]));
  block = std::move(kept);
}

Program Shortener::run() {
  Block code = nest(plan, 0, plan.code.size());
  simplify(code, {});
  for (uint32_t reg : plan.outputs) {
    auto found = replaced.find(reg);
    outputs.push_back(found == replaced.end() ? reg : found->second);
  }
  splitChecks(code);
  llvm::DenseSet<uint32_t> read(outputs.begin(), outputs.end());
  removeUnread(code, read);
  sinkIntoSeldom(code);

  Program made;
  flatten(code, made);
  made.outputs = outputs;
  // Few enough for the stack, mostly.
  llvm::DenseMap<uint32_t, uint32_t> numbers;
  auto renumber = [&](uint32_t &reg) {
    reg = numbers.try_emplace(reg, numbers.size()).first->second;
  };
  for (Instruction &op : made.code) {
    visitReads(op, renumber);
    if (uint32_t *result = resultOf(op))
      renumber(*result);
  }
  for (uint32_t &reg : made.outputs)
    renumber(reg);
  made.numRegisters = numbers.size();
  return made;
}

Program mortar::shortenPlan(const Program &plan) { return Shortener(plan).run(); }
