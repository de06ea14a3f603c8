// RUN: mortar-opt %s --mortar-assign-destinations -split-input-file -verify-diagnostics

// expected-error @+1 {{expected argument 1 of 'not_a_tensor' to be a ranked tensor, but found 'index'}}
func.func @not_a_tensor(%x: tensor<4x64xbf16>, %n: index) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

func.func private @foreign(tensor<4x64xbf16>)
func.func @calls(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  // expected-error @+1 {{expected 'calls' to hold mortar.fused regions only, but found a foreign op; run mortar-outline-gaps first}}
  call @foreign(%0) : (tensor<4x64xbf16>) -> ()
  return %0 : tensor<4x64xbf16>
}

// -----

func.func @computes(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  // expected-error @+1 {{expected 'computes' to hold mortar.fused regions only, but found a foreign op; run mortar-outline-gaps first}}
  %s = arith.addf %x, %x : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %s : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

func.func @loops(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected 'loops' to hold mortar.fused regions only, but found a foreign op; run mortar-outline-gaps first}}
  %y = scf.for %i = %c0 to %c1 step %c1 iter_args(%z = %x) -> tensor<4x64xbf16> {
    %e = tensor.empty() : tensor<4x64xbf16>
    %0 = mortar.fused ins(%a = row %z : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
      mortar.yield %a : vector<64xbf16>
    } -> tensor<4x64xbf16>
    scf.yield %0 : tensor<4x64xbf16>
  }
  return %y : tensor<4x64xbf16>
}

// -----

// expected-error @+1 {{expected 'branches' to be one block, but found 2}}
func.func @branches(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  cf.br ^bb1
^bb1:
  return %0 : tensor<4x64xbf16>
}

// -----

// expected-error @+1 {{expected result 0 of 'returns_a_view' to be made by a mortar.fused region, but it is made by tensor.expand_shape}}
func.func @returns_a_view(%x: tensor<4x64xbf16>) -> tensor<4x2x2x16xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %v = tensor.expand_shape %0 [[0], [1, 2, 3]] output_shape [4, 2, 2, 16] : tensor<4x64xbf16> into tensor<4x2x2x16xbf16>
  return %v : tensor<4x2x2x16xbf16>
}

// -----

func.func @own_destination(%x: tensor<4x64xbf16>, %d: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{expected the destination of a returned result to be a tensor.empty, but found another tensor}}
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %d : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

// The first dimension of a view is not that of what it is a view of.
func.func @size_of_a_view(%x: tensor<?x2x64xbf16>) -> tensor<?x64xbf16> {
  %c0 = arith.constant 0 : index
  %v = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x2x64xbf16> into tensor<?x64xbf16>
  %n = tensor.dim %v, %c0 : tensor<?x64xbf16>
  // expected-error @+1 {{expected the result's size to be computed from the arguments' sizes alone, but found another op}}
  %e = tensor.empty(%n) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<?x2x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  return %0 : tensor<?x64xbf16>
}

// -----

// expected-error @+1 {{expected 'called', whose arguments become memrefs, not to be called in the module, but found func.call}}
func.func @called(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}
func.func @caller(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %0 = call @called(%x) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

func.func private @taken.shapes()
// expected-error @+1 {{expected the name 'taken.shapes' to be free for the results' sizes, but found a symbol of that name}}
func.func @taken(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

// The size of a dimension that isn't there is legal IR as long as nobody asks for it.
func.func @no_such_dimension(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %c7 = arith.constant 7 : index
  %d = tensor.dim %x, %c7 : tensor<?x64xbf16>
  // expected-error @+1 {{expected the result's size to be computed from the arguments' sizes alone, but found another op}}
  %e = tensor.empty(%d) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  return %0 : tensor<?x64xbf16>
}
