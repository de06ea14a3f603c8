// RUN: mortar-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected "mortar.constant" of argument 0 to be a unit attribute, but found true}}
func.func @constant_not_unit(%x: tensor<4xf32> {mortar.constant = true}) {
  return
}

// -----

// expected-error @+1 {{expected "mortar.output" of argument 1 to be a unit attribute, but found 1 : i64}}
func.func @output_not_unit(%x: memref<4xf32>, %y: memref<4xf32> {mortar.output = 1}) {
  return
}

// -----

// expected-error @+1 {{expected "mortar.result" of argument 0 to be an integer, but found unit}}
func.func @result_not_integer(%x: memref<4xf32> {mortar.result}) {
  return
}

// -----

// expected-error @+1 {{expected "mortar.constant" on a function's argument, but found it on an operation}}
func.func @on_an_operation() attributes {mortar.constant} {
  return
}
