//===- Mortar.td - the dialect, one entry point -----------------*- tablegen -*-===//
//
// What Mortar is, in reading order.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_TD
#define MORTAR_TD

include "MortarBase.td"       // the dialect and its types: a tensor, or one row
include "MortarEnums.td"      // domains, operand maps, reduction kinds, halves
include "MortarInterfaces.td" // what fusion asks of an op
include "ResidualOps.td"
include "NormOps.td"
include "ActivationOps.td"
include "QuantOps.td"
include "DeltaRuleOps.td"
include "RowOps.td"           // the primitives that the ops above decompose to
include "StateOps.td"         // and those on a recurrence's state
include "FusedOp.td"          // one region = one kernel

#endif // MORTAR_TD
