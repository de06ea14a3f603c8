// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @fused_c1_column_destination(%x: tensor<64xbf16>) {
  // expected-error @+1 {{'mortar.fused' op (C1) expected destination 0 to be mapped by row, heads, row_scalar or group_scalar, but found column}}
  mortar.fused ins(%a = row %x : tensor<64xbf16>) outs(column %x : tensor<64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<64xbf16>
  return
}

// -----

func.func @fused_c1_scalar_destination(%x: tensor<1xbf16>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by row, heads, row_scalar or group_scalar, but found scalar}}
  mortar.fused ins(%a = row %x : tensor<1xbf16>) outs(scalar %x : tensor<1xbf16>) {
    mortar.yield %a : vector<1xbf16>
  } -> tensor<1xbf16>
  return
}

// -----

func.func @fused_c1_number_of_maps(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C1) expected 1 input and 1 destination maps, but found 0 and 1}}
  %0 = "mortar.fused"(%x, %x) <{domain = #mortar<domain rows>, operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [], init_maps = [#mortar<map row>]}> ({
  ^bb0(%a: vector<64xbf16>):
    mortar.yield %a : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c1_number_of_destination_maps(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C1) expected 1 input and 1 destination maps, but found 1 and 2}}
  %0 = "mortar.fused"(%x, %x) <{domain = #mortar<domain rows>, operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [#mortar<map row>], init_maps = [#mortar<map row>, #mortar<map row>]}> ({
  ^bb0(%a: vector<64xbf16>):
    mortar.yield %a : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c2_input(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map column with a static last dimension, but found 'tensor<4x64xbf16>'}}
  %0 = "mortar.fused"(%x, %x) <{domain = #mortar<domain rows>, operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [#mortar<map column>], init_maps = [#mortar<map row>]}> ({
  ^bb0(%a: vector<64xbf16>):
    mortar.yield %a : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c2_destination(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map row_scalar with a static last dimension, but found 'tensor<4x64xbf16>'}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row_scalar %x : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c2_dynamic(%x: tensor<4x64xbf16>, %e: tensor<4x?xbf16>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map row with a static last dimension, but found 'tensor<4x?xbf16>'}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x?xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x?xbf16>
  return
}

// -----

func.func @fused_c3_number(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C3) expected 1 block arguments, but found 0}}
  %0 = "mortar.fused"(%x, %x) <{domain = #mortar<domain rows>, operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [#mortar<map row>], init_maps = [#mortar<map row>]}> ({
    %a = arith.constant dense<0.0> : vector<64xbf16>
    mortar.yield %a : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c3_type(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C3) expected block argument 0 to be 'vector<64xbf16>', but found 'vector<64xf32>'}}
  %0 = "mortar.fused"(%x, %x) <{domain = #mortar<domain rows>, operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [#mortar<map row>], init_maps = [#mortar<map row>]}> ({
  ^bb0(%a: vector<64xf32>):
    %b = arith.truncf %a : vector<64xf32> to vector<64xbf16>
    mortar.yield %b : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c4_number(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C4) expected 1 yielded values, but found 2}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %x : tensor<4x64xbf16>) {
    mortar.yield %a, %a : vector<64xbf16>, vector<64xbf16>
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c4_no_yield(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C4) expected 1 yielded values, but found 0}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %x : tensor<4x64xbf16>) {
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c4_type(%x: tensor<4x64xbf16>, %e: tensor<4x64xf32>) {
  // expected-error @+1 {{(C4) expected yielded value 0 to be 'vector<64xf32>', but found 'vector<64xbf16>'}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xf32>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xf32>
  return
}

// -----

func.func @fused_c5_input(%x: tensor<4x64xbf16>, %y: tensor<2x3x64xbf16>) {
  // expected-error @+1 {{(C5) expected input 1 to have 4 rows, but found 6 in 'tensor<2x3x64xbf16>'}}
  mortar.fused ins(%a = row %x, %b = row %y : tensor<4x64xbf16>, tensor<2x3x64xbf16>)
               outs(row %x : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_c5_destination(%x: tensor<4x64xbf16>, %y: tensor<5x1xbf16>) {
  // expected-error @+1 {{(C5) expected destination 1 to have 4 rows, but found 5 in 'tensor<5x1xbf16>'}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %x, row_scalar %y : tensor<4x64xbf16>, tensor<5x1xbf16>) {
    %c = arith.constant 1.0 : bf16
    mortar.yield %a, %c : vector<64xbf16>, bf16
  } -> (tensor<4x64xbf16>, tensor<5x1xbf16>)
  return
}

// -----

func.func @fused_c5_no_destination(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C5) expected at least one destination, but found none}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) {
  }
  return
}

// -----

