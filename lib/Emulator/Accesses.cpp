//===- Accesses.cpp - loads, stores and prefetches of a warp --------------===//

#include "Access.h"
#include "Lanes.h"
#include "Moves.h"

#include <algorithm>

using namespace mortar::emulator;

namespace {
const int64_t *indexRegister(const Warp &warp, int64_t place) {
  return reinterpret_cast<const int64_t *>(warp.registers + place);
}

bool allHave(const uint8_t *flags, uint32_t bytes, uint8_t wanted) {
  uint8_t all = wanted;
  for (uint32_t k = 0; k < bytes; ++k)
    all &= flags[k];
  return all == wanted;
}
} // namespace

/// Which elements of an access are wanted. Lanes that want none take no part.
void Emulator::Launch::readMask(Lanes &lanes) {
  uint32_t all = lanes.access.elements;
  std::fill_n(lanes.reach, warpSize, all - 1);
  if (lanes.access.mask < 0)
    return;
  const char *wanted = lanes.warp.registers + lanes.access.mask;
  forEachLane(lanes.mask, [&](unsigned lane) {
    uint32_t count = 0;
    for (uint32_t e = 0; e < all; ++e)
      if (wanted[e * warpSize + lane]) {
        lanes.reach[lane] = e;
        ++count;
      }
    lanes.isPartial |= count != 0 && count != all;
    if (!count)
      lanes.mask &= ~(1u << lane);
  });
}

/// Element offsets from the memref's base, and lanes whose indices are within
/// it.
void Emulator::Launch::findElements(const Access &access, const Warp &warp,
                                    Lanes &lanes) {
  const View &view = access.view;
  const int64_t *offset =
      view.offset.place >= 0 ? indexRegister(warp, view.offset.place) : nullptr;
  for (unsigned lane = 0; lane < warpSize; ++lane)
    lanes.elements[lane] = offset ? offset[lane] : view.offset.value;
  for (size_t d = 0; d < access.indices.size(); ++d) {
    const int64_t *index = indexRegister(warp, access.indices[d]);
    const IndexOperand &stride = view.strides[d], &size = view.sizes[d];
    if (stride.place >= 0) {
      const int64_t *strides = indexRegister(warp, stride.place);
      for (unsigned lane = 0; lane < warpSize; ++lane)
        lanes.elements[lane] += index[lane] * strides[lane];
    } else if (stride.value == 1) {
      for (unsigned lane = 0; lane < warpSize; ++lane)
        lanes.elements[lane] += index[lane];
    } else {
      for (unsigned lane = 0; lane < warpSize; ++lane)
        lanes.elements[lane] += index[lane] * stride.value;
    }
    const int64_t *sizes =
        size.place >= 0 ? indexRegister(warp, size.place) : nullptr;
    // An access's elements lie along the last dimension.
    bool isLast = d + 1 == access.indices.size();
    uint32_t outside = 0;
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      uint64_t bound = uint64_t(sizes ? sizes[lane] : size.value);
      uint64_t last = uint64_t(index[lane]) + (isLast ? lanes.reach[lane] : 0);
      outside |= uint32_t(last >= bound || uint64_t(index[lane]) > last)
                 << lane;
    }
    forEachLane(outside & lanes.mask, [&](unsigned lane) {
      uint32_t further = isLast ? lanes.reach[lane] : 0;
      report(FindingKind::OutOfBounds, warp, lane, lanes.instruction.op, 1,
             "accesses ", further ? "elements from " : "element ", index[lane],
             further ? " to " + std::to_string(index[lane] + int64_t(further))
                     : "",
             " of dimension ", d, ", whose size is ",
             sizes ? sizes[lane] : size.value, ", of ",
             program.ops[lanes.instruction.op].buffer);
    });
  }
}

/// Bytes from the beginning of the buffer. Inactive lanes do as an active one,
/// so that loops over all of them are right.
void Emulator::Launch::findPlaces(const Access &access, const Pointer &pointer,
                                  Lanes &lanes) {
  int64_t base = pointer.base - pointer.buffer->data;
  int64_t size = access.view.elementBytes;
  for (unsigned lane = 0; lane < warpSize; ++lane)
    lanes.places[lane] = base + lanes.elements[lane] * size;
  int64_t any = lanes.places[__builtin_ctz(lanes.mask)];
  for (unsigned lane = 0; lane < warpSize && lanes.mask != allLanes; ++lane)
    if (!(lanes.mask >> lane & 1))
      lanes.places[lane] = any;
}

