# LLVM's own archives in the place of libLLVM.so: always for libmortar, which carries all
# that it needs; with MORTAR_STATIC_LLVM for every tool, so that one can be carried to
# another machine.
llvm_map_components_to_libnames(MORTAR_LLVM_ARCHIVES
  Support Core NVPTXCodeGen NVPTXDesc NVPTXInfo X86CodeGen X86AsmParser X86Desc X86Info
  Passes Linker BitReader BitWriter IRReader AsmParser Target TargetParser MC Remarks
  Analysis TransformUtils FrontendOpenMP OrcJIT ExecutionEngine JITLink RuntimeDyld
  OrcTargetProcess PerfJITEvents)

# The archives of `roots` and of all that they link, LLVM's among them, as paths.
function(mortar_find_archives out)
  set(todo ${ARGN} ${MORTAR_LLVM_ARCHIVES})
  set(done "")
  set(files "")
  while(todo)
    list(POP_FRONT todo library)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" library "${library}")
    if(library IN_LIST done OR NOT TARGET "${library}")
      continue()
    endif()
    list(APPEND done ${library})
    get_target_property(type ${library} TYPE)
    if(NOT type MATCHES "^(STATIC|INTERFACE)_LIBRARY$")
      continue() # libLLVM.so, whose place LLVM's archives take
    endif()
    if(type STREQUAL STATIC_LIBRARY)
      list(APPEND files $<TARGET_FILE:${library}>)
    endif()
    get_target_property(links ${library} INTERFACE_LINK_LIBRARIES)
    if(links)
      list(APPEND todo ${links})
    endif()
  endwhile()
  set(${out} ${files} PARENT_SCOPE)
endfunction()

if(MORTAR_STATIC_LLVM)
  set(LLVM_LINK_LLVM_DYLIB OFF)
  add_library(mortar-static-llvm INTERFACE)
  target_link_libraries(mortar-static-llvm INTERFACE ${MORTAR_LLVM_ARCHIVES})
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
endif()
