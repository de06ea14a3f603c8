//===- BuildId.cpp - Which build of Mortar this is ------------------------===//

#include "BuildId.h"

#include "llvm-c/Core.h"
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

namespace {
/// A place in memory, and the build id of the program or library that holds it.
struct Holder {
  uintptr_t place;
  std::string id;
};
} // namespace

static int visit(dl_phdr_info *object, size_t, void *result) {
  auto &holder = *static_cast<Holder *>(result);
  bool holdsIt = false;
  std::string id;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto &segment = object->dlpi_phdr[i];
    uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD)
      holdsIt |= holder.place >= begin && holder.place < begin + segment.p_memsz;
    else if (segment.p_type == PT_NOTE && id.empty())
      id = findBuildId({reinterpret_cast<const uint8_t *>(begin), segment.p_memsz});
  }
  if (holdsIt)
    holder.id = id;
  return holdsIt;
}

static std::string findBuildIdAt(void (*function)()) {
  Holder holder{reinterpret_cast<uintptr_t>(function), ""};
  dl_iterate_phdr(visit, &holder);
  return holder.id;
}

StringRef mortar::buildId() {
  static const std::string id = findBuildIdAt([] {});
  return id;
}

StringRef mortar::llvmBuildId() {
  static const std::string id =
      findBuildIdAt(reinterpret_cast<void (*)()>(&LLVMGetVersion));
  return id;
}
