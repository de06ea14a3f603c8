//===- Launch.cpp - blocks, their warps and barriers ----------------------===//

#include "Launch.h"

#include <algorithm>
#include <cfenv>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>

using namespace mortar::emulator;
using mortar::runtime::Status;

/// Events that a record's 27 bits can number.
static constexpr uint32_t maxEvents = 1u << 27;

Emulator::Emulator(uint64_t orderSeed) : orderSeed(orderSeed) {}
Emulator::~Emulator() = default;

Status Emulator::launch(const Kernel &kernel, const runtime::LaunchDims &dims,
                        const int64_t *params, size_t numParams) {
  Launch launch(*this, kernel.program(), dims);
  if (Status status = launch.prepare(params, numParams); !status.ok())
    return status.in("kernel '", kernel.name(), "'");
  if (Status status = launch.run(); !status.ok())
    return status.in("kernel '", kernel.name(), "'");
  return {};
}

/// Which buffer each memref parameter points into, and what the kernel does
/// there.
void Emulator::Launch::preparePointers(const int64_t *params) {
  pointers.resize(program.parameters.size());
  for (size_t i = 0; i < pointers.size(); ++i) {
    if (!program.parameters[i].isPointer)
      continue;
    pointers[i].base = reinterpret_cast<char *>(params[i]);
    pointers[i].buffer = emulator.known.find(pointers[i].base);
  }
  auto noteAll = [&](bool Pointer::*what, Buffer *buffer) {
    for (Pointer &other : pointers)
      if (other.buffer && other.buffer == buffer)
        other.*what = true;
  };
  for (size_t i = 0; i < pointers.size(); ++i) {
    Buffer *buffer = pointers[i].buffer;
    if (buffer && (buffer->isConstant || program.parameters[i].isConstant))
      noteAll(&Pointer::isConstant, buffer);
  }
  for (const Instruction &i : program.code) {
    if (i.step != Step::Load && i.step != Step::Store)
      continue;
    const View &view = program.accesses[i.target].view;
    if (!view.isWorkgroup && pointers[view.number].buffer)
      noteAll(i.step == Step::Load ? &Pointer::isRead : &Pointer::isWritten,
              pointers[view.number].buffer);
  }
  for (Pointer &pointer : pointers) {
    if (!pointer.buffer || !pointer.isWritten)
      continue;
    Buffer &buffer = *pointer.buffer;
    buffer.writer.resize(buffer.bytes);
    if (!pointer.isRead)
      continue;
    for (auto *readers :
         {&buffer.firstReader, &buffer.reader, &buffer.otherReader})
      readers->resize(buffer.bytes);
  }
}

Status Emulator::Launch::prepare(const int64_t *params, size_t numParams) {
  if (numParams != program.parameters.size())
    return Status::error("expected ", program.parameters.size(),
                         " parameters, found ", numParams);
  static constexpr char axes[] = "xyz";
  uint64_t allBlocks = 1, allThreads = 1;
  for (unsigned i = 0; i < 3; ++i) {
    if (program.requiredBlock[i] && program.requiredBlock[i] != dims.block[i])
      return Status::error("expected blocks of ", program.requiredBlock[i],
                           " threads in ", std::string(1, axes[i]), ", found ",
                           dims.block[i]);
    allBlocks *= dims.grid[i];
    allThreads *= dims.block[i];
    if (allBlocks > UINT32_MAX || allThreads > 1024)
      return Status::error(
          "expected at most 1024 threads a block and 2^32 blocks, found "
          "more");
  }
  blocks = allBlocks;
  threads = allThreads;
  preparePointers(params);
  for (const WorkgroupBuffer &declared : program.workgroup) {
    workgroupBytes.emplace_back(declared.bytes);
    Buffer &buffer = workgroupBuffers.emplace_back();
    buffer.name = declared.name;
    buffer.data = workgroupBytes.back().data();
    buffer.bytes = declared.bytes;
    buffer.flags.assign(declared.bytes, Buffer::Inside);
    for (auto *records : {&buffer.writer, &buffer.firstReader, &buffer.reader,
                          &buffer.otherReader})
      records->assign(declared.bytes, 0);
    workgroup.push_back({buffer.data, &buffer, /*isWritten=*/true,
                         /*isRead=*/true,
                         /*isConstant=*/false});
  }

  uint32_t numWarps = (threads + warpSize - 1) / warpSize;
  warps.resize(numWarps);
  // Without barriers a warp runs through, so one file serves them all.
  registerFiles.resize(program.hasBarrier ? numWarps : 1);
  for (auto &file : registerFiles) {
    size_t bytes = std::max<size_t>(program.registerBytes, 64);
    file.reset(static_cast<char *>(
        std::aligned_alloc(64, (bytes + 63) & ~size_t(63))));
    std::memset(file.get(), 0, bytes);
    for (const Constant &constant : program.constants)
      std::memcpy(file.get() + constant.place, constant.bytes.data(),
                  constant.bytes.size());
    for (size_t i = 0; i < program.parameters.size(); ++i) {
      const Parameter &parameter = program.parameters[i];
      for (unsigned lane = 0; lane < warpSize && !parameter.isPointer; ++lane)
        std::memcpy(file.get() + parameter.place + lane * parameter.size,
                    &params[i], parameter.size);
    }
  }
  for (uint32_t number = 0; number < numWarps; ++number) {
    warps[number].number = number;
    warps[number].registers =
        registerFiles[program.hasBarrier ? number : 0].get();
    uint32_t rest = threads - number * warpSize;
    warps[number].lanes = rest >= warpSize ? allLanes : (1u << rest) - 1;
  }

  // Records of long ago must not look new.
  if (emulator.nextEvent > maxEvents / 2) {
    emulator.known.forget();
    emulator.nextEvent = 1;
  }
  launchBegin = emulator.nextEvent;
  accessCounts.resize(program.accesses.size());
  return {};
}

