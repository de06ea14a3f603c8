//===- Validate.cpp - What loading demands of an artifact -----------------===//
//
// After these checks the interpreter indexes without looking.
//
//===----------------------------------------------------------------------===//

#include "mortar/Runtime/Artifact.h"

#include <unordered_set>

namespace mortar::runtime {

namespace {

enum class ProgramKind { Body, Shapes };

const char *instructionName(const Instruction &instruction) {
  static const char *const names[] = {
      "Const",  "ArgPointer", "ArgDim", "ArgStride", "Binary",
      "Select", "If",         "Check",  "Workspace", "Launch"};
  static_assert(std::size(names) == std::variant_size_v<Instruction>);
  return names[instruction.index()];
}

/// Walks a program in order with the set of registers that every path up to
/// here has assigned.
class ProgramValidator {
public:
  ProgramValidator(const Program &program, ArrayView<Argument> args,
                   size_t numKernels, ProgramKind kind)
      : program(program), args(args), numKernels(numKernels), kind(kind) {}

  Status validate() {
    if (program.numRegisters > maxRegisters)
      return Status::error("expected at most ", maxRegisters,
                           " registers, found ", program.numRegisters);
    assigned.assign(program.numRegisters, false);
    if (!validateRange(0, program.code.size(), 0))
      return std::move(problem);
    for (uint32_t output : program.outputs)
      if (Status status = read(output); !status.ok())
        return status.in("outputs");
    return Status();
  }

private:
  bool validateRange(size_t begin, size_t end, uint32_t depth) {
    for (size_t index = begin; index < end; ++index) {
      const Instruction &instruction = program.code[index];
      Status status =
          std::visit([this](const auto &op) { return check(op); }, instruction);
      const auto *branch = std::get_if<If>(&instruction);
      if (status.ok() && branch) {
        uint64_t inside = uint64_t(branch->thenCount) + branch->elseCount;
        if (inside > end - index - 1)
          status = Status::error("expected at most ", end - index - 1,
                                 " instructions in its arms, found ", inside);
        else if (depth >= maxNesting)
          status = Status::error("expected at most ", maxNesting,
                                 " nested branches, found more");
      }
      if (!status.ok()) {
        problem = status.in("instruction ", index, " (",
                            instructionName(instruction), ")");
        return false;
      }
      if (branch) {
        if (!validateArms(*branch, index + 1, depth + 1))
          return false;
        index += branch->thenCount + branch->elseCount;
      }
    }
    return true;
  }

  /// Assigned afterwards is what both arms assign. The log holds what was
  /// assigned since, so that work is linear in the code and not in registers.
  bool validateArms(const If &branch, size_t begin, uint32_t depth) {
    size_t mark = log.size();
    if (!validateRange(begin, begin + branch.thenCount, depth))
      return false;
    std::vector<uint32_t> byThen(log.begin() + mark, log.end());
    forgetSince(mark);

    size_t elseBegin = begin + branch.thenCount;
    if (!validateRange(elseBegin, elseBegin + branch.elseCount, depth))
      return false;
    std::vector<uint32_t> byBoth;
    for (uint32_t reg : byThen)
      if (assigned[reg])
        byBoth.push_back(reg);
    forgetSince(mark);
    for (uint32_t reg : byBoth)
      assign(reg);
    return true;
  }

  void assign(uint32_t reg) {
    if (assigned[reg])
      return;
    assigned[reg] = true;
    log.push_back(reg);
  }
  void forgetSince(size_t mark) {
    for (size_t index = mark; index < log.size(); ++index)
      assigned[log[index]] = false;
    log.resize(mark);
  }

  Status write(uint32_t reg) {
    if (reg >= program.numRegisters)
      return Status::error("expected a register below ", program.numRegisters,
                           ", found ", reg);
    assign(reg);
    return Status();
  }
  Status read(uint32_t reg) {
    if (reg >= program.numRegisters)
      return Status::error("expected a register below ", program.numRegisters,
                           ", found ", reg);
    if (!assigned[reg])
      return Status::error("register ", reg,
                           " is read on a path which has not assigned it");
    return Status();
  }
  template <typename... Registers> Status readAll(Registers... registers) {
    Status status;
    (void)(((status = read(registers)).ok()) && ...);
    return status;
  }