/// Whether a lane's access, or an element of it, may be made; reports why not.
bool Emulator::Launch::mayAccess(Lanes &lanes, unsigned lane, int64_t place,
                                 uint32_t bytes) {
  const Instruction &i = lanes.instruction;
  Buffer &buffer = *lanes.pointer.buffer;
  const char *verb = lanes.isStore              ? "writes "
                     : i.step == Step::Prefetch ? "prefetches "
                                                : "reads ";
  if (place < 0 || place + int64_t(bytes) > int64_t(buffer.bytes)) {
    const Buffer *other = lanes.pointer.buffer;
    if (!lanes.access.view.isWorkgroup)
      other = emulator.known.find(buffer.data + place);
    report(FindingKind::OutOfBounds, lanes.warp, lane, i.op, 0, verb, bytes,
           " bytes at ", buffer.name, place < 0 ? " - " : " + ",
           place < 0 ? -place : place, ", which has ", buffer.bytes, " bytes",
           other && other != &buffer ? ": that is in " + other->name : "");
    return false;
  }
  const uint8_t *flags = &buffer.flags[place];
  for (uint32_t k = 0; k < bytes; ++k)
    if (!(flags[k] & Buffer::Inside)) {
      report(FindingKind::OutOfBounds, lanes.warp, lane, i.op, 0, verb, bytes,
             " bytes at ", buffer.name, " + ", place,
             ", between two of its rows");
      return false;
    }
  if (!lanes.isStore && i.step != Step::Prefetch)
    for (uint32_t k = 0; k < bytes; ++k)
      if (!(flags[k] & Buffer::Initialized)) {
        report(FindingKind::Uninitialized, lanes.warp, lane, i.op, 0, "reads ",
               bytes, " bytes at ", buffer.name, " + ", place,
               ", where nobody has written byte ", place + k);
        break;
      }
  return true;
}

void Emulator::Launch::accessLane(Lanes &lanes, unsigned lane) {
  const Access &access = lanes.access;
  Buffer &buffer = *lanes.pointer.buffer;
  uint32_t elementBytes = access.view.elementBytes;
  char *values = lanes.warp.registers + access.value;
  auto move = [&](int64_t place, uint32_t first, uint32_t elements) {
    uint32_t bytes = elements * elementBytes;
    char *lanesOf = values + first * warpSize * elementBytes;
    if (!mayAccess(lanes, lane, place, bytes)) {
      alignas(8) char zeros[128] = {};
      for (uint32_t e = 0; e < elements && !lanes.isStore; ++e)
        moveLane(zeros, lanesOf + e * warpSize * elementBytes, lane,
                 elementBytes, 1, false);
      return false;
    }
    if (lanes.tracksWrites)
      recordAccess(lanes, lane, place, bytes);
    if (lanes.isStore)
      std::fill_n(&buffer.flags[place], bytes, uint8_t(Buffer::Ready));
    moveLane(buffer.data + place, lanesOf, lane, elementBytes, elements,
             lanes.isStore);
    return true;
  };
  if (!lanes.isPartial) {
    if (!move(lanes.places[lane], 0, access.elements))
      lanes.mask &= ~(1u << lane);
    return;
  }
  const char *wanted = lanes.warp.registers + access.mask;
  for (uint32_t e = 0; e < access.elements; ++e)
    if (wanted[e * warpSize + lane])
      move(lanes.places[lane] + e * elementBytes, e, 1);
}

/// Touched: sectors that hold a wanted byte. Least: what the wanted bytes would
/// fill.
void Emulator::Launch::countSectors(Lanes &lanes) {
  std::vector<std::pair<uint64_t, uint64_t>> parts; // from, to
  const Access &access = lanes.access;
  auto base = reinterpret_cast<uintptr_t>(lanes.pointer.buffer->data);
  uint32_t elementBytes = access.view.elementBytes;
  const char *wanted = lanes.warp.registers + access.mask;
  forEachLane(lanes.mask, [&](unsigned lane) {
    uint64_t from = base + lanes.places[lane];
    if (!lanes.isPartial)
      parts.push_back({from, from + lanes.bytes});
    for (uint32_t e = 0; e < access.elements && lanes.isPartial; ++e)
      if (wanted[e * warpSize + lane])
        parts.push_back(
            {from + e * elementBytes, from + (e + 1) * elementBytes});
  });
  if (!std::is_sorted(parts.begin(), parts.end()))
    std::sort(parts.begin(), parts.end());
  uint64_t bytes = 0, sectors = 0, end = 0, nextSector = 0;
  for (auto [from, to] : parts) {
    bytes += to > end ? to - std::max(from, end) : 0;
    end = std::max(end, to);
    uint64_t first = std::max(from / 32, nextSector), last = (to - 1) / 32;
    sectors += last >= first ? last - first + 1 : 0;
    nextSector = std::max(nextSector, last + 1);
  }
  AccessCount &count = accessCounts[lanes.instruction.target];
  count.accesses += !parts.empty();
  count.bytes += bytes;
  count.sectors += sectors;
  count.least += (bytes + 31) / 32;
}