/// Workgroup memory and its records are new for each block.
void Emulator::Launch::runBlock(uint32_t number) {
  block = number;
  epoch = 0;
  blockBegin = emulator.nextEvent;
  for (Buffer &buffer : workgroupBuffers) {
    std::memset(buffer.data, 0xff, buffer.bytes);
    std::fill(buffer.flags.begin(), buffer.flags.end(),
              uint8_t(Buffer::Inside));
  }
  std::vector<uint32_t> order(warps.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(emulator.orderSeed + number);
  for (Warp &warp : warps) {
    warp.pc = 0;
    warp.mask = warp.lanes;
    warp.waited = 0;
    warp.isDone = false;
    warp.frames.clear();
  }
  while (true) {
    if (emulator.orderSeed)
      std::shuffle(order.begin(), order.end(), random);
    bool anyWaits = false;
    for (uint32_t next : order)
      if (!warps[next].isDone) {
        runWarp(warps[next]);
        anyWaits |= !warps[next].isDone;
      }
    if (!anyWaits)
      return;
    checkBarrier();
    ++epoch;
  }
}

/// All warps have stopped; they should stand at one barrier.
void Emulator::Launch::checkBarrier() {
  const Warp *first = nullptr;
  for (const Warp &warp : warps)
    if (!warp.isDone && !first)
      first = &warp;
  uint32_t op = program.code[first->barrier].op;
  for (const Warp &warp : warps) {
    if (!warp.isDone && warp.barrier == first->barrier)
      continue;
    uint32_t otherOp = warp.isDone ? op : program.code[warp.barrier].op;
    report(FindingKind::DivergentBarrier, *first, 0, op, otherOp,
           "waits, but thread ", warp.number * warpSize, " of the block ",
           warp.isDone ? "has ended"
                       : "waits at " + program.ops[otherOp].text + " at " +
                             program.ops[otherOp].location);
  }
}

Status Emulator::Launch::run() {
  std::vector<uint32_t> order;
  if (emulator.orderSeed) {
    order.resize(blocks);
    std::iota(order.begin(), order.end(), 0);
    std::mt19937_64 random(emulator.orderSeed);
    std::shuffle(order.begin(), order.end(), random);
  }
  // A host may run with subnormals flushed, or round another way.
  std::fenv_t environment;
  std::fegetenv(&environment);
  std::fesetenv(FE_DFL_ENV);
  for (uint32_t i = 0; i < blocks && !tooManyEvents; ++i)
    runBlock(order.empty() ? i : order[i]);
  std::fesetenv(&environment);
  addCounts();
  if (tooManyEvents)
    return Status::error("expected at most ", maxEvents,
                         " accesses of warps in a launch, found more");
  return {};
}

uint32_t Emulator::Launch::recordEvent(uint32_t op, uint32_t warp) {
  uint32_t number = emulator.nextEvent;
  if (number + 1 >= maxEvents) {
    tooManyEvents = true;
    return number - 1;
  }
  ++emulator.nextEvent;
  events.push_back({block, epoch, uint16_t(op), uint16_t(warp)});
  return number;
}

void Emulator::Launch::addCounts() {
  Counts &counts = emulator.counted;
  ++counts.launches;
  auto [entry, isNew] =
      emulator.firstAccess.try_emplace(&program, counts.accesses.size());
  size_t next = entry->second;
  for (const Instruction &i : program.code) {
    if (i.step != Step::Load && i.step != Step::Store)
      continue;
    if (program.accesses[i.target].view.isWorkgroup)
      continue;
    if (isNew) {
      const OpName &op = program.ops[i.op];
      AccessCount made;
      made.kernel = program.name;
      made.op = op.text;
      made.location = op.location;
      made.buffer = op.buffer;
      made.isStore = i.step == Step::Store;
      counts.accesses.push_back(made);
    }
    AccessCount &sum = counts.accesses[next++];
    const AccessCount &own = accessCounts[i.target];
    sum.accesses += own.accesses;
    sum.bytes += own.bytes;
    sum.sectors += own.sectors;
    sum.least += own.least;
  }
}
