//===- BuildId.cpp - Which build of Mortar this is ------------------------===//

#include "BuildId.h"

#include "llvm/ADT/StringExtras.h"

#include <elf.h>
#include <link.h>

using llvm::ArrayRef;
using llvm::StringRef;

/// The build id among the notes of a segment.
static std::string findBuildId(ArrayRef<uint8_t> notes) {
  auto padded = [](size_t bytes) { return (bytes + 3) & ~size_t(3); };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    const auto *header = reinterpret_cast<const ElfW(Nhdr) *>(notes.data());
    size_t nameBytes = padded(header->n_namesz), idBytes = padded(header->n_descsz);
    notes = notes.drop_front(sizeof(*header));
    if (nameBytes > notes.size() || idBytes > notes.size() - nameBytes)
      return "";
    if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4)
      return llvm::toHex(notes.slice(nameBytes, header->n_descsz), true);
    notes = notes.drop_front(nameBytes + idBytes);
  }
  return "";
}

/// Of the program or library that holds this function.
static int visit(dl_phdr_info *object, size_t, void *result) {
  auto here = reinterpret_cast<uintptr_t>(&visit);
  bool holdsThis = false;
  std::string id;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto &segment = object->dlpi_phdr[i];
    uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD)
      holdsThis |= here >= begin && here < begin + segment.p_memsz;
    else if (segment.p_type == PT_NOTE && id.empty())
      id = findBuildId({reinterpret_cast<const uint8_t *>(begin), segment.p_memsz});
  }
  if (holdsThis)
    *static_cast<std::string *>(result) = id;
  return holdsThis;
}

StringRef mortar::buildId() {
  static const std::string id = [] {
    std::string found;
    dl_iterate_phdr(visit, &found);
    return found;
  }();
  return id;
}