/// Lanes that are all there and whose chunks follow one another need no look at
/// each of them, if nothing in their range is special.
void Emulator::Launch::accessAll(Lanes &lanes) {
  const Access &access = lanes.access;
  Buffer &buffer = *lanes.pointer.buffer;
  int64_t first = lanes.places[0];
  uint32_t all = lanes.bytes * warpSize;
  bool isDense = lanes.mask == allLanes && !lanes.isPartial;
  int64_t differs = 0;
  for (unsigned lane = 0; lane < warpSize; ++lane)
    differs |= lanes.places[lane] - first - int64_t(lane * lanes.bytes);
  uint8_t wanted = lanes.isStore ? Buffer::Inside : Buffer::Ready;
  isDense = isDense && !differs && first >= 0 &&
            first + int64_t(all) <= int64_t(buffer.bytes) &&
            allHave(&buffer.flags[first], all, wanted);
  bool recordsAll = isDense && isUntouched(lanes, first, all);
  if (!isDense ||
      !moveWarp(buffer.data + first, lanes.warp.registers + access.value,
                access.view.elementBytes, access.elements, lanes.isStore)) {
    forEachLane(lanes.mask, [&](unsigned lane) { accessLane(lanes, lane); });
    if (!access.view.isWorkgroup)
      countSectors(lanes);
    return;
  }
  if (lanes.tracksWrites && !recordsAll) {
    for (unsigned lane = 0; lane < warpSize; ++lane)
      recordAccess(lanes, lane, lanes.places[lane], lanes.bytes);
  } else if (lanes.tracksWrites) {
    auto fill = [&](std::vector<uint32_t> &records) {
      for (unsigned lane = 0; lane < warpSize; ++lane)
        std::fill_n(&records[first + lane * lanes.bytes], lanes.bytes,
                    lanes.me(lane));
    };
    if (lanes.isStore)
      fill(buffer.writer);
    if (!lanes.isStore && lanes.tracksReads) {
      fill(buffer.firstReader);
      fill(buffer.reader);
    }
  }
  if (lanes.isStore)
    std::fill_n(&buffer.flags[first], all, uint8_t(Buffer::Ready));
  if (access.view.isWorkgroup)
    return;
  AccessCount &count = accessCounts[lanes.instruction.target];
  uint64_t from = reinterpret_cast<uintptr_t>(buffer.data) + first;
  ++count.accesses;
  count.bytes += all;
  count.sectors += (from + all - 1) / 32 - from / 32 + 1;
  count.least += (all + 31) / 32;
}

void Emulator::Launch::access(const Instruction &i, Warp &warp) {
  const Access &access = program.accesses[i.target];
  const Pointer &pointer = access.view.isWorkgroup
                               ? workgroup[access.view.number]
                               : pointers[access.view.number];
  Lanes lanes{i, access, pointer, warp};
  lanes.bytes = access.elements * access.view.elementBytes;
  lanes.isStore = i.step == Step::Store;
  lanes.mask = warp.mask;
  readMask(lanes);
  if (!lanes.mask)
    return;
  findElements(access, warp, lanes);
  if (!pointer.buffer) {
    report(FindingKind::OutOfBounds, warp, __builtin_ctz(lanes.mask), i.op, 0,
           "accesses ", program.ops[i.op].buffer,
           ", which points into no buffer that was passed");
    if (i.step == Step::Load)
      std::memset(warp.registers + access.value, 0, lanes.bytes * warpSize);
    return;
  }
  findPlaces(access, pointer, lanes);
  if (i.step == Step::Prefetch) {
    int64_t least = *std::min_element(lanes.places, lanes.places + warpSize);
    int64_t most = *std::max_element(lanes.places, lanes.places + warpSize);
    if (least < 0 ||
        most + int64_t(lanes.bytes) > int64_t(pointer.buffer->bytes))
      forEachLane(lanes.mask, [&](unsigned lane) {
        mayAccess(lanes, lane, lanes.places[lane], lanes.bytes);
      });
    return;
  }

  auto base = reinterpret_cast<uintptr_t>(pointer.buffer->data);
  uint64_t low = 0;
  for (unsigned lane = 0; lane < warpSize; ++lane)
    low |= base + lanes.places[lane];
  if (low & (access.alignment - 1))
    forEachLane(lanes.mask, [&](unsigned lane) {
      if ((base + lanes.places[lane]) & (access.alignment - 1))
        report(FindingKind::Misaligned, warp, lane, i.op, 0,
               lanes.isStore ? "writes " : "reads ", lanes.bytes, " bytes at ",
               pointer.buffer->name, " + ", lanes.places[lane],
               ", which is not aligned to ", access.alignment);
    });
  if (!access.view.isWorkgroup) {
    if (uint32_t early = lanes.mask & ~warp.waited;
        early && program.programmaticLaunch && !pointer.buffer->isConstant)
      report(FindingKind::EarlyAccess, warp, __builtin_ctz(early), i.op, 0,
             lanes.isStore ? "writes " : "reads ", pointer.buffer->name,
             ", which is no constant, before nvvm.griddepcontrol wait");
    if (lanes.isStore && pointer.isConstant)
      report(FindingKind::ConstantWritten, warp, __builtin_ctz(lanes.mask),
             i.op, 0, "writes ", pointer.buffer->name,
             ", which is a constant, or is promised not to change");
  }
  lanes.tracksWrites = pointer.isWritten;
  lanes.tracksReads = pointer.isWritten && pointer.isRead;
  if (lanes.tracksWrites) {
    lanes.event = recordEvent(i.op, warp.number);
    lanes.oldest =
        (access.view.isWorkgroup ? blockBegin : launchBegin) * warpSize;
  }
  accessAll(lanes);
}
