// A dialect that knows nothing of Mortar.

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Shop_Dialect : Dialect {
  let name = "shop";
  let cppNamespace = "::shop";
}

// A tensor; or one row, which is what Mortar's regions compute on.
def Shop_Values : AnyTypeOf<[TensorOf<[BF16, F32]>, VectorOfNonZeroRankOf<[BF16, F32]>]>;

def Shop_SquaredReluOp : Op<Shop_Dialect, "squared_relu",
    [Pure, SameOperandsAndResultType]> {
  let summary = "max(x, 0)^2, in f32, rounded once";
  let arguments = (ins Shop_Values:$input);
  let results = (outs Shop_Values:$result);
  let assemblyFormat = "$input attr-dict `:` type($result)";
}
