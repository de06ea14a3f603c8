//===- Races.cpp - who read and wrote a byte before -----------------------===//
//
// Two accesses of a byte, one of them a write, race if they are of two threads
// and nothing orders them: of two blocks, or of one block between the same two
// barriers. That lanes of a warp run in lock step orders nothing, nor does a
// shuffle.
//
// The last writer is enough, for any before it raced with it or is ordered
// before it. Of the readers a write must see one that is another thread, if
// there is any: the last, or the last that is another thread than that, within
// its block; and since blocks run one after another, the first reader is of
// another block if any reader is.
//
//===----------------------------------------------------------------------===//

#include "Access.h"

#include <algorithm>

using namespace mortar::emulator;

/// Whether no byte has a record of this launch that could matter.
bool Emulator::Launch::isUntouched(const Lanes &lanes, int64_t place,
                                   uint32_t bytes) const {
  const Buffer &buffer = *lanes.pointer.buffer;
  auto isOld = [&](const std::vector<uint32_t> &records) {
    uint32_t newest = 0;
    for (uint32_t k = 0; k < bytes; ++k)
      newest = std::max(newest, records[place + k]);
    return newest < lanes.oldest;
  };
  return (!lanes.tracksWrites || isOld(buffer.writer)) &&
         (!lanes.tracksReads || isOld(buffer.reader));
}

/// Compares with the record of an earlier access, which is of this launch.
void Emulator::Launch::judge(Lanes &lanes, unsigned lane, int64_t place,
                             uint32_t record, bool wrote) {
  const Event &event = events[record / warpSize - launchBegin];
  unsigned otherLane = record % warpSize;
  const Warp &warp = lanes.warp;
  if (event.block == block && event.warp == warp.number && otherLane == lane)
    return;
  if (event.block == block && event.epoch != epoch)
    return;
  report(FindingKind::Race, warp, lane, lanes.instruction.op, event.op,
         lanes.isStore ? "writes " : "reads ", lanes.pointer.buffer->name,
         " + ", place, ", which ", program.ops[event.op].text, " at ",
         program.ops[event.op].location, " in ",
         nameThread(event.block, event.warp, otherLane),
         wrote ? " wrote" : " read",
         event.block == block ? " with no barrier in between"
                              : ", and nothing orders blocks");
}

void Emulator::Launch::recordAccess(Lanes &lanes, unsigned lane, int64_t place,
                                    uint32_t bytes) {
  Buffer &buffer = *lanes.pointer.buffer;
  uint32_t me = lanes.me(lane), oldest = lanes.oldest;
  auto judgeAll = [&](const std::vector<uint32_t> &records, bool wrote) {
    uint32_t last = 0;
    for (uint32_t k = 0; k < bytes; ++k) {
      uint32_t record = records[place + k];
      if (record >= oldest && record != last)
        judge(lanes, lane, place + k, record, wrote);
      last = record;
    }
  };
  if (lanes.tracksWrites)
    judgeAll(buffer.writer, /*wrote=*/true);
  if (lanes.isStore) {
    if (lanes.tracksReads) {
      judgeAll(buffer.firstReader, /*wrote=*/false);
      judgeAll(buffer.reader, /*wrote=*/false);
      judgeAll(buffer.otherReader, /*wrote=*/false);
    }
    std::fill_n(&buffer.writer[place], bytes, me);
    return;
  }
  if (!lanes.tracksReads)
    return;
  for (uint32_t k = 0; k < bytes; ++k) {
    uint32_t &last = buffer.reader[place + k];
    if (last < oldest) {
      buffer.firstReader[place + k] = me;
    } else {
      const Event &event = events[last / warpSize - launchBegin];
      if (event.block != block || event.warp != lanes.warp.number ||
          last % warpSize != lane)
        buffer.otherReader[place + k] = last;
    }
    last = me;
  }
}
