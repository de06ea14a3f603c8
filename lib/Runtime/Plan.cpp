//===- Plan.cpp - The plan interpreter ------------------------------------===//

#include "mortar/Runtime/Plan.h"

#include "Scratch.h"

#include <limits>

namespace mortar::runtime {

Launcher::~Launcher() = default;

const char *elementTypeName(ElementType type) {
  static const char *const names[numElementTypes] = {
      "f32", "f16", "bf16", "f8e4m3", "i8", "i32", "i64", "f8e8m0"};
  auto index = static_cast<uint32_t>(type);
  return index < numElementTypes ? names[index] : "?";
}

uint32_t elementTypeBytes(ElementType type) {
  static const uint8_t bytes[numElementTypes] = {4, 2, 2, 1, 1, 4, 8, 1};
  auto index = static_cast<uint32_t>(type);
  return index < numElementTypes ? bytes[index] : 0;
}

const char *binaryOpName(BinaryOp op) {
  static const char *const names[numBinaryOps] = {
      "add",    "sub",       "mul",      "divS",     "divU",   "remS",
      "remU",   "floorDivS", "ceilDivS", "ceilDivU", "and",    "or",
      "xor",    "shl",       "shrS",     "shrU",     "minS",   "maxS",
      "minU",   "maxU",      "cmpEq",    "cmpNe",    "cmpLtS", "cmpLeS",
      "cmpGtS", "cmpGeS",    "cmpLtU",   "cmpLeU",   "cmpGtU", "cmpGeU"};
  auto index = static_cast<uint32_t>(op);
  return index < numBinaryOps ? names[index] : "?";
}

namespace {

/// Quotient and remainder, rounding to zero. The hardware traps on the one
/// quotient which does not fit, INT64_MIN / -1; here it wraps.
struct Division {
  Division(int64_t lhs, int64_t rhs)
      : quotient(rhs == -1 ? int64_t(-uint64_t(lhs)) : lhs / rhs),
        remainder(rhs == -1 ? 0 : lhs % rhs), negative((lhs < 0) != (rhs < 0)) {
  }

  int64_t quotient;
  int64_t remainder;
  bool negative; // what the exact quotient is, unless it is 0
};

bool divides(BinaryOp op) {
  return op >= BinaryOp::DivS && op <= BinaryOp::CeilDivU;
}

/// For divisions rhs is not 0. Unsigned arithmetic, as it may wrap in C++ too.
int64_t evaluate(BinaryOp op, int64_t lhs, int64_t rhs) {
  const uint64_t a = lhs, b = rhs;
  switch (op) {
  case BinaryOp::Add:
    return int64_t(a + b);
  case BinaryOp::Sub:
    return int64_t(a - b);
  case BinaryOp::Mul:
    return int64_t(a * b);
  case BinaryOp::DivS:
    return Division(lhs, rhs).quotient;
  case BinaryOp::DivU:
    return int64_t(a / b);
  case BinaryOp::RemS:
    return Division(lhs, rhs).remainder;
  case BinaryOp::RemU:
    return int64_t(a % b);
  case BinaryOp::FloorDivS: {
    Division exact(lhs, rhs);
    return exact.quotient - (exact.remainder != 0 && exact.negative);
  }
  case BinaryOp::CeilDivS: {
    Division exact(lhs, rhs);
    return exact.quotient + (exact.remainder != 0 && !exact.negative);
  }
  case BinaryOp::CeilDivU:
    return int64_t(a / b + (a % b != 0));
  case BinaryOp::And:
    return int64_t(a & b);
  case BinaryOp::Or:
    return int64_t(a | b);
  case BinaryOp::Xor:
    return int64_t(a ^ b);
  case BinaryOp::Shl:
    return b < 64 ? int64_t(a << b) : 0;
  case BinaryOp::ShrS:
    return lhs >> (b < 64 ? b : 63);
  case BinaryOp::ShrU:
    return b < 64 ? int64_t(a >> b) : 0;
  case BinaryOp::MinS:
    return lhs < rhs ? lhs : rhs;
  case BinaryOp::MaxS:
    return lhs > rhs ? lhs : rhs;
  case BinaryOp::MinU:
    return a < b ? lhs : rhs;
  case BinaryOp::MaxU:
    return a > b ? lhs : rhs;
  case BinaryOp::CmpEq:
    return lhs == rhs;
  case BinaryOp::CmpNe:
    return lhs != rhs;
  case BinaryOp::CmpLtS:
    return lhs < rhs;
  case BinaryOp::CmpLeS:
    return lhs <= rhs;
  case BinaryOp::CmpGtS:
    return lhs > rhs;
  case BinaryOp::CmpGeS:
    return lhs >= rhs;
  case BinaryOp::CmpLtU:
    return a < b;
  case BinaryOp::CmpLeU:
    return a <= b;
  case BinaryOp::CmpGtU:
    return a > b;
  case BinaryOp::CmpGeU:
    return a >= b;
  }
  return 0;
}

constexpr size_t numOpcodes = std::variant_size_v<Instruction>;

class Interpreter {
public:
  Interpreter(const Program &program, const RunContext &context,
              int64_t *registers)
      : program(program), context(context), registers(registers) {}

