//===- Npy.h - NumPy's file format ------------------------------*- C++ -*-===//
//
// Versions 1 to 3, little endian, C order. Element types that NumPy lacks are kept as
// their bits: bf16 as uint16, fp8 as uint8.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_EXECUTION_NPY_H
#define MORTAR_EXECUTION_NPY_H

#include "mortar/Execution/Tensors.h"

namespace mortar::execution {

/// Reads a file that holds a tensor of this type and shape (-1: any extent). An error is
/// one line that begins with the path.
Expected<Tensor> readNpy(const std::string &path, ElementType type,
                         const std::vector<int64_t> &shape);

/// The file's bytes.
std::string toNpy(const Tensor &tensor);

} // namespace mortar::execution

#endif // MORTAR_EXECUTION_NPY_H
