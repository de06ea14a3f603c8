// RUN: mortar-opt %s --mortar-fuse -verify-diagnostics
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps -verify-diagnostics

// A gap's function updates its pool in place. Who reads the old one beyond the gap, only the
// function around can tell.
func.func private @foreign(tensor<?x4x6xbf16>) -> tensor<?x4x6xbf16>
func.func @f(%q: tensor<?x2x8xf32>, %v: tensor<?x4x6xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>, tensor<?x4x6x8xf32>) {
  // expected-error @+1 {{expected the new state to take the place of the old one, but the old one is read afterwards}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  %f = call @foreign(%o) : (tensor<?x4x6xbf16>) -> tensor<?x4x6xbf16>
  %p, %newer = mortar.gated_delta_rule query(%q) key(%q) value(%f) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  return %p, %new, %newer : tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>, tensor<?x4x6x8xf32>
}
