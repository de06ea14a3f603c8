//===- Passes.td - from tensors to one buffered region a kernel -*- tablegen -*-===//

#ifndef MORTAR_TRANSFORMS_PASSES_TD
#define MORTAR_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def CheckInputPass : Pass<"mortar-check-input", "::mlir::ModuleOp"> {
  let summary = "refuses legal IR that would bring MLIR's own passes down";
  let description = [{
    Begins every pipeline of Mortar's, so that a file from anywhere gives an error at
    the place and never a crash: ops within each other more than 256 deep, types of
    more than 2^47 bytes, types whose elements they may not have (bytecode can hold
    them), symbols without a name, ops whose operands have more types than they print. It
    changes nothing.
  }];
}

def FuseRowsPass : Pass<"mortar-fuse-rows", "::mlir::ModuleOp"> {
  let summary = "gathers row-wise neighbours into mortar.fused regions";
  let description = [{
    Saves the trip through memory between neighbours: what one op would store and the
    next would load stays in registers.

    Each op that implements FusionOpInterface becomes a region of its own; then, in
    program order, each region takes in the regions that it reads from, as long as
    the union is legal. Fusing changes no bit, since every rounding point stays
    where the types put it.

    Before:
    ```mlir
    %s = mortar.residual_add %x, %r : (...) -> tensor<?x4096xbf16>
    %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (...) -> tensor<?x4096xbf16>
    return %n, %s
    ```
    After:
    ```mlir
    %0:2 = mortar.fused ins(%a = row %x, %b = row %r, %c = column %w : ...)
                        outs(row %e0, row %e1 : ...) {
      %s = mortar.residual_add %a, %b : (...) -> vector<4096xbf16>
      %n = mortar.rms_norm %s weight(%c) epsilon(1.0e-6) : (...) -> vector<4096xbf16>
      mortar.yield %s, %n
    }
    ```

    Two regions join unless (the remark's name in brackets)
    - a value goes from one through something foreign into the other [convexity];
    - joining would carry an op with side effects past another [side-effects];
    - one is not read row by row by the other [not-by-row], or a row is reduced that is
      twice as wide as another in the region [wide-reduction], or one reads wide rows
      by halves and the other by pairs [halves-and-pairs], or groups of a length that is
      no power of two stand beside another reduction [odd-groups];
    - one's rows are heads of the other's, and it can't run on the longer rows [heads];
    - the dtype rule keeps a norm apart [dtype-rule]: all that was added to make its row
      must have its weight's type. `mixed-dtypes=fuse` lifts it, with the same bits;
    - what is alive of a row would exceed the registers [budget];
    - one is a recurrence, and the other can't be a part of it [recurrence]: its rows are
      neither those of heads nor, element by element, of all value heads, or somebody else
      reads its result, too, of tokens that no sequence may hold;
    - both are recurrences [domain];
    - they stand in different blocks [other-block].

    An op with an attribute that fusion doesn't know [unknown-attribute], with a dynamic
    or empty last dimension [dynamic-row], or on elements that rows don't hold
    [element-type] is left alone. Each refusal is one remark of category
    `mortar-fusion`, and so is each kernel made; they come in the order of the text.
    `--remarks-filter='mortar.*'` prints them, and with `--remark-format=yaml` and
    `--remarks-output-file` writes them to a file.
  }];
  let options = [
    Option<"mixedDtypes", "mixed-dtypes", "::mortar::MixedDtypes",
           /*default=*/"::mortar::MixedDtypes::Separate",
           "What becomes of a norm whose row was added up from other types than its "
           "weight's",
           [{::llvm::cl::values(
             clEnumValN(::mortar::MixedDtypes::Separate, "separate",
                        "it is a kernel of its own"),
             clEnumValN(::mortar::MixedDtypes::Fuse, "fuse",
                        "it joins its neighbours, with the same bits"))}]>,
    Option<"merge", "merge", "bool", /*default=*/"true",
           "Join regions; without it each op is a kernel of its own, which gives the "
           "same bits">,
    Option<"maxLiveBytes", "max-live-bytes", "int64_t", /*default=*/"131072",
           "The most bytes of one row's values alive at once in a region">];
  let dependentDialects = ["::mortar::MortarDialect", "::mlir::tensor::TensorDialect"];
}

def OutlineGapsPass : Pass<"mortar-outline-gaps", "::mlir::ModuleOp"> {
  let summary = "cuts functions at foreign ops into gaps";
  let description = [{
    A gap is what lies between foreign ops (matrix multiplications, attention, calls).
    Each gap that holds at least one `mortar.fused` becomes a function
    `@<function>_gap<i>`, and is called where it stood. A view that splits or joins rows
    ends a gap, too. Functions without either stay whole. A gap's argument whose value nobody reads afterwards is marked
    `bufferization.writable`, so that the gap may update it in place.
  }];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect",
    "::mlir::bufferization::BufferizationDialect"];
}

def AssignDestinationsPass : Pass<"mortar-assign-destinations", "::mlir::ModuleOp"> {
  let summary = "gives every result of a function a buffer from its caller";
  let description = [{
    Functions that hold `mortar.fused` take memrefs from here on: one for each argument,
    with any stride between rows, then one for each result, marked `mortar.output`. A
    result is written over an argument instead if that is marked
    `bufferization.writable`, has the result's type, is read by row and by nobody
    later: the residual stream is updated in place. The argument that holds result
    i carries `mortar.result = i`. For each function a second one, `@<name>.shapes`,
    computes the dynamic sizes of the `mortar.output` arguments from its inputs.

    Functions of other ops only are left alone.
  }];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect",
    "::mlir::memref::MemRefDialect", "::mlir::bufferization::BufferizationDialect"];
}

def DecomposePass : Pass<"mortar-decompose"> {
  let summary = "writes out what each op in a region means, in row primitives";
  let description = [{
    Runs every op's own decomposition (FusionOpInterface) inside `mortar.fused`
    regions. What is left is arith and math on vectors and `mortar.row_*`; anything
    else is an error. The region's label keeps the names of the ops it held.
  }];
}

#endif // MORTAR_TRANSFORMS_PASSES_TD