func.func @fused_c6(%x: tensor<4x64xbf16>, %y: memref<4x64xbf16>) {
  // expected-error @+1 {{(C6) expected all operands to be tensors, or all memrefs, but found both}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %y : memref<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  }
  return
}

// -----

// What any destination-style op asks.
func.func @fused_result_type(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{'mortar.fused' op expected type of operand #1 ('tensor<4x64xbf16>') to match type of corresponding result ('tensor<5x64xbf16>')}}
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %x : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<5x64xbf16>
  return
}

// -----

func.func @fused_no_maps(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{'mortar.fused' op requires attribute 'init_maps'}}
  %0 = "mortar.fused"(%x, %x) <{operandSegmentSizes = array<i32: 1, 1>}> ({
  ^bb0(%a: vector<64xbf16>):
    mortar.yield %a : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_not_a_map(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{attribute 'input_maps' failed to satisfy constraint: array of row maps}}
  %0 = "mortar.fused"(%x, %x) <{operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [0], init_maps = [#mortar<map row>]}> ({
  ^bb0(%a: vector<64xbf16>):
    mortar.yield %a : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_unranked(%x: tensor<*xbf16>, %y: tensor<4x64xbf16>) {
  // expected-error @+1 {{operand #0 must be variadic of}}
  %0 = "mortar.fused"(%x, %y) <{operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [#mortar<map row>], init_maps = [#mortar<map row>]}> ({
  ^bb0(%a: vector<64xbf16>):
    mortar.yield %a : vector<64xbf16>
  }) : (tensor<*xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_two_blocks(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{expects region #0 to have 0 or 1 blocks}}
  %0 = "mortar.fused"(%x, %x) <{operandSegmentSizes = array<i32: 1, 1>,
      input_maps = [#mortar<map row>], init_maps = [#mortar<map row>]}> ({
  ^bb0(%a: vector<64xbf16>):
    mortar.yield %a : vector<64xbf16>
  ^bb1(%b: vector<64xbf16>):
    mortar.yield %b : vector<64xbf16>
  }) : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @fused_element_type(%x: tensor<?x64xindex>, %e: tensor<?x64xindex>) -> tensor<?x64xindex> {
  // expected-error @+1 {{of floats or signless integers}}
  %0 = mortar.fused ins(%a = row %x : tensor<?x64xindex>) outs(row %e : tensor<?x64xindex>) {
    mortar.yield %a : vector<64xindex>
  } -> tensor<?x64xindex>
  return %0 : tensor<?x64xindex>
}

// -----

func.func @fused_c2_group_scalar(%x: tensor<4x64xf32>, %s: tensor<4x?xf32>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map group_scalar with a static last dimension, but found 'tensor<4x?xf32>'}}
  mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(group_scalar %s : tensor<4x?xf32>) {
    %m = mortar.row_reduce <max> %a : vector<64xf32> -> vector<8xf32>
    mortar.yield %m : vector<8xf32>
  } -> tensor<4x?xf32>
  return
}

// -----

func.func @fused_c4_group_scalar(%x: tensor<4x64xf32>, %s: tensor<4x8xf32>) {
  // expected-error @+1 {{(C4) expected yielded value 0 to be 'vector<8xf32>', but found 'f32'}}
  mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(group_scalar %s : tensor<4x8xf32>) {
    %m = mortar.row_reduce <max> %a : vector<64xf32> -> f32
    mortar.yield %m : f32
  } -> tensor<4x8xf32>
  return
}

// -----

func.func @fused_c5_group_scalar(%x: tensor<4x64xf32>, %s: tensor<5x8xf32>) {
  // expected-error @+1 {{(C5) expected destination 0 to have 4 rows, but found 5 in 'tensor<5x8xf32>'}}
  mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(group_scalar %s : tensor<5x8xf32>) {
    %m = mortar.row_reduce <max> %a : vector<64xf32> -> vector<8xf32>
    mortar.yield %m : vector<8xf32>
  } -> tensor<5x8xf32>
  return
}

// -----

func.func @fused_c2_heads(%x: tensor<4x?x32xf32>, %e: tensor<4x128xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map heads with a static last dimension, but found 'tensor<4x?x32xf32>'}}
  %y = mortar.fused ins(%a = heads %x : tensor<4x?x32xf32>) outs(row %e : tensor<4x128xf32>) {
    mortar.yield %a : vector<128xf32>
  } -> tensor<4x128xf32>
  return
}

// -----

func.func @fused_c5_heads(%x: tensor<3x4x32xf32>, %e: tensor<4x128xf32>) {
  // expected-error @+1 {{(C5) expected destination 0 to have 3 rows, but found 4 in 'tensor<4x128xf32>'}}
  %y = mortar.fused ins(%a = heads %x : tensor<3x4x32xf32>) outs(row %e : tensor<4x128xf32>) {
    mortar.yield %a : vector<128xf32>
  } -> tensor<4x128xf32>
  return
}