  Status checkArg(uint32_t arg) {
    if (arg >= args.size())
      return Status::error("expected an argument below ", args.size(),
                           ", found ", arg);
    // Result shapes are asked for before there are outputs.
    if (kind == ProgramKind::Shapes && args[arg].role == Argument::Output)
      return Status::error("shapes cannot depend on argument '", args[arg].name,
                           "', an output");
    return Status();
  }
  Status checkDim(uint32_t result, uint32_t arg, uint32_t dim) {
    if (Status status = checkArg(arg); !status.ok())
      return status;
    if (dim >= args[arg].shape.size())
      return Status::error("expected a dimension of '", args[arg].name,
                           "' below ", args[arg].shape.size(), ", found ", dim);
    return write(result);
  }
  Status checkInBody() {
    if (kind == ProgramKind::Shapes)
      return Status::error("allowed in the body only, found in shapes");
    return Status();
  }

  Status check(const Const &op) { return write(op.result); }
  Status check(const ArgPointer &op) {
    if (Status status = checkInBody(); !status.ok())
      return status;
    if (Status status = checkArg(op.arg); !status.ok())
      return status;
    return write(op.result);
  }
  Status check(const ArgDim &op) { return checkDim(op.result, op.arg, op.dim); }
  Status check(const ArgStride &op) {
    return checkDim(op.result, op.arg, op.dim);
  }
  Status check(const Binary &op) {
    if (uint32_t(op.op) >= numBinaryOps)
      return Status::error("expected an operation below ", numBinaryOps,
                           ", found ", uint32_t(op.op));
    if (Status status = readAll(op.lhs, op.rhs); !status.ok())
      return status;
    return write(op.result);
  }
  Status check(const Select &op) {
    if (Status status = readAll(op.condition, op.onTrue, op.onFalse);
        !status.ok())
      return status;
    return write(op.result);
  }
  Status check(const If &op) { return read(op.condition); }
  Status check(const Check &op) { return read(op.condition); }
  Status check(const Workspace &op) {
    if (Status status = checkInBody(); !status.ok())
      return status;
    if (Status status = read(op.bytes); !status.ok())
      return status;
    return write(op.result);
  }
  Status check(const Launch &op) {
    if (Status status = checkInBody(); !status.ok())
      return status;
    if (op.kernel >= numKernels)
      return Status::error("expected a kernel below ", numKernels, ", found ",
                           op.kernel);
    if (op.params.size() > maxLaunchParams)
      return Status::error("expected at most ", maxLaunchParams,
                           " parameters, found ", op.params.size());
    Status status = readAll(op.grid[0], op.grid[1], op.grid[2], op.block[0],
                            op.block[1], op.block[2], op.dynamicSharedBytes);
    for (size_t index = 0; status.ok() && index < op.params.size(); ++index)
      status = read(op.params[index]);
    return status;
  }

