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
     I32EnumAttrCase<"Scalar", 3, "scalar">]> {    // [1] -> a scalar, every row the same
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

def Mortar_RowHalf : I32EnumAttr<
    "RowHalf", "half of a row",
    [I32EnumAttrCase<"First", 0, "first">, I32EnumAttrCase<"Second", 1, "second">]> {
  let cppNamespace = "::mortar";
  let genSpecializedAttr = 0;
}
def Mortar_RowHalfAttr : EnumAttr<Mortar_Dialect, Mortar_RowHalf, "half"> {
  let assemblyFormat = "`<` $value `>`";
}

#endif // MORTAR_ENUMS_TD