  Status run() {
    runRange(0, program.code.size());
    return std::move(problem);
  }
  uint64_t workspaceUsed() const { return used; }

private:
  /// Whether to go on; if not, `problem` says why. If is the one instruction
  /// which moves elsewhere, so it stands here; validation bounds the depth.
  bool runRange(size_t begin, size_t end) {
    for (size_t index = begin; index < end; ++index) {
      const Instruction &instruction = program.code[index];
      current = index;
      if (const auto *branch = std::get_if<If>(&instruction)) {
        size_t elseBegin = index + 1 + branch->thenCount;
        size_t afterwards = elseBegin + branch->elseCount;
        bool goesOn = registers[branch->condition]
                          ? runRange(index + 1, elseBegin)
                          : runRange(elseBegin, afterwards);
        if (!goesOn)
          return false;
        index = afterwards - 1;
        continue;
      }
      if (!stepAny(instruction, std::make_index_sequence<numOpcodes>()))
        return false;
    }
    return true;
  }

  /// What std::visit does, but with the steps in line: they are most of what a
  /// launch costs.
  template <size_t... Index>
  bool stepAny(const Instruction &instruction, std::index_sequence<Index...>) {
    bool goesOn = true;
    (void)((instruction.index() == Index &&
            (goesOn = step(*std::get_if<Index>(&instruction)), true)) ||
           ...);
    return goesOn;
  }

  template <typename... Parts> bool fail(const Parts &...parts) {
    problem = Status::error("instruction ", current, ": ", parts...);
    return false;
  }

  bool step(const Const &op) {
    registers[op.result] = op.value;
    return true;
  }
  bool step(const ArgPointer &op) {
    registers[op.result] =
        reinterpret_cast<intptr_t>(context.args[op.arg].data);
    return true;
  }
  bool step(const ArgDim &op) {
    registers[op.result] = context.args[op.arg].shape[op.dim];
    return true;
  }
  bool step(const ArgStride &op) {
    const TensorArg &arg = context.args[op.arg];
    if (arg.strides) {
      registers[op.result] = arg.strides[op.dim];
      return true;
    }
    uint64_t stride = 1;
    for (uint32_t dim = op.dim + 1; dim < arg.rank; ++dim)
      stride *= uint64_t(arg.shape[dim]);
    registers[op.result] = int64_t(stride);
    return true;
  }
  bool step(const Binary &op) {
    if (divides(op.op) && registers[op.rhs] == 0)
      return fail(binaryOpName(op.op), ": division by zero");
    registers[op.result] =
        evaluate(op.op, registers[op.lhs], registers[op.rhs]);
    return true;
  }
  bool step(const Select &op) {
    registers[op.result] =
        registers[registers[op.condition] ? op.onTrue : op.onFalse];
    return true;
  }
  bool step(const If &) { return true; } // runRange does it
  bool step(const Check &op) {
    if (registers[op.condition])
      return true;
    problem = Status::error(op.message);
    return false;
  }
  bool step(const Workspace &op);
  bool step(const Launch &op);

