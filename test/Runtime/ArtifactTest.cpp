//===- ArtifactTest.cpp - Round trips, and what damage does ---------------===//

#include "Samples.h"

#include <cstdio>
#include <cstring>
#include <random>

using namespace mortar::runtime;
using namespace mortar::runtime::test;

namespace {

Expected<Artifact> parse(const std::string &bytes) {
  // An exact copy on the heap, so that a sanitizer sees a read past its end.
  std::unique_ptr<char[]> copy(new char[bytes.size()]);
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  return parseArtifact(copy.get(), bytes.size());
}

/// Makes the checksum right again, so that what is behind it is reached. (The
/// format's own words: FNV-1a of everything but the magic and the checksum.)
void fixChecksum(std::string &bytes) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (size_t index = 8; index < bytes.size(); ++index)
    if (index < 24 || index >= 32)
      sum = (sum ^ uint8_t(bytes[index])) * 0x100000001b3u;
  for (int byte = 0; byte < 8; ++byte)
    bytes[24 + byte] = char(sum >> (8 * byte));
}

/// The same for the payload's size.
void fixSize(std::string &bytes) {
  for (int byte = 0; byte < 8; ++byte)
    bytes[16 + byte] = char((bytes.size() - 32) >> (8 * byte));
}

/// Whatever was read is used in every way: that must be safe.
void useAll(const Artifact &artifact) {
  for (size_t entry = 0; entry < artifact.entries.size(); ++entry) {
    std::vector<std::vector<int64_t>> shapes;
    std::vector<TensorArg> args;
    for (const Argument &declared : artifact.entries[entry].args) {
      shapes.push_back(declared.shape);
      for (int64_t &extent : shapes.back())
        extent = extent < 0 ? 3 : extent;
      TensorArg arg;
      arg.data = reinterpret_cast<void *>(0x1000);
      arg.rank = declared.shape.size();
      arg.type = declared.type;
      args.push_back(arg);
    }
    for (size_t index = 0; index < args.size(); ++index)
      args[index].shape = shapes[index].data();
    Recorder recorder;
    (void)resultShapes(artifact, entry, args);
    (void)workspaceBytes(artifact, entry, args);
    (void)runEntry(artifact, entry, args, reinterpret_cast<void *>(0x10000),
                   1 << 20, recorder, nullptr);
    for (const Recorder::Record &record : recorder.records)
      EXPECT_LT(record.index, artifact.kernels.size());
  }
  for (const CodeImage &image : artifact.images)
    (void)checkImage(image);
  (void)chooseImage(artifact.images, 0, 9, 0);
}

TEST(Artifact, RoundTrip) {
  Artifact before = makeArtifact();
  before.kernels[0].onDemand = true;
  before.images[1].kernels = {0, 1};
  std::string bytes = serialize(before);
  Expected<Artifact> after = parse(bytes);
  ASSERT_TRUE(after.ok()) << after.message();
  EXPECT_EQ(serialize(*after), bytes);

  EXPECT_EQ(after->numericsVersion, 7u);
  EXPECT_EQ(after->producer, "samples");
  EXPECT_EQ(after->remarksJson, "[{\"remark\": 1}]");
  ASSERT_EQ(after->images.size(), 2u);
  EXPECT_EQ(after->images[1].chip, "sm_90a");
  EXPECT_EQ(after->images[1].kind, CodeImage::Cubin);
  EXPECT_EQ(after->images[1].bytes, std::string("\x7f\0E", 3));
  ASSERT_EQ(after->kernels.size(), 2u);
  EXPECT_EQ(after->kernels[1].name, "rms_norm_wide");
  EXPECT_EQ(after->kernels[1].maxThreads, 64u);
  EXPECT_EQ(after->kernels[1].staticSharedBytes, 128u);
  EXPECT_TRUE(after->kernels[1].programmaticLaunch);
  EXPECT_TRUE(after->kernels[0].onDemand);
  EXPECT_FALSE(after->kernels[1].onDemand);
  EXPECT_EQ(after->images[0].kernels, std::vector<uint32_t>());
  EXPECT_EQ(after->images[1].kernels, (std::vector<uint32_t>{0, 1}));
  ASSERT_EQ(after->entries.size(), 1u);
  const Entry &entry = after->entries[0];
  EXPECT_EQ(entry.args[1].name, "weight");
  EXPECT_EQ(entry.args[1].shape, std::vector<int64_t>{8});
  EXPECT_TRUE(entry.args[1].constant);
  EXPECT_FALSE(entry.args[1].strided);
  EXPECT_TRUE(entry.args[3].strided);
  EXPECT_EQ(entry.args[2].role, Argument::InOut);
  EXPECT_EQ(entry.results[0].argument, 3u);
  ASSERT_EQ(entry.body.code.size(), before.entries[0].body.code.size());
  const auto &launch = std::get<Launch>(entry.body.code[18]);
  EXPECT_EQ(launch.kernel, 1u);
  EXPECT_EQ(launch.block[0], 14u);
  EXPECT_EQ(launch.dynamicSharedBytes, 4u);
  EXPECT_EQ(launch.params, (std::vector<uint32_t>{6, 7}));
}

