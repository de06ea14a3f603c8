//===- MachineCode.h - LLVM IR to a target's code ---------------*- C++ -*-===//
#ifndef MORTAR_LIB_TARGET_MACHINECODE_H
#define MORTAR_LIB_TARGET_MACHINECODE_H

#include "llvm/IR/Module.h"
#include "llvm/Passes/OptimizationLevel.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Target/TargetMachine.h"

#include <string>

namespace mortar {

/// Makes LLVM know this machine's target. May be called again, and from any thread.
void initializeHostTarget();

/// Optimizes `module` for `machine` and writes it as assembly or as an object file.
/// False if the machine has no such output.
bool emitMachineCode(llvm::Module &module, llvm::TargetMachine &machine,
                     llvm::OptimizationLevel level, llvm::CodeGenFileType kind,
                     std::string &code);

} // namespace mortar

#endif // MORTAR_LIB_TARGET_MACHINECODE_H
