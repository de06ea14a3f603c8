//===- RowWidths.h - how wide the rows of regions are -----------*- C++ -*-===//
#ifndef MORTAR_LIB_TRANSFORMS_ROWWIDTHS_H
#define MORTAR_LIB_TRANSFORMS_ROWWIDTHS_H

#include "mortar/IR/Mortar.h"

namespace mortar {

/// The widths of the rows in one or two regions.
struct RowWidths {
  int64_t narrowest = mlir::ShapedType::kDynamic, widest = 0, widestReduced = 0;
  bool byHalves = false, byPairs = false;

  void add(FusedOp region);
};

} // namespace mortar

#endif // MORTAR_LIB_TRANSFORMS_ROWWIDTHS_H