  const Program &program;
  const RunContext &context;
  int64_t *registers;
  size_t current = 0;
  uint64_t used = 0;
  Status problem;
};

bool Interpreter::step(const Workspace &op) {
  constexpr uint64_t limit = std::numeric_limits<int64_t>::max();
  int64_t bytes = registers[op.bytes];
  if (bytes < 0)
    return fail("expected a workspace size of at least 0, found ", bytes);
  uint64_t start =
      (used + workspaceAlignment - 1) / workspaceAlignment * workspaceAlignment;
  if (start > limit || uint64_t(bytes) > limit - start)
    return fail("expected a workspace below 2^63 bytes, found ", start, " + ",
                bytes);
  used = start + uint64_t(bytes);

  uint64_t base = 0;
  if (context.launcher) {
    base = reinterpret_cast<uintptr_t>(context.workspace);
    if (used > context.workspaceBytes)
      return fail("expected a workspace of at least ", used, " bytes, found ",
                  context.workspaceBytes);
    if (bytes > 0 && !base)
      return fail("expected a workspace pointer, found null");
    if (base % workspaceAlignment)
      return fail("expected a workspace aligned to ", workspaceAlignment,
                  " bytes, found address ", base);
  }
  registers[op.result] = int64_t(base + start);
  return true;
}

bool Interpreter::step(const Launch &op) {
  // What CUDA allows on every chip that runs at all.
  static const int64_t maxGrid[3] = {0x7fffffff, 0xffff, 0xffff};
  static const int64_t maxBlock[3] = {1024, 1024, 64};
  const Kernel &kernel = context.kernels[op.kernel];

  LaunchDims dims;
  bool nothing = false;
  int64_t threads = 1;
  for (int axis = 0; axis < 3; ++axis) {
    int64_t grid = registers[op.grid[axis]];
    int64_t block = registers[op.block[axis]];
    if (grid < 0 || grid > maxGrid[axis])
      return fail("kernel '", kernel.name, "': expected a grid extent ", axis,
                  " from 0 to ", maxGrid[axis], ", found ", grid);
    if (block < 1 || block > maxBlock[axis])
      return fail("kernel '", kernel.name, "': expected a block extent ", axis,
                  " from 1 to ", maxBlock[axis], ", found ", block);
    nothing |= grid == 0;
    threads *= block;
    dims.grid[axis] = uint32_t(grid);
    dims.block[axis] = uint32_t(block);
  }
  if (threads > kernel.maxThreads)
    return fail("kernel '", kernel.name, "': expected at most ",
                kernel.maxThreads, " threads a block, found ", threads);
  int64_t shared = registers[op.dynamicSharedBytes];
  if (shared < 0 || shared > std::numeric_limits<int32_t>::max())
    return fail("kernel '", kernel.name,
                "': expected dynamic shared memory from 0 to 2147483647 bytes, "
                "found ",
                shared);
  dims.dynamicSharedBytes = uint32_t(shared);

  // No rows, no blocks: the loop that a launch is has no iterations.
  if (nothing || !context.launcher)
    return true;
  int64_t params[maxLaunchParams];
  for (size_t index = 0; index < op.params.size(); ++index)
    params[index] = registers[op.params[index]];
  problem = context.launcher->launch(kernel, op.kernel, dims, params,
                                     op.params.size(), context.stream);
  return problem.ok();
}

} // namespace

Status runProgram(const Program &program, const RunContext &context,
                  int64_t *outputs, size_t *workspaceUsed) {
  Scratch<int64_t, 256> registers(program.numRegisters);
  Interpreter interpreter(program, context, registers.data());
  if (Status status = interpreter.run(); !status.ok())
    return status;
  for (size_t index = 0; outputs && index < program.outputs.size(); ++index)
    outputs[index] = registers[program.outputs[index]];
  if (workspaceUsed)
    *workspaceUsed = interpreter.workspaceUsed();
  return Status();
}

} // namespace mortar::runtime