  const Program &program;
  ArrayView<Argument> args;
  size_t numKernels;
  ProgramKind kind;
  std::vector<bool> assigned;
  std::vector<uint32_t> log; // registers in the order of their assignment
  Status problem;
};

/// Names end up in C strings.
Status checkName(std::string_view name, const char *what) {
  if (name.empty())
    return Status::error("expected a name for ", what, ", found none");
  if (name.find('\0') != name.npos)
    return Status::error("expected a name for ", what,
                         " without NUL, found one");
  return Status();
}

Status checkArgument(const Argument &arg) {
  if (Status status = checkName(arg.name, "an argument"); !status.ok())
    return status;
  if (!elementTypeBytes(arg.type))
    return Status::error("expected an element type below ", numElementTypes,
                         ", found ", uint32_t(arg.type));
  if (arg.role > Argument::InOut)
    return Status::error("expected a role below 3, found ", uint32_t(arg.role));
  if (arg.constant && arg.role != Argument::Input)
    return Status::error("expected a constant argument to be an input");
  if (arg.shape.size() > maxRank)
    return Status::error("expected rank at most ", maxRank, ", found ",
                         arg.shape.size());
  for (int64_t extent : arg.shape)
    if (extent < -1)
      return Status::error("expected extents of at least -1, found ", extent);
  return Status();
}

Status checkKernel(const Kernel &kernel) {
  if (Status status = checkName(kernel.name, "a kernel"); !status.ok())
    return status;
  if (kernel.maxThreads < 1 || kernel.maxThreads > 1024)
    return Status::error("kernel '", kernel.name,
                         "': expected 1 to 1024 threads, found ",
                         kernel.maxThreads);
  if (kernel.staticSharedBytes > (1u << 20))
    return Status::error("kernel '", kernel.name,
                         "': expected at most 1 MiB of shared memory, found ",
                         kernel.staticSharedBytes, " bytes");
  return Status();
}

} // namespace

Status validateEntry(const Entry &entry, size_t numKernels) {
  if (Status status = checkName(entry.name, "an entry"); !status.ok())
    return status;
  size_t numDynamic = 0;
  for (size_t index = 0; index < entry.args.size(); ++index) {
    const Argument &arg = entry.args[index];
    if (Status status = checkArgument(arg); !status.ok())
      return status.in("entry '", entry.name, "': argument ", index);
    for (int64_t extent : arg.shape)
      numDynamic += arg.role == Argument::Output && extent < 0;
  }
  for (const Result &result : entry.results)
    if (result.argument >= entry.args.size() ||
        entry.args[result.argument].role == Argument::Input)
      return Status::error("entry '", entry.name,
                           "': expected results in Output or InOut arguments, "
                           "found one in argument ",
                           result.argument);

  ProgramValidator body(entry.body, entry.args, numKernels, ProgramKind::Body);
  if (Status status = body.validate(); !status.ok())
    return status.in("entry '", entry.name, "': body");
  ProgramValidator shapes(entry.shapes, entry.args, numKernels,
                          ProgramKind::Shapes);
  if (Status status = shapes.validate(); !status.ok())
    return status.in("entry '", entry.name, "': shapes");
  if (entry.shapes.outputs.size() != numDynamic)
    return Status::error("entry '", entry.name, "': shapes: expected ",
                         numDynamic,
                         " outputs, one for each dynamic extent of an Output "
                         "argument, found ",
                         entry.shapes.outputs.size());
  return Status();
}

Expected<Chip> parseChip(std::string_view name) {
  auto bad = [&] {
    return Status::error("expected a chip like sm_90 or sm_90a, found '", name,
                         "'");
  };
  if (name.substr(0, 3) != "sm_")
    return bad();
  std::string_view digits = name.substr(3);
  Chip chip;
  if (!digits.empty() && (digits.back() == 'a' || digits.back() == 'f')) {
    chip.suffix = digits.back();
    digits.remove_suffix(1);
  }
  if (digits.size() < 2 || digits.size() > 3 || digits.front() == '0')
    return bad();
  int number = 0;
  for (char digit : digits) {
    if (digit < '0' || digit > '9')
      return bad();
    number = number * 10 + (digit - '0');
  }
  chip.major = number / 10;
  chip.minor = number % 10;
  return chip;
}

Status validateArtifact(const Artifact &artifact) {
  for (const CodeImage &image : artifact.images) {
    if (image.kind > CodeImage::Object)
      return Status::error(
          "image ", image.chip,
          ": expected PTX (0), cubin (1) or object (2), found ",
          uint32_t(image.kind));
    for (size_t at = 0; at < image.kernels.size(); ++at) {
      uint32_t kernel = image.kernels[at], least = at ? image.kernels[at - 1] + 1 : 0;
      if (kernel < least || kernel >= artifact.kernels.size())
        return Status::error("image ", image.chip, ": expected a kernel's number from ",
                             least, " to below ", artifact.kernels.size(), ", found ",
                             kernel);
    }
    if (image.kind == CodeImage::Object)
      continue; // only its loader knows CPUs
    if (Expected<Chip> chip = parseChip(image.chip); !chip)
      return chip.status().in("image");
  }
  std::unordered_set<std::string_view> names;
  for (const Kernel &kernel : artifact.kernels) {
    if (Status status = checkKernel(kernel); !status.ok())
      return status;
    if (!names.insert(kernel.name).second)
      return Status::error("expected distinct kernel names, found '",
                           kernel.name, "' twice");
  }
  names.clear();
  for (const Entry &entry : artifact.entries) {
    if (Status status = validateEntry(entry, artifact.kernels.size());
        !status.ok())
      return status;
    if (!names.insert(entry.name).second)
      return Status::error("expected distinct entry names, found '", entry.name,
                           "' twice");
  }
  return Status();
}

} // namespace mortar::runtime
