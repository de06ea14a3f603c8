//===- Plan.h - The launch plan and its interpreter -------------*- C++ -*-===//
//
// A plan is the host function of an entry, serialized: integer arithmetic on
// the shapes, strides and addresses of the arguments, structured branches,
// checks, workspace and kernel launches. Registers are int64; arithmetic wraps
// around. There are no loops, so every plan ends.
//
// An entry is validated once (validateEntry), arguments are checked at every
// call (checkArguments); after both, running is safe for every value.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_RUNTIME_PLAN_H
#define MORTAR_RUNTIME_PLAN_H

#include "mortar/Runtime/Status.h"

#include <array>
#include <cstdint>
#include <variant>

namespace mortar::runtime {

// Limits which every artifact keeps; they bound what loading can cost.
constexpr uint32_t maxRegisters = 1u << 16;
constexpr uint32_t maxRank = 16;
constexpr uint32_t maxNesting = 64;
constexpr uint32_t maxLaunchParams = 512; // 4 KiB, what every driver takes
constexpr uint64_t workspaceAlignment = 256;

/// The numbers are part of the artifact format and of the C API.
enum class ElementType : uint32_t { F32, F16, BF16, F8E4M3, I8, I32, I64, F8E8M0 };
constexpr uint32_t numElementTypes = 8;

/// "bf16"; "?" for a number which is no element type.
const char *elementTypeName(ElementType type);
/// 1, 2, 4 or 8; 0 for a number which is no element type.
uint32_t elementTypeBytes(ElementType type);

//===----------------------------------------------------------------------===//
// Instructions. `result` and all operands are register numbers unless said.
//===----------------------------------------------------------------------===//

/// Division and remainder by zero fail the run; INT64_MIN / -1 wraps around.
/// Shifts by 64 or more, unsigned, shift every bit out. Comparisons give 1 or
/// 0. S and U: signed and unsigned.
// clang-format off
enum class BinaryOp : uint8_t {
  Add, Sub, Mul,
  DivS, DivU, RemS, RemU, FloorDivS, CeilDivS, CeilDivU,
  And, Or, Xor, Shl, ShrS, ShrU,
  MinS, MaxS, MinU, MaxU,
  CmpEq, CmpNe,
  CmpLtS, CmpLeS, CmpGtS, CmpGeS,
  CmpLtU, CmpLeU, CmpGtU, CmpGeU
};
// clang-format on
constexpr uint32_t numBinaryOps = 30;

/// "floorDivS"
const char *binaryOpName(BinaryOp op);

/// result = value
struct Const {
  uint32_t result;
  int64_t value;
};
/// result = address of element 0 of argument `arg`
struct ArgPointer {
  uint32_t result;
  uint32_t arg;
};
/// result = extent of dimension `dim` of argument `arg`
struct ArgDim {
  uint32_t result;
  uint32_t arg;
  uint32_t dim;
};
/// result = stride, in elements, of dimension `dim` of argument `arg`
struct ArgStride {
  uint32_t result;
  uint32_t arg;
  uint32_t dim;
};
/// result = lhs op rhs
struct Binary {
  BinaryOp op;
  uint32_t result;
  uint32_t lhs;
  uint32_t rhs;
};
/// result = condition != 0 ? onTrue : onFalse
struct Select {
  uint32_t result;
  uint32_t condition;
  uint32_t onTrue;
  uint32_t onFalse;
};
/// Runs the next `thenCount` instructions where condition != 0, else the
/// `elseCount` after those. Counts include what is nested. A register which
/// both arms assign may be used afterwards.
struct If {
  uint32_t condition;
  uint32_t thenCount;
  uint32_t elseCount;
};
/// Fails the run with `message` where condition == 0.
struct Check {
  uint32_t condition;
  std::string message;
};
/// result = address of the next `bytes` (a register) bytes of workspace,
/// aligned to workspaceAlignment. In a query the workspace begins at 0.
struct Workspace {
  uint32_t result;
  uint32_t bytes;
};
/// Launches kernel number `kernel` of the artifact. Every parameter is eight
/// bytes: an address or an i64. A grid with an extent of 0 launches nothing.
struct Launch {
  uint32_t kernel;
  std::array<uint32_t, 3> grid;  // x, y, z
  std::array<uint32_t, 3> block; // x, y, z
  uint32_t dynamicSharedBytes;
  std::vector<uint32_t> params;
};

/// The order is part of the artifact format.
using Instruction = std::variant<Const, ArgPointer, ArgDim, ArgStride, Binary,
                                 Select, If, Check, Workspace, Launch>;

struct Program {
  uint32_t numRegisters = 0;
  std::vector<Instruction> code;
  std::vector<uint32_t> outputs; // registers, read when the code has run
};

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

struct Argument {
  /// The numbers are part of the artifact format and of the C API.
  enum Role : uint8_t { Input, Output, InOut };

  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape; // -1: known only at run time
  Role role = Input;
  bool constant = false; // never written while kernels run: a weight
  /// The last dimension may have any stride, not just 1: the scales of groups, row- or
  /// column-major.
  bool strided = false;
};

struct Result {
  uint32_t argument; // the Output or InOut argument which holds this result
};

/// `shapes` computes the dynamic extents of all Output arguments, in the order
/// of arguments and dimensions, from the other arguments' extents and strides:
/// no addresses, no workspace, no launches.
struct Entry {
  std::string name;
  std::vector<Argument> args;
  std::vector<Result> results;
  Program body;
  Program shapes;
};

/// A function of the device code.
struct Kernel {
  std::string name;
  uint32_t maxThreads = 1024;     // a block, 1 to 1024
  uint32_t staticSharedBytes = 0; // a block
  bool programmaticLaunch = false;
  /// Its code is loaded, and PTX compiled, when it is launched first: what few callers
  /// need, such as the kernel for operands that aren't aligned.
  bool onDemand = false;
};

/// Every register, argument, dimension, kernel and count is in range, and no
/// register is read on a path which has not assigned it.
Status validateEntry(const Entry &entry, size_t numKernels);

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// What the caller passes for one argument.
struct TensorArg {
  void *data = nullptr;           // element 0; may be null without elements
  const int64_t *shape = nullptr; // `rank` extents
  const int64_t *strides =
      nullptr; // `rank`, in elements; null: dense row-major
  uint32_t rank = 0;
  ElementType type = ElementType::F32;
};

/// Launch leaves Output arguments' data and shapes to be known; a query for
/// result shapes comes before they exist, and looks at the others only.
enum class ArgumentCheck { All, ShapesOfInputs };

/// Compares arguments with what the entry declares: count, element type, rank,
/// extents, strides, null pointers, alignment to the element size. Extents of Output
/// arguments which `shapes` computes are compared in runEntry (Executable.h).
Status checkArguments(const Entry &entry, ArrayView<TensorArg> args,
                      ArgumentCheck what = ArgumentCheck::All);

struct LaunchDims {
  uint32_t grid[3];  // x, y, z; at least 1
  uint32_t block[3]; // x, y, z; at least 1
  uint32_t dynamicSharedBytes;
};

/// Where launches go: the CUDA driver (Executable), a recorder, an emulator.
class Launcher {
public:
  virtual ~Launcher();
  /// `params` are `numParams` values of eight bytes, valid during the call.
  virtual Status launch(const Kernel &kernel, uint32_t kernelIndex,
                        const LaunchDims &dims, const int64_t *params,
                        size_t numParams, void *stream) = 0;
};

struct RunContext {
  ArrayView<Kernel> kernels;
  ArrayView<TensorArg> args;
  void *workspace = nullptr; // aligned to workspaceAlignment
  size_t workspaceBytes = 0;
  /// Null makes the run a query: checks are done, launches are checked and
  /// skipped, workspace is only summed.
  Launcher *launcher = nullptr;
  void *stream = nullptr;
};

/// Runs a validated program on checked arguments. `outputs`, unless null,
/// receives program.outputs.size() values; `workspaceUsed`, unless null, the
/// bytes of workspace taken. Allocates nothing for up to 256 registers. What
/// was launched before an error stays launched.
Status runProgram(const Program &program, const RunContext &context,
                  int64_t *outputs = nullptr, size_t *workspaceUsed = nullptr);

} // namespace mortar::runtime

#endif // MORTAR_RUNTIME_PLAN_H
