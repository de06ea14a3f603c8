// RUN: mortar-lsp-server -lit-test < %s | FileCheck %s
{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":123,"rootPath":"mlir","capabilities":{},"trace":"off"}}
// -----
{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"test:///norm.mlir","languageId":"mlir","version":1,"text":"func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {\n  %0 = mortar.rms_norm %x epsilon(0.0) : (tensor<?x8xf32>) -> tensor<?x8xf32>\n  return %0 : tensor<?x8xf32>\n}"}}}
// CHECK: "method": "textDocument/publishDiagnostics"
// CHECK: (C2) expected a finite epsilon greater than 0
// -----
{"jsonrpc":"2.0","id":3,"method":"shutdown"}
// -----
{"jsonrpc":"2.0","method":"exit"}
