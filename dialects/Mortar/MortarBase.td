//===- MortarBase.td - the dialect and its types ----------------*- tablegen -*-===//

#ifndef MORTAR_BASE_TD
#define MORTAR_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Mortar_Dialect : Dialect {
  let name = "mortar";
  let cppNamespace = "::mortar";
  let summary = "what lies between an LLM's matrix multiplications";
  let description = [{
    Mortar's ops compute on *rows*: the last dimension of a tensor. Outside a
    `mortar.fused` region an op takes tensors of any rank; inside one it takes
    the vector that is one row of each. Both forms mean the same.

    **Types are the rounding contract.** Inside an op every primitive is computed
    in f32 and rounds to f32. A value is rounded further exactly where a result
    type says so, or where an op's `inner` type does. Nothing else rounds, fused or
    not, so fusing changes no bit.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect", "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// Function argument: its content never changes between launches (a weight),
    /// so a kernel may fetch it before earlier kernels have finished.
    static constexpr ::llvm::StringLiteral constantAttr = "mortar.constant";
    /// Argument of a function on memrefs: written, never read.
    static constexpr ::llvm::StringLiteral outputAttr = "mortar.output";
    /// Argument of a function on memrefs: holds the result of this number.
    static constexpr ::llvm::StringLiteral resultAttr = "mortar.result";
  }];
}

class Mortar_Op<string mnemonic, list<Trait> traits = []>
    : Op<Mortar_Dialect, mnemonic, traits>;

/// The element types of values between ops.
def Mortar_Element : AnyTypeOf<[F32, F16, BF16], "f32, f16 or bf16">;

/// Rows: a ranked tensor whose last dimension is the row, or one row.
def Mortar_Rows : AnyTypeOf<
    [RankedTensorOf<[Mortar_Element], [HasRankGreaterOrEqualPred<1>]>,
     FixedVectorOfRankAndType<[1], [Mortar_Element]>],
    "a tensor of f32, f16 or bf16, or one row of it as a vector">;

/// Rows as quantizing makes them.
def Mortar_QuantizedRows : AnyTypeOf<
    [RankedTensorOf<[F8E4M3FN, I8], [HasRankGreaterOrEqualPred<1>]>,
     FixedVectorOfRankAndType<[1], [F8E4M3FN, I8]>],
    "a tensor of f8E4M3FN or i8, or one row of it as a vector">;

/// One value a row, or one for each of a row's groups; in a row's program a scalar or a
/// vector.
def Mortar_Scales : AnyTypeOf<
    [RankedTensorOf<[F32, F8E8M0FNU], [HasRankGreaterOrEqualPred<1>]>,
     FixedVectorOfRankAndType<[1], [F32, F8E8M0FNU]>, F32, F8E8M0FNU],
    "a tensor of f32 or f8E8M0FNU, or a row's part of it">;

/// One f32 for all rows; in a row's program a scalar.
def Mortar_TensorScalar : AnyTypeOf<
    [1DTensorOf<[F32]>, F32], "a tensor of one f32, or an f32 in a row's program">;

/// One row of any scalar that arith computes with.
def Mortar_Row : FixedVectorOfRankAndType<[1], [AnyFloat, AnySignlessInteger]>;

#endif // MORTAR_BASE_TD
