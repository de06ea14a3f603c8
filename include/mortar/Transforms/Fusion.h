//===- Fusion.h - what may fuse, and the mechanics of fusing ----*- C++ -*-===//
//
// FuseRowsPass is the opinion; these are the facts and the tools that it uses, for
// embedders with an opinion of their own.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_TRANSFORMS_FUSION_H
#define MORTAR_TRANSFORMS_FUSION_H

#include "mortar/IR/Mortar.h"

namespace mortar {

enum class MixedDtypes { Separate, Fuse };

struct FusionOptions {
  MixedDtypes mixedDtypes = MixedDtypes::Separate;
  /// The most bytes of one row's values alive at once in a region.
  int64_t maxLiveBytes = 131072;
};

/// Why two ops didn't fuse: the failed condition's name (a remark's stable key), a
/// sentence with the facts, and what a user can do about it (may be empty).
struct Refusal {
  llvm::StringLiteral condition;
  std::string because;
  std::string suggestion;
};

/// Why `op`, which implements FusionOpInterface on tensors, can't be a region.
std::optional<Refusal> whyNotWrapped(FusionOpInterface op);

/// Why `producer`, whose result `consumer` reads, can't join it.
std::optional<Refusal> whyNotMerged(FusedOp producer, FusedOp consumer,
                                    const FusionOptions &options);

/// Replaces `op` on tensors by a region that holds it. Legal if whyNotWrapped is silent.
FusedOp wrapInRegion(mlir::RewriterBase &rewriter, FusionOpInterface op);

/// Joins two regions of one block into one that stands where `consumer` stood, with
/// the results of both. Legal if whyNotMerged is silent.
FusedOp mergeRegions(mlir::RewriterBase &rewriter, FusedOp producer,
                     FusedOp consumer);

/// A region that runs otherwise (on longer rows, in a recurrence), or why there is none.
using ChangedRegion = std::pair<FusedOp, std::optional<Refusal>>;

/// `fine` on rows that are `heads` of its own, [.., heads, L] -> [.., heads·L], before it;
/// its results have the same types. Nothing is left if it is refused.
ChangedRegion coarsen(mlir::RewriterBase &rewriter, FusedOp fine, int64_t heads);

/// `rows` as a program of one token of one head, before it, which merges with the
/// recurrence `other` that reads its results or makes its inputs. Nothing is left if it is
/// refused.
ChangedRegion enterRecurrence(mlir::RewriterBase &rewriter, FusedOp rows,
                              FusedOp other);

/// Whether a kernel can hold what `region` computes of a row.
bool isLegalAlone(FusedOp region, const FusionOptions &options);

/// `region`, on the longer rows that another region makes if it reads heads of those.
FusedOp coarsenReader(mlir::RewriterBase &rewriter, FusedOp region,
                      const FusionOptions &options);

/// Joins two regions, of which the one whose rows are the other's heads is coarsened, and
/// the one that runs over rows enters the other if that is a recurrence; `consumer` is then
/// both. Or says why not, and leaves everything as it was; so it
/// does without `merge`, if there is nothing to say.
std::optional<Refusal> mergeOrSayWhyNot(mlir::RewriterBase &rewriter, FusedOp producer,
                                        FusedOp &consumer, const FusionOptions &options,
                                        bool merge);

/// The dtype rule's verdict on the norms in `region`: a refusal if one of them must
/// stay apart.
std::optional<Refusal> checkDtypeRule(FusedOp region);

/// The most bytes of one row's values alive at once in the body, counted in the
/// values' own types; `inputsOf` a second region that would come before it.
int64_t countLiveBytes(llvm::ArrayRef<FusedOp> inOrder);

/// The names of the ops in a region, joined: `residual_add_rms_norm`.
std::string describeOps(FusedOp region, llvm::StringRef separator);

} // namespace mortar

#endif // MORTAR_TRANSFORMS_FUSION_H
