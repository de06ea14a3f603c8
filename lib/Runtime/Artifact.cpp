//===- Artifact.cpp - Writing and reading the file ------------------------===//

#include "mortar/Runtime/Artifact.h"

#include "Bytes.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mortar::runtime {

namespace {

constexpr std::string_view magic("MORTAR\0\1", 8);
constexpr size_t headerBytes = 32;
constexpr size_t checksumOffset = 24; // of 8 bytes; all before is summed too

/// FNV-1a: each step is a bijection of the state, so that no single changed
/// byte goes unseen.
uint64_t checksum(const void *data, size_t size,
                  uint64_t state = 0xcbf29ce484222325u) {
  const auto *bytes = static_cast<const unsigned char *>(data);
  for (size_t index = 0; index < size; ++index)
    state = (state ^ bytes[index]) * 0x100000001b3u;
  return state;
}

//===----------------------------------------------------------------------===//
// The fields of each struct, for Writer and Reader alike
//===----------------------------------------------------------------------===//

template <typename Bytes, typename... Numbers>
void numbers(Bytes &bytes, Numbers &...values) {
  (bytes.number(values), ...);
}
template <typename Bytes>
void indices(Bytes &bytes, std::vector<uint32_t> &values) {
  bytes.list(values, sizeof(uint32_t),
             [](Bytes &each, uint32_t &value) { each.number(value); });
}

template <typename Bytes> void fields(Bytes &bytes, Const &op) {
  numbers(bytes, op.result, op.value);
}
template <typename Bytes> void fields(Bytes &bytes, ArgPointer &op) {
  numbers(bytes, op.result, op.arg);
}
template <typename Bytes> void fields(Bytes &bytes, ArgDim &op) {
  numbers(bytes, op.result, op.arg, op.dim);
}
template <typename Bytes> void fields(Bytes &bytes, ArgStride &op) {
  numbers(bytes, op.result, op.arg, op.dim);
}
template <typename Bytes> void fields(Bytes &bytes, Binary &op) {
  numbers(bytes, op.op, op.result, op.lhs, op.rhs);
}
template <typename Bytes> void fields(Bytes &bytes, Select &op) {
  numbers(bytes, op.result, op.condition, op.onTrue, op.onFalse);
}
template <typename Bytes> void fields(Bytes &bytes, If &op) {
  numbers(bytes, op.condition, op.thenCount, op.elseCount);
}
template <typename Bytes> void fields(Bytes &bytes, Check &op) {
  bytes.number(op.condition);
  bytes.text(op.message);
}
template <typename Bytes> void fields(Bytes &bytes, Workspace &op) {
  numbers(bytes, op.result, op.bytes);
}
template <typename Bytes> void fields(Bytes &bytes, Launch &op) {
  numbers(bytes, op.kernel, op.grid[0], op.grid[1], op.grid[2], op.block[0],
          op.block[1], op.block[2], op.dynamicSharedBytes);
  indices(bytes, op.params);
}

void fields(Writer &bytes, Instruction &instruction) {
  bytes.number<uint8_t>(instruction.index());
  std::visit([&](auto &op) { fields(bytes, op); }, instruction);
}

/// Makes the instruction the alternative of that number.
template <size_t... Index>
bool become(Instruction &instruction, size_t opcode,
            std::index_sequence<Index...>) {
  return ((opcode == Index && (instruction.emplace<Index>(), true)) || ...);
}
void fields(Reader &bytes, Instruction &instruction) {
  constexpr size_t numOpcodes = std::variant_size_v<Instruction>;
  uint8_t opcode = 0;
  bytes.number(opcode);
  if (!become(instruction, opcode, std::make_index_sequence<numOpcodes>()))
    return bytes.fail("expected an opcode below ", numOpcodes, ", found ",
                      uint32_t(opcode));
  std::visit([&](auto &op) { fields(bytes, op); }, instruction);
}

template <typename Bytes> void fields(Bytes &bytes, Argument &arg);
template <typename Bytes> void fields(Bytes &bytes, Result &result);
template <typename Bytes> void fields(Bytes &bytes, Entry &entry);
template <typename Bytes> void fields(Bytes &bytes, Kernel &kernel);
template <typename Bytes> void fields(Bytes &bytes, CodeImage &image);

/// A list whose elements have fields; `bytesEach` as in Reader::list.
template <typename Bytes, typename T>
void list(Bytes &bytes, std::vector<T> &values, size_t bytesEach) {
  bytes.list(values, bytesEach,
             [](Bytes &each, T &value) { fields(each, value); });
}

template <typename Bytes> void fields(Bytes &bytes, Program &program) {
  bytes.number(program.numRegisters);
  list(bytes, program.code, 9);
  indices(bytes, program.outputs);
}
template <typename Bytes> void fields(Bytes &bytes, Argument &arg) {
  bytes.text(arg.name);
  bytes.number(arg.type);
  bytes.list(arg.shape, sizeof(int64_t),
             [](Bytes &each, int64_t &extent) { each.number(extent); });
  bytes.number(arg.role);
  bytes.flag(arg.constant);
  bytes.flag(arg.strided);
}
template <typename Bytes> void fields(Bytes &bytes, Result &result) {
  bytes.number(result.argument);
}
template <typename Bytes> void fields(Bytes &bytes, Entry &entry) {
  bytes.text(entry.name);
  list(bytes, entry.args, 19);
  list(bytes, entry.results, 4);
  fields(bytes, entry.body);
  fields(bytes, entry.shapes);
}
template <typename Bytes> void fields(Bytes &bytes, Kernel &kernel) {
  bytes.text(kernel.name);
  numbers(bytes, kernel.maxThreads, kernel.staticSharedBytes);
  bytes.flag(kernel.programmaticLaunch);
  bytes.flag(kernel.onDemand);
}
template <typename Bytes> void fields(Bytes &bytes, CodeImage &image) {
  bytes.text(image.chip);
  bytes.number(image.kind);
  bytes.text(image.bytes);
  indices(bytes, image.kernels);
}

template <typename Bytes> void sections(Bytes &bytes, Artifact &artifact) {
  bytes.section("PROD", [&](Bytes &inner) { inner.text(artifact.producer); });
  bytes.section("RMRK",
                [&](Bytes &inner) { inner.text(artifact.remarksJson); });
  // The numbers: what each takes when its strings and lists are empty.
  bytes.section("IMGS",
                [&](Bytes &inner) { list(inner, artifact.images, 21); });
  bytes.section("KRNL",
                [&](Bytes &inner) { list(inner, artifact.kernels, 18); });
  bytes.section("ENTR",
                [&](Bytes &inner) { list(inner, artifact.entries, 40); });
}

struct Header {
  uint32_t numericsVersion;
  uint64_t payloadBytes;
  uint64_t checksum;
};

Expected<Header> readHeader(const void *data, size_t size) {
  if (size < headerBytes)
    return Status::error("expected at least ", headerBytes, " bytes, found ",
                         size);
  if (std::memcmp(data, magic.data(), magic.size()) != 0)
    return Status::error("expected a Mortar artifact, found other bytes");
  Reader from(static_cast<const char *>(data) + magic.size(),
              headerBytes - magic.size(), magic.size());
  uint32_t version = 0;
  from.number(version);
  if (version != artifactFormatVersion)
    return Status::error("expected artifact format version ",
                         artifactFormatVersion, ", found ", version);
  Header header;
  numbers(from, header.numericsVersion, header.payloadBytes, header.checksum);
  return header;
}

uint64_t fileChecksum(const char *file, size_t payloadBytes) {
  uint64_t head = checksum(file + magic.size(), checksumOffset - magic.size());
  return checksum(file + headerBytes, payloadBytes, head);
}

} // namespace