TEST(Artifact, EmptyRoundTrip) {
  std::string bytes = serialize(Artifact());
  Expected<Artifact> after = parse(bytes);
  ASSERT_TRUE(after.ok()) << after.message();
  EXPECT_TRUE(after->entries.empty());
}

/// The format is fixed: files outlive the build which wrote them.
TEST(Artifact, BytesOfTheHeader) {
  std::string bytes = serialize(makeArtifact());
  EXPECT_EQ(bytes.substr(0, 16), std::string("MORTAR\0\1\3\0\0\0\7\0\0\0", 16));
  EXPECT_EQ(bytes.substr(32, 4), "PROD");
  std::string fixed = bytes;
  fixChecksum(fixed);
  EXPECT_EQ(fixed, bytes);
}

TEST(Artifact, EveryTruncationIsAnError) {
  std::string bytes = serialize(makeArtifact());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parse(bytes.substr(0, size)).ok()) << size;
  // Also where header and checksum agree to it.
  for (size_t size = 32; size < bytes.size(); ++size) {
    std::string shorter = bytes.substr(0, size);
    fixSize(shorter);
    fixChecksum(shorter);
    EXPECT_FALSE(parse(shorter).ok()) << size;
  }
}

TEST(Artifact, EveryFlippedBitIsFound) {
  std::string bytes = serialize(makeArtifact());
  for (size_t index = 0; index < bytes.size(); ++index)
    for (int bit = 0; bit < 8; ++bit) {
      bytes[index] ^= char(1 << bit);
      EXPECT_FALSE(parse(bytes).ok()) << index;
      bytes[index] ^= char(1 << bit);
    }
}

TEST(Artifact, FlipsBehindTheChecksumAreSafe) {
  const std::string bytes = serialize(makeArtifact());
  std::mt19937 random(1);
  size_t accepted = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = bytes;
    for (unsigned flips = 1 + random() % 3; flips; --flips) {
      size_t index = 32 + random() % (bytes.size() - 32);
      // Small changes stay near what is valid; large ones make absurd counts.
      damaged[index] = random() % 2
                           ? char(random())
                           : char(damaged[index] ^ (1 << random() % 8));
    }
    fixChecksum(damaged);
    Expected<Artifact> artifact = parse(damaged);
    if (!artifact) {
      EXPECT_NE(artifact.message(), "");
      ++refused;
      continue;
    }
    ++accepted;
    EXPECT_EQ(serialize(*artifact), damaged); // nothing was ignored
    useAll(*artifact);
  }
  // Both outcomes were really seen.
  EXPECT_GT(accepted, 500u);
  EXPECT_GT(refused, 5000u);
}

