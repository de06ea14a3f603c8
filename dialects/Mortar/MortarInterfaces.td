//===- MortarInterfaces.td - what fusion asks of an op ----------*- tablegen -*-===//

#ifndef MORTAR_INTERFACES_TD
#define MORTAR_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Mortar_FusionOpInterface : OpInterface<"FusionOpInterface"> {
  let cppNamespace = "::mortar";
  let description = [{
    Everything that fusion and lowering know of an op. Neither knows an op by its
    name, so an op of any dialect joins Mortar's kernels by implementing this
    interface, as an external model if the dialect is foreign.

    An op that implements it must accept a row (a vector) wherever it accepts a
    tensor, and mean the same.
  }];
  let methods = [
    InterfaceMethod<[{
        The domain that the op iterates over. A region holds ops of one domain.
      }],
      "::mortar::IterationDomain", "getIterationDomain", (ins), "",
      "return ::mortar::IterationDomain::Rows;">,
    InterfaceMethod<[{
        Which part of this operand one row's program sees.
      }],
      "::mortar::RowMap", "getOperandMap", (ins "unsigned":$operand), "",
      "return ::mortar::RowMap::Row;">,
    InterfaceMethod<[{
        Which part of this result one row's program makes.
      }],
      "::mortar::RowMap", "getResultMap", (ins "unsigned":$result), "",
      "return ::mortar::RowMap::Row;">,
    InterfaceMethod<[{
        Whether the op reduces over the row: then a thread block needs all of it.
        An op that doesn't is free to be split within a row.
      }],
      "bool", "reducesRow", (ins), "", "return false;">,
    InterfaceMethod<[{
        How many neighbours of a row the op reduces together; 0 for the whole row. Of no
        meaning where reducesRow is false.
      }],
      "int64_t", "getReducedGroup", (ins), "", "return 0;">,
    InterfaceMethod<[{
        Whether the op reads a row of twice its result's width by pairs of neighbours, and
        not by halves: a kernel holds wide rows in one of the two ways.
      }],
      "bool", "readsPairs", (ins), "", "return false;">,
    InterfaceMethod<[{
        Whether the op is a norm, to which the dtype rule applies: it joins others
        only if all that was added to make its row has its weight's type.
        Returns the row operand's number, or -1.
      }],
      "int64_t", "getNormRowOperand", (ins), "", "return -1;">,
    InterfaceMethod<[{
        The weight of a norm, or -1.
      }],
      "int64_t", "getNormWeightOperand", (ins), "", "return -1;">,
    InterfaceMethod<[{
        Whether the dtype rule looks through this op to its operands.
      }],
      "bool", "isTransparentToDtypeRule", (ins), "", "return false;">,
    InterfaceMethod<[{
        Whether this op is a kernel wherever it stands. Elementwise ops of other dialects
        aren't: they become one only next to an op of Mortar's, to join it.
      }],
      "bool", "startsRegion", (ins), "", "return true;">,
    InterfaceMethod<[{
        Whether the op accepts scalars wherever it accepts rows, and computes each element
        of a row by itself: then it joins a recurrence by element, one for each head.
      }],
      "bool", "acceptsScalars", (ins), "", "return false;">,
    InterfaceMethod<[{
        Whether fusion understands this attribute. An attribute it doesn't know
        may change what the op means, so such an op is not fused.
      }],
      "bool", "knowsAttribute", (ins "::llvm::StringRef":$name), "", [{
        auto known = $_op->getName().getAttributeNames();
        return ::llvm::any_of(known, [&](::mlir::StringAttr attr) {
          return attr.getValue() == name;
        });
      }]>,
    InterfaceMethod<[{
        The op on rows that are `heads` of its own, one behind the other, each computed
        as before: made before `b`'s point of `operands`, which are so long (a column
        stands there once for each head). Null, and nothing made, if it can't be. As a
        rule what is elementwise can.
      }],
      "::mlir::Operation *", "coarsen",
      (ins "::mlir::OpBuilder &":$b, "::mlir::ValueRange":$operands, "int64_t":$heads),
      "", "return ::mortar::coarsenElementwise($_op.getOperation(), b, operands, heads);">,
    InterfaceMethod<[{
        The op's meaning, written once: replaces the op, on rows, by row primitives
        (arith and math on vectors, mortar.row_*). Ops that are primitives
        already leave themselves alone.
      }],
      "::llvm::LogicalResult", "decompose", (ins "::mlir::RewriterBase &":$rewriter),
      "", "return ::mlir::success();">,
  ];
}

#endif // MORTAR_INTERFACES_TD
