# What find_package finds where another LLVM is installed.
set(LLVM_PACKAGE_VERSION 21.1.0)
