# Tools that need no LLVM library on the machine where they run: LLVM's own archives take
# the place of libLLVM.so in what every MLIR library links. For carrying a tool to another
# machine; the usual build links libLLVM.so.
set(LLVM_LINK_LLVM_DYLIB OFF)
llvm_map_components_to_libnames(archives
  Support Core NVPTXCodeGen NVPTXDesc NVPTXInfo X86CodeGen X86AsmParser X86Desc X86Info
  Passes Linker BitReader BitWriter IRReader AsmParser Target TargetParser MC Remarks
  Analysis TransformUtils FrontendOpenMP OrcJIT ExecutionEngine JITLink RuntimeDyld
  OrcTargetProcess PerfJITEvents)
add_library(mortar-static-llvm INTERFACE)
target_link_libraries(mortar-static-llvm INTERFACE ${archives})
target_link_options(mortar-static-llvm INTERFACE
  -Wl,--as-needed -Wl,--exclude-libs,ALL -Wl,--icf=safe -Wl,--gc-sections -Wl,-s
  -static-libstdc++ -static-libgcc)
get_property(libraries GLOBAL PROPERTY MLIR_ALL_LIBS)
foreach(library IN LISTS libraries)
  if(TARGET ${library})
    get_target_property(links ${library} INTERFACE_LINK_LIBRARIES)
    if(links)
      list(TRANSFORM links REPLACE "^LLVM$" mortar-static-llvm)
      list(REMOVE_ITEM links MLIR)
      set_target_properties(${library} PROPERTIES INTERFACE_LINK_LIBRARIES "${links}")
    endif()
  endif()
endforeach()
