//===- MortarEnums.td -------------------------------------------*- tablegen -*-===//

#ifndef MORTAR_ENUMS_TD
#define MORTAR_ENUMS_TD

include "MortarBase.td"

def Mortar_IterationDomain : I32EnumAttr<
    "IterationDomain", "what a region's program runs over",
    [I32EnumAttrCase<"Rows", 0, "rows">,
     I32EnumAttrCase<"Recurrence", 1, "recurrence">]> {
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_IterationDomainAttr
    : EnumAttr<Mortar_Dialect, Mortar_IterationDomain, "domain">;

def Mortar_RowMap : I32EnumAttr<
    "RowMap", "which part of an operand one row's program sees",
    [I32EnumAttrCase<"Row", 0, "row">,             // [.., N] -> vector<N>
     I32EnumAttrCase<"Column", 1, "column">,       // [N] -> vector<N>, every row the same
     I32EnumAttrCase<"RowScalar", 2, "row_scalar">,// [.., 1] -> a scalar of this row
     I32EnumAttrCase<"Scalar", 3, "scalar">,       // [1] -> a scalar, every row the same
     I32EnumAttrCase<"GroupScalar", 4, "group_scalar">, // [.., G] -> vector<G>, one
                                                   // value for each group of this row
     I32EnumAttrCase<"Heads", 5, "heads">,         // [.., H, L] -> vector<H·L>
     // In a recurrence, for one token of one value head:
     I32EnumAttrCase<"KeyRow", 6, "key_row">,      // [.., H, K] -> vector<K>, of the key
                                                   // head that this value head belongs to
     I32EnumAttrCase<"ValueRow", 7, "value_row">,  // [.., HV, V] -> vector<V>
     I32EnumAttrCase<"ValueScalar", 8, "value_scalar">, // [.., HV, 1] -> a scalar
     I32EnumAttrCase<"HeadScalar", 9, "head_scalar">,   // [.., HV] -> a scalar
     I32EnumAttrCase<"Head", 10, "head">,          // [HV] -> a scalar, of every token
     I32EnumAttrCase<"State", 11, "state">,        // [slots, HV, V, K] -> vector<VxKxf32>
     I32EnumAttrCase<"Slots", 12, "slots">,        // [S] or [S, N]: where states lie
     I32EnumAttrCase<"Bounds", 13, "bounds">,      // [S + 1]: where sequences begin
     I32EnumAttrCase<"Accepted", 14, "accepted">]> { // [S]: which state to begin with
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_RowMapAttr : EnumAttr<Mortar_Dialect, Mortar_RowMap, "map">;
def Mortar_RowMapArrayAttr
    : TypedArrayAttrBase<Mortar_RowMapAttr, "array of row maps">;

def Mortar_ReductionKind : I32EnumAttr<
    "ReductionKind", "how a row's values become one",
    [I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_ReductionKindAttr
    : EnumAttr<Mortar_Dialect, Mortar_ReductionKind, "reduction"> {
  let assemblyFormat = "`<` $value `>`";
}

def Mortar_StateAxis : I32EnumAttr<
    "StateAxis", "along what a row of a state's matrix runs",
    [I32EnumAttrCase<"Keys", 0, "keys">, I32EnumAttrCase<"Values", 1, "values">]> {
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_StateAxisAttr : EnumAttr<Mortar_Dialect, Mortar_StateAxis, "axis"> {
  let assemblyFormat = "`<` $value `>`";
}

def Mortar_RowHalf : I32EnumAttr<
    "RowHalf", "half of a row: consecutive elements, or every other one",
    [I32EnumAttrCase<"First", 0, "first">, I32EnumAttrCase<"Second", 1, "second">,
     I32EnumAttrCase<"Even", 2, "even">, I32EnumAttrCase<"Odd", 3, "odd">]> {
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_RowHalfAttr : EnumAttr<Mortar_Dialect, Mortar_RowHalf, "half"> {
  let assemblyFormat = "`<` $value `>`";
}

def Mortar_GateActivation : I32EnumAttr<
    "GateActivation", "what a gate is passed through",
    [I32EnumAttrCase<"Silu", 0, "silu">, I32EnumAttrCase<"Swish", 1, "swish">, // the same
     I32EnumAttrCase<"Sigmoid", 2, "sigmoid">]> {
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_GateActivationAttr
    : EnumAttr<Mortar_Dialect, Mortar_GateActivation, "activation"> {
  let assemblyFormat = "`(` $value `)`";
}

def Mortar_GeluApproximation : I32EnumAttr<
    "GeluApproximation", "what gelu takes for the normal distribution",
    [I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Tanh", 1, "tanh">]> {
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_GeluApproximationAttr
    : EnumAttr<Mortar_Dialect, Mortar_GeluApproximation, "approximation"> {
  let assemblyFormat = "`(` $value `)`";
}

def Mortar_GateLayout : I32EnumAttr<
    "GateLayout", "how gates and what they gate lie in a row",
    [I32EnumAttrCase<"Interleaved", 0, "interleaved">, // g0 u0 g1 u1 ..
     I32EnumAttrCase<"Halves", 1, "halves">]> {        // g0 g1 .. u0 u1 ..
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_GateLayoutAttr : EnumAttr<Mortar_Dialect, Mortar_GateLayout, "layout"> {
  let assemblyFormat = "`(` $value `)`";
}

#endif // MORTAR_ENUMS_TD
