//===- RecurrenceSchedule.h - how a state is dealt to threads ---*- C++ -*-===//
//
// A block computes one sequence's tokens, in order, for one value head, or for some of its
// rows of values where none is reduced. A row of a state is a sequence of chunks of `width`
// keys. Of a warp `lanes` lanes hold a row, 32/lanes rows beside each other:
//
//   lane l of them holds chunks c·lanes + l for c < chunks, of `rows` rows: row r of warp w,
//   beside `s` others, is row (w·rows + r)·(32/lanes) + s of the block.
//
// So an access of a warp is contiguous, and the sum over keys runs within a chunk, over
// lanes, over c, as the tree does. A row of keys is dealt like one of a state, and every row
// of lanes has it. Of a row of values lane l has the elements of rows l mod `dealt`, and then
// every `dealt`-th: where the sums over keys arrive.
//
// No choice made here changes a bit of the result.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_LIB_CONVERSION_RECURRENCESCHEDULE_H
#define MORTAR_LIB_CONVERSION_RECURRENCESCHEDULE_H

#include "../Common/RecurrenceProgram.h"
#include "RowSchedule.h"

namespace mortar {

struct RecurrenceSchedule {
  int64_t keys = 1, values = 1; // of a head's state
  int64_t width = 1;            // elements a chunk: one access; a power of two
  int64_t lanes = 1;            // of a warp that share a row; a power of two
  int64_t chunks = 1;           // of a row that a thread holds; a power of two
  int64_t rows = 1;             // of a state that a thread holds; a power of two
  int64_t warps = 1;            // of a block
  int64_t residentThreads = 1; // a multiprocessor must hold: bounds their registers

  bool operator==(const RecurrenceSchedule &) const = default;

  int64_t threads() const { return 32 * warps; }
  int64_t rowsPerBlock() const { return warps * rows * (32 / lanes); }
  int64_t blocksPerHead() const { return llvm::divideCeil(values, rowsPerBlock()); }
  /// Rows of values that lie in different lanes; a thread has rows/dealt of them.
  int64_t dealt() const { return std::min(rows, lanes / chunks); }
  int64_t chunksPerRow() const { return llvm::divideCeil(keys, width); }
  bool mayExceedKeys() const { return lanes * chunks != chunksPerRow(); }
  bool mayExceedValues() const { return values % rowsPerBlock() != 0; }
  int64_t residentBlocks() const {
    return std::max<int64_t>(1, residentThreads / threads());
  }
};

/// How many keys an access takes if operands are aligned; 1 if that can't help.
int64_t findChunkWidth(const RecurrenceProgram &program);

/// The schedule of `program` with chunks of `width` keys, where sequences times heads are
/// few or many.
RecurrenceSchedule chooseSchedule(const RecurrenceProgram &program, int64_t width,
                                  RowCount states);

/// The most states, sequences times heads, that are few: as many as hold as much as
/// `fewRows` rows of 1024 elements, or of 2048.
int64_t findMostOfFew(const RecurrenceProgram &program, int64_t fewRows);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_RECURRENCESCHEDULE_H
