//===- Program.h - a kernel as warps run it ---------------------*- C++ -*-===//
//
// A straight list of instructions. A value has one register, at a fixed place
// of a warp's register file: element e of lane l at (32·e + l) times its size,
// so that an instruction is one loop over lanes that lie side by side, and a
// vector op a longer one. An i1 takes a byte, an index eight.
//
// Structured control flow becomes jumps around a stack of lane masks, so a warp
// can stop at a barrier anywhere and go on later.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_LIB_EMULATOR_PROGRAM_H
#define MORTAR_LIB_EMULATOR_PROGRAM_H

#include <cstdint>
#include <string>
#include <vector>

namespace mortar::emulator {

constexpr unsigned warpSize = 32;
constexpr uint32_t allLanes = 0xffffffff;

struct Instruction;
/// Computes all lanes; what inactive ones hold is nobody's concern.
using LaneFunction = void (*)(const Instruction &, char *registers);

enum class Step : uint8_t {
  Lanes,      // function
  CopyActive, // result = a in active lanes; `count` rows of `size` bytes a lane
  Coordinate, // result = coordinate number `target`
  CheckDivisor, // reports active lanes where a, of `size` bytes, is 0
  Load,         // access number `target`
  Store,        // the same
  Prefetch,     // the same
  Shuffle,      // result = a of another lane, b: offset, c: width, target: mode
  Barrier,
  Wait, // for the kernels before
  If,   // a: condition; target: the Else
  Else, // target: the EndIf
  EndIf,
  For,     // enters; the ForTest follows
  ForTest, // a: induction variable, b: bound; target: the EndFor
  Next,    // target: the ForTest
  EndFor,
  Nothing, // here: launch_dependents
  Return
};

enum class ShuffleMode : uint8_t { Xor, Up, Down, Idx };

/// A kernel's parameters come first in its registers, broadcast to all lanes.
struct Instruction {
  Step step = Step::Lanes;
  bool countsOp = false;                    // the first instruction of its op
  bool isSigned = true;                     // ForTest
  uint8_t size = 0;                         // bytes of an element
  uint32_t op = 0;                          // index into Program::ops
  uint32_t count = 0;                       // elements of all lanes
  uint32_t result = 0, a = 0, b = 0, c = 0; // bytes into the register file
  uint32_t target = 0;
  LaneFunction function = nullptr;
};

/// A number that is known or lies in a register of index type.
struct IndexOperand {
  int64_t value = 0;
  int64_t place = -1; // of the register; -1: `value` it is
};

/// Where a memref points and how it is indexed.
struct View {
  bool isWorkgroup = false;
  uint32_t number = 0; // of the pointer parameter, or of the workgroup buffer
  uint32_t elementBytes = 0;
  IndexOperand offset; // in elements, as strides are
  std::vector<IndexOperand> sizes, strides;
};

struct Access {
  View view;
  std::vector<uint32_t> indices; // registers
  uint32_t elements = 1;         // consecutive ones, for each lane
  uint32_t alignment = 1;
  int64_t mask = -1; // register of i1, one for each element
  uint32_t value = 0;
};

/// What reports say of an op.
struct OpName {
  std::string text;     // "'vector.load' (op 7 of @kernel)"
  std::string location; // "layer.mlir:3:8"
  std::string buffer;   // of an access: "argument 1"
};

struct Parameter {
  bool isPointer = false;
  bool isConstant = false; // promised to be written by nobody
  uint32_t place = 0;      // of its register, if it is no pointer
  uint8_t size = 8;
};

struct WorkgroupBuffer {
  std::string name;
  uint32_t bytes = 0;
};

struct Constant {
  uint32_t place;
  std::vector<char> bytes; // of all lanes
};

struct Program {
  std::string name;
  std::vector<Instruction> code;
  std::vector<Access> accesses;
  std::vector<OpName> ops;
  std::vector<Parameter> parameters;
  std::vector<WorkgroupBuffer> workgroup;
  std::vector<Constant> constants;
  uint32_t registerBytes = 0;
  int64_t requiredBlock[3] = {0, 0, 0}; // 0: any
  bool programmaticLaunch = false;
  bool hasBarrier = false;
};

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_PROGRAM_H