std::string serialize(const Artifact &artifact) {
  // A writer only looks; that fields are not const is for the reader.
  Writer payload;
  sections(payload, const_cast<Artifact &>(artifact));

  Writer file;
  file.bytes = magic;
  file.number(artifactFormatVersion);
  file.number(artifact.numericsVersion);
  file.number<uint64_t>(payload.bytes.size());
  file.number<uint64_t>(0); // the checksum's place
  file.bytes += payload.bytes;
  Writer sum;
  sum.number(fileChecksum(file.bytes.data(), payload.bytes.size()));
  file.bytes.replace(checksumOffset, sum.bytes.size(), sum.bytes);
  return std::move(file.bytes);
}

Expected<Artifact> parseArtifact(const void *data, size_t size) {
  if (!data)
    return Status::error("expected the bytes of an artifact, found null");
  Expected<Header> header = readHeader(data, size);
  if (!header)
    return header.status();
  if (header->payloadBytes != size - headerBytes)
    return Status::error("expected a payload of ", header->payloadBytes,
                         " bytes, found ", size - headerBytes);
  const char *file = static_cast<const char *>(data);
  if (fileChecksum(file, size - headerBytes) != header->checksum)
    return Status::error("checksum mismatch: the artifact is damaged");

  Artifact artifact;
  artifact.numericsVersion = header->numericsVersion;
  Reader payload(file + headerBytes, size - headerBytes, headerBytes);
  sections(payload, artifact);
  payload.expectEnd();
  if (!payload.ok())
    return payload.status();
  if (Status status = validateArtifact(artifact); !status.ok())
    return status;
  return artifact;
}

Expected<Artifact> readArtifactFile(const std::string &path) {
  FILE *file = std::fopen(path.c_str(), "rb");
  if (!file)
    return Status::error(path, ": cannot open: ", std::strerror(errno));

  // The header first: a foreign file, perhaps endless, isn't read on. Then in
  // steps, since the size that the header gives may be far from the truth.
  std::string bytes(headerBytes, '\0');
  bytes.resize(std::fread(bytes.data(), 1, headerBytes, file));
  Status problem;
  if (std::ferror(file)) {
    problem = Status::error("cannot read: ", std::strerror(errno));
  } else if (Expected<Header> header = readHeader(bytes.data(), bytes.size());
             !header) {
    problem = header.status();
  } else {
    // One byte more than is wanted, to notice that there is more.
    constexpr uint64_t step = 1 << 20;
    uint64_t wanted = header->payloadBytes;
    wanted += wanted < UINT64_MAX;
    while (wanted) {
      size_t size = bytes.size(), part = wanted < step ? wanted : step;
      bytes.resize(size + part);
      size_t got = std::fread(&bytes[size], 1, part, file);
      bytes.resize(size + got);
      wanted -= got;
      if (got < part)
        break;
    }
    if (std::ferror(file))
      problem = Status::error("cannot read: ", std::strerror(errno));
  }
  std::fclose(file);

  if (!problem.ok())
    return problem.in(path);
  Expected<Artifact> artifact = parseArtifact(bytes.data(), bytes.size());
  if (!artifact)
    return artifact.status().in(path);
  return artifact;
}

} // namespace mortar::runtime
