//===- RowSchedule.h - how rows are dealt to threads ------------*- C++ -*-===//
//
// A row of N elements is a sequence of chunks of `width` elements. Two ways to deal them:
//
//   Whole   a row's threads belong together, since a reduction needs all of it.
//           `warps` warps of `lanes` lanes hold a row; lane l of warp w holds chunks
//           (w·chunks + c)·lanes + l for c < chunks. So an access of a warp is
//           contiguous, and the reduction tree runs within a chunk, over lanes,
//           over c, over warps: adjacent pairs all the way up.
//   Split   no reduction: the matrix is one sequence of chunks, one a thread.
//   Groups of a row that are a power of two of chunks lie in adjacent lanes, then in
//   adjacent chunks, then in adjacent warps; other groups are padded to that.
//
// No choice made here changes a bit of the result.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_LIB_CONVERSION_ROWSCHEDULE_H
#define MORTAR_LIB_CONVERSION_ROWSCHEDULE_H

#include "../Common/RowProgram.h"

#include "llvm/ADT/StringRef.h"

namespace mortar {

/// What differs between chips.
struct ChipTraits {
  unsigned major = 0, minor = 0; // of the compute capability: 9 and 0 for sm_90
  bool convertsF8() const { return major > 8 || (major == 8 && minor >= 9); }
  bool hasProgrammaticLaunch() const { return major >= 9; }

  /// Reads "sm_90"; fails on anything else than sm_80, sm_90 and sm_100 and their
  /// family members.
  static mlir::FailureOr<ChipTraits> parse(llvm::StringRef chip);
};

struct RowSchedule {
  enum Kind { Whole, Split } kind = Whole;
  int64_t length = 1; // elements a row, N
  int64_t width = 1;  // elements a chunk: one access; a power of two
  int64_t lanes = 1;  // Whole: of a warp that share a row; a power of two
  int64_t warps = 1;  // Whole: that share a row; more than 1 only if lanes = 32
  int64_t chunks = 1; // a thread holds of a row; a power of two
  int64_t rows = 1;   // Whole: a block holds
  int64_t threads = 32;
  int64_t residentThreads = 1024; // a multiprocessor must hold: bounds their registers
  /// Where groups aren't a power of two of chunks, each is dealt out as if it were, so
  /// that lanes and warps pair within it: chunks of a group, and the power of two that
  /// takes their place. Both 1 if rows are dealt out as they are.
  int64_t groupChunks = 1, paddedGroupChunks = 1;

  bool operator==(const RowSchedule &) const = default;

  int64_t chunksPerRow() const { return llvm::divideCeil(length, width); }
  /// Chunks that are dealt out, those that pad a group included.
  int64_t dealtChunks() const { return chunksPerRow() / groupChunks * paddedGroupChunks; }
  int64_t residentBlocks() const {
    return std::max<int64_t>(1, residentThreads / threads);
  }
  /// Whether thread coordinates can lie behind the end of the row.
  bool mayExceedRow() const {
    return kind == Whole &&
           (warps * chunks * lanes != dealtChunks() || groupChunks != paddedGroupChunks);
  }
};

/// The numbers of rows that one schedule is for: up to `findMostOfFew`, or more.
enum class RowCount { Few, Many };

/// `few-rows` of rows of at least 1024 elements, or as many shorter ones as hold as much.
int64_t findMostOfFew(const RowProgram &program, int64_t fewRows);

/// How many elements an access takes if operands are aligned; 1 if that can't help.
int64_t findChunkWidth(const RowProgram &program, RowCount count);

/// The schedule of `program` with chunks of `width` elements. Fails, with an error at
/// the region, if a row is longer than any block can hold.
mlir::FailureOr<RowSchedule> chooseSchedule(RowProgram &program, int64_t width,
                                            RowCount count);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_ROWSCHEDULE_H
