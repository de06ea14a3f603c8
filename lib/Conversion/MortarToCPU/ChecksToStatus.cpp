//===- ChecksToStatus.cpp - failed checks are results ---------------------===//
//
//   func @f(...) { cf.assert %ok, "message"; ...; return }
// becomes
//   func @f(...) -> !llvm.ptr { cond_br %ok, ^go, ^fail; ^fail: return &"message" ... }
//
// and around it all, the floating-point control register is saved, set and restored.
//
//===----------------------------------------------------------------------===//

#include "mortar/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mortar {
#define GEN_PASS_DEF_CHECKSTOSTATUSPASS
#include "mortar/Conversion/Passes.h.inc"
} // namespace mortar

using namespace mlir;

namespace {

/// x86's MXCSR as a process has it by default: to nearest, subnormals kept, nothing
/// trapped.
constexpr int32_t defaultControl = 0x1f80;

struct ChecksToStatusPass
    : ::mortar::impl::ChecksToStatusPassBase<ChecksToStatusPass> {
  void runOnOperation() override {
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (func.isExternal())
        continue;
      if (func.getNumResults()) // a shapes function: it lives in the launch plan
        func.erase();
      else
        convert(func);
    }
  }

private:
  void convert(func::FuncOp func);
  Value addressOfMessage(ImplicitLocOpBuilder &b, StringRef text);

  unsigned nextMessage = 0;
};

} // namespace

Value ChecksToStatusPass::addressOfMessage(ImplicitLocOpBuilder &b, StringRef text) {
  std::string name = ("mortar_message_" + Twine(nextMessage++)).str();
  std::string terminated = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size());
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(getOperation().getBody());
    LLVM::GlobalOp::create(b, type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                           b.getStringAttr(terminated));
  }
  return LLVM::AddressOfOp::create(b, LLVM::LLVMPointerType::get(b.getContext()), name);
}

void ChecksToStatusPass::convert(func::FuncOp func) {
  ImplicitLocOpBuilder b(func.getLoc(), func.getContext());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto control = [&](StringRef intrinsic, Value at) {
    LLVM::CallIntrinsicOp::create(b, b.getStringAttr(intrinsic), ValueRange(at));
  };

  b.setInsertionPointToStart(&func.front());
  Value one = LLVM::ConstantOp::create(b, b.getI32Type(), 1);
  Value saved = LLVM::AllocaOp::create(b, pointer, b.getI32Type(), one);
  Value ours = LLVM::AllocaOp::create(b, pointer, b.getI32Type(), one);
  control("llvm.x86.sse.stmxcsr", saved);
  LLVM::StoreOp::create(b, LLVM::ConstantOp::create(b, b.getI32Type(), defaultControl),
                        ours);
  control("llvm.x86.sse.ldmxcsr", ours);

  // Temporaries go whichever way the function ends.
  SmallVector<Value> temporaries;
  auto leave = [&](Value status) {
    for (Value temporary : temporaries)
      memref::DeallocOp::create(b, temporary);
    control("llvm.x86.sse.ldmxcsr", saved);
    return status;
  };
  SmallVector<Operation *> inOrder;
  func.walk([&](Operation *op) {
    if (isa<memref::AllocOp, cf::AssertOp, func::ReturnOp>(op))
      inOrder.push_back(op);
  });
  for (Operation *op : inOrder) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      temporaries.push_back(alloc);
    } else if (auto check = dyn_cast<cf::AssertOp>(op)) {
      Block *block = check->getBlock();
      Block *rest = block->splitBlock(check->getNextNode());
      Block *fail = b.createBlock(rest->getParent(), rest->getParent()->end());
      Value message = addressOfMessage(b, check.getMsg());
      func::ReturnOp::create(b, leave(message));
      b.setInsertionPointToEnd(block);
      cf::CondBranchOp::create(b, check.getArg(), rest, fail);
      check.erase();
    } else {
      b.setInsertionPoint(op);
      op->setOperands(leave(LLVM::ZeroOp::create(b, pointer)));
    }
  }
  // What the attributes say of arguments is in the entry's declaration by now.
  func.removeArgAttrsAttr();
  func.setFunctionType(b.getFunctionType(func.getArgumentTypes(), {pointer}));
  func->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), b.getUnitAttr());
}
