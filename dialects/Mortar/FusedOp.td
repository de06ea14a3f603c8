//===- FusedOp.td - one region = one kernel ---------------------*- tablegen -*-===//

#ifndef MORTAR_FUSED_OP_TD
#define MORTAR_FUSED_OP_TD

include "MortarBase.td"
include "MortarEnums.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/IR/OpAsmInterface.td"

def Mortar_Operand : AnyTypeOf<
    [RankedTensorOf<[AnyFloat, AnySignlessInteger]>,
     MemRefRankOf<[AnyFloat, AnySignlessInteger], [1, 2, 3, 4, 5, 6, 7, 8]>],
    "a ranked tensor, or a memref of rank 1 to 8, of floats or signless integers">;

def Mortar_FusedOp : Mortar_Op<"fused", [
    IsolatedFromAbove, AttrSizedOperandSegments, DestinationStyleOpInterface,
    SingleBlockImplicitTerminator<"YieldOp">,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "one kernel: the program of one row, run for every row";
  let description = [{
    The body is the program of **one row**. Its arguments are what that program sees of
    each input, by the input's map:

    | map | operand | argument |
    |---|---|---|
    | `row` | [.., N], rows counted by the leading dimensions | `vector<N>` |
    | `column` | [N], the same for every row (a weight) | `vector<N>` |
    | `row_scalar` | [.., 1], one value a row | a scalar |
    | `scalar` | [1], the same for every row | a scalar |
    | `group_scalar` | [.., G], one value for each of a row's G groups | `vector<G>` |
    | `heads` | [.., H, L], a row in two dimensions | `vector<H·L>` |

    With `recurrence` the body is the program of **one token of one value head**, run for
    each sequence's tokens in order, and for each of the HV heads:

    | map | operand | argument |
    |---|---|---|
    | `key_row` | [.., H, K], of key head h / (HV/H) | `vector<K>` |
    | `value_row` | [.., HV, V] | `vector<V>` |
    | `value_scalar` | [.., HV, 1] | a scalar |
    | `head_scalar` | [.., HV] | a scalar |
    | `head` | [HV], the same for every token | a scalar |
    | `column`, `scalar` | as above | as above |
    | `slots`, `bounds`, `accepted` | indices, as gated_delta_rule has them | an i32 |
    | `state` | [slots, HV, V, K], a destination that is read, too | `vector<VxKxf32>` |

    The states' arguments come behind those of the inputs. What becomes of tokens without a
    valid slot, and which states are stored, gated_delta_rule says.

    What it yields is written to the destinations, row by row, in order. Rows are
    counted in row-major order of the leading dimensions, so operands of different
    rank (views of one another) may meet in one region. On tensors the op gives
    one result a destination; on memrefs it gives none.

    Nothing inside may depend on anything outside but the arguments: the body is
    isolated, and a bufferization never looks into it. How many threads share a row is
    the lowering's choice, and no choice changes a bit.

    Constraints:
    - (C1) there is a map for each input and for each destination, of the domain; a
      destination's is `row`, `heads`, `row_scalar` or `group_scalar`; in a recurrence
      `value_row`, `value_scalar`, `head_scalar` or `state`.
    - (C2) an operand's shape fits its map, and its last dimension is static; of `heads` the
      last two. The dimensions that a recurrence's maps name are static, but for slots, S
      and tokens.
    - (C3) the block's arguments are what the inputs' maps say, then what each state's does.
    - (C4) the yielded values are what the destinations' maps say.
    - (C5) operands mapped by row have the same number of rows, where it is static,
      and there is at least one destination.
    - (C6) all operands are tensors, or all are memrefs.
    - (C7) a recurrence has one state, one operand of slots, and at most one each of bounds and
      accepted; all its operands agree in HV, V, K and the static ones of their tokens, H
      divides HV, and bounds go with one dimension of tokens.

    Example:
    ```mlir
    %y = mortar.fused ins(%a = row %x, %w = column %weight
                          : tensor<?x4096xbf16>, tensor<4096xbf16>)
                      outs(row %empty : tensor<?x4096xbf16>) {
      %n = mortar.rms_norm %a weight(%w) epsilon(1.0e-6)
        : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
      mortar.yield %n : vector<4096xbf16>
    } -> tensor<?x4096xbf16>
    ```
  }];
  let arguments = (ins
    Variadic<Mortar_Operand>:$inputs, Variadic<Mortar_Operand>:$inits,
    DefaultValuedAttr<Mortar_IterationDomainAttr,
                      "::mortar::IterationDomain::Rows">:$domain,
    Mortar_RowMapArrayAttr:$input_maps, Mortar_RowMapArrayAttr:$init_maps,
    OptionalAttr<StrAttr>:$label);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitsMutable(); }

    ::mlir::Block *getBodyBlock() { return &getBody().front(); }
    ::mortar::RowMap getInputMap(unsigned i) {
      return ::llvm::cast<::mortar::RowMapAttr>(getInputMaps()[i]).getValue();
    }
    ::mortar::RowMap getInitMap(unsigned i) {
      return ::llvm::cast<::mortar::RowMapAttr>(getInitMaps()[i]).getValue();
    }
    /// The map of what stands behind an argument of the body.
    ::mortar::RowMap getArgumentMap(::mlir::BlockArgument argument) {
      unsigned i = argument.getArgNumber();
      return i < getInputs().size() ? getInputMap(i) : ::mortar::RowMap::State;
    }
    /// Of operand number `i`, an input or a destination.
    ::mortar::RowMap getOperandMap(unsigned i) {
      unsigned inputs = getInputs().size();
      return i < inputs ? getInputMap(i) : getInitMap(i - inputs);
    }
    /// The type that a row's program sees of an operand of type `type`, or null if
    /// the operand doesn't fit the map.
    static ::mlir::Type getRowType(::mlir::Type type, ::mortar::RowMap map);
    bool reducesRow();
    bool isRecurrence() {
      return getDomain() == ::mortar::IterationDomain::Recurrence;
    }
    /// The body's argument for destination `i`, which is mapped by state.
    ::mlir::BlockArgument getStateArgument(unsigned i);
  }];
  let builders = [
    OpBuilder<(ins "::mlir::ValueRange":$inputs,
                   "::llvm::ArrayRef<::mortar::RowMap>":$inputMaps,
                   "::mlir::ValueRange":$inits,
                   "::llvm::ArrayRef<::mortar::RowMap>":$initMaps,
                   CArg<"::mortar::IterationDomain",
                        "::mortar::IterationDomain::Rows">:$domain)>];
  let skipDefaultBuilders = 1;
}

def Mortar_YieldOp : Mortar_Op<"yield", [
    Pure, ReturnLike, Terminator, HasParent<"FusedOp">]> {
  let summary = "what a row's program gives to the destinations";
  let description = [{
    One value a destination of the enclosing `mortar.fused`, in their order.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins)>];
}

#endif // MORTAR_FUSED_OP_TD