/// What a reader refuses behind a sound checksum, each with its message.
TEST(Artifact, MessagesBehindTheChecksum) {
  std::string bytes = serialize(makeArtifact());
  auto changed = [&](size_t at, char value) {
    std::string other = bytes;
    other[at] = value;
    fixChecksum(other);
    return parse(other).message();
  };
  auto expectHas = [](const std::string &message, const char *piece) {
    EXPECT_NE(message.find(piece), std::string::npos) << message;
  };
  expectHas(changed(32, 'Q'), "expected section PROD, found another");
  // The kernels are a count, then name, threads, shared memory and a flag each.
  size_t kernels = bytes.find("KRNL"), entries = bytes.find("ENTR");
  expectHas(changed(entries - 1, 2), "expected a flag of 0 or 1, found 2");
  expectHas(changed(kernels + 12, 1), "expected the end, found ");
  // The body's first instruction reads the first dimension of the first argument.
  std::string opcode = {1 + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  size_t first = bytes.find(opcode, entries);
  ASSERT_NE(first, std::string::npos);
  expectHas(changed(first, 99), "expected an opcode below 10, found 99");
}

/// Remarks are text of any bytes, and nothing but the section's length bounds them.
TEST(Artifact, RemarksSection) {
  Artifact before = makeArtifact();
  const std::string sound = before.remarksJson;
  for (std::string remarks :
       {std::string(), std::string("\0{\xff", 3), std::string(100000, '[')}) {
    before.remarksJson = remarks;
    Expected<Artifact> after = parse(serialize(before));
    ASSERT_TRUE(after.ok()) << after.message();
    EXPECT_EQ(after->remarksJson, remarks);
  }

  before.remarksJson = sound;
  const std::string bytes = serialize(before);
  auto refuse = [&](auto change) {
    std::string changed = bytes;
    change(changed);
    fixSize(changed);
    fixChecksum(changed);
    return parse(changed).message();
  };
  // A tag, the section's length, the text's length, the text.
  size_t section = bytes.find("RMRK"), size = 12 + 8 + sound.size();
  EXPECT_EQ(refuse([&](std::string &longer) { longer[section + 12] += 1; }),
            "section RMRK: at byte 79: expected 16 bytes, found 15");
  EXPECT_EQ(refuse([&](std::string &shorter) { shorter[section + 12] -= 1; }),
            "section RMRK: at byte 93: expected the end, found 1 more bytes");
  EXPECT_EQ(refuse([&](std::string &wide) { wide[section + 4] += 1; }),
            "section RMRK: at byte 94: expected the end, found 1 more bytes");
  EXPECT_EQ(refuse([&](std::string &cut) { cut.erase(section + 20, 1); }),
            "at byte 98: expected section IMGS, found another");
  EXPECT_EQ(refuse([&](std::string &absent) { absent.erase(section, size); }),
            "at byte 63: expected section RMRK, found another");
  EXPECT_EQ(
      refuse([&](std::string &twice) { twice.insert(section, bytes, section, size); }),
      "at byte 98: expected section IMGS, found another");
}

TEST(Artifact, ForeignAndOther) {
  EXPECT_EQ(parseArtifact(nullptr, 100).message(),
            "expected the bytes of an artifact, found null");
  EXPECT_EQ(parse("").message(), "expected at least 32 bytes, found 0");
  EXPECT_EQ(parse(std::string(100, 'x')).message(),
            "expected a Mortar artifact, found other bytes");
  std::string bytes = serialize(makeArtifact());
  std::string newer = bytes;
  newer[8] = 4;
  EXPECT_EQ(parse(newer).message(),
            "expected artifact format version 3, found 4");
  EXPECT_EQ(parse(bytes + "x").message(),
            "expected a payload of " + std::to_string(bytes.size() - 32) +
                " bytes, found " + std::to_string(bytes.size() - 31));
  std::string flipped = bytes;
  flipped[50] ^= 1;
  EXPECT_EQ(parse(flipped).message(),
            "checksum mismatch: the artifact is damaged");
}

TEST(Artifact, AbsurdCountIsRefusedBeforeItIsAllocated) {
  std::string bytes = serialize(makeArtifact());
  size_t images = bytes.find("IMGS");
  bytes.replace(images + 12, 4, "\xff\xff\xff\xff");
  fixChecksum(bytes);
  Expected<Artifact> artifact = parse(bytes);
  ASSERT_FALSE(artifact.ok());
  EXPECT_NE(artifact.message().find("section IMGS: at byte " +
                                    std::to_string(images + 16) +
                                    ": expected at most "),
            std::string::npos)
      << artifact.message();
}

class ArtifactFile : public ::testing::Test {
protected:
  ArtifactFile() : path(::testing::TempDir() + "mortar-artifact-test.mortar") {}
  ~ArtifactFile() override { std::remove(path.c_str()); }

  Expected<Artifact> readBack(const std::string &bytes) {
    FILE *file = std::fopen(path.c_str(), "wb");
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
    return readArtifactFile(path);
  }

  std::string path;
};

TEST_F(ArtifactFile, RoundTrip) {
  Artifact artifact = makeArtifact();
  artifact.images[0].bytes.assign(3 << 20, 'p'); // several reads
  std::string bytes = serialize(artifact);
  Expected<Artifact> after = readBack(bytes);
  ASSERT_TRUE(after.ok()) << after.message();
  EXPECT_EQ(serialize(*after), bytes);
  EXPECT_FALSE(readBack(bytes + "x").ok());
  EXPECT_FALSE(readBack(bytes.substr(0, 2 << 20)).ok());
}

TEST_F(ArtifactFile, ErrorsNameThePath) {
  EXPECT_EQ(readArtifactFile("/nowhere/x").message(),
            "/nowhere/x: cannot open: No such file or directory");
  EXPECT_EQ(readArtifactFile("/dev/zero").message(),
            "/dev/zero: expected a Mortar artifact, found other bytes");
  EXPECT_EQ(readArtifactFile("/tmp").message(),
            "/tmp: cannot read: Is a directory");
  EXPECT_EQ(readBack("short").message(),
            path + ": expected at least 32 bytes, found 5");
  // A header which promises 2^64 - 1 bytes.
  std::string bytes = serialize(makeArtifact());
  bytes.replace(16, 8, 8, '\xff');
  EXPECT_EQ(readBack(bytes).message(),
            path +
                ": expected a payload of 18446744073709551615 bytes, found " +
                std::to_string(bytes.size() - 32));
}

} // namespace
