//===- ImageTest.cpp - Which image a device gets --------------------------===//

#include "Samples.h"

#include <cstring>

using namespace mortar::runtime;

namespace {

CodeImage ptx(const char *chip) { return {chip, CodeImage::PTX, "text"}; }
CodeImage cubin(const char *chip) { return {chip, CodeImage::Cubin, ""}; }

/// The chosen image's number for a device, -1 for none.
int choose(std::vector<CodeImage> images, int major, int minor) {
  Expected<size_t> chosen = chooseImage(images, 0, major, minor);
  return chosen ? int(*chosen) : -1;
}

TEST(Image, ExactCubinFirst) {
  EXPECT_EQ(choose({ptx("sm_90"), cubin("sm_90"), ptx("sm_90a")}, 9, 0), 1);
  EXPECT_EQ(choose({cubin("sm_86"), cubin("sm_80"), cubin("sm_89")}, 8, 6), 0);
}

TEST(Image, ElseCubinOfTheSameMajorAndLowerMinor) {
  EXPECT_EQ(choose({ptx("sm_89"), cubin("sm_80"), cubin("sm_86")}, 8, 9), 2);
  EXPECT_EQ(choose({cubin("sm_89"), ptx("sm_80")}, 8, 6), 1);
  EXPECT_EQ(choose({cubin("sm_80")}, 9, 0), -1);
}

TEST(Image, ElseTheNewestPtx) {
  EXPECT_EQ(choose({ptx("sm_80"), ptx("sm_90"), ptx("sm_100")}, 9, 0), 1);
  EXPECT_EQ(choose({ptx("sm_80"), cubin("sm_90"), ptx("sm_90")}, 12, 0), 2);
  EXPECT_EQ(choose({ptx("sm_90")}, 8, 9), -1);
}

TEST(Image, SuffixOnExactMatchOnlyAndThenFirst) {
  EXPECT_EQ(choose({cubin("sm_90"), cubin("sm_90a")}, 9, 0), 1);
  EXPECT_EQ(choose({ptx("sm_90a"), ptx("sm_80")}, 10, 0), 1);
  EXPECT_EQ(choose({cubin("sm_100f"), ptx("sm_90")}, 10, 3), 1);
  EXPECT_EQ(choose({ptx("sm_90a")}, 10, 0), -1);
}

TEST(Image, OfThoseWithTheKernel) {
  std::vector<CodeImage> images = {ptx("sm_90"), cubin("sm_90"), ptx("sm_80")};
  images[0].kernels = {1, 3};
  images[1].kernels = {3};
  int found[] = {2, 0, 2, 1};
  for (uint32_t kernel = 0; kernel < 4; ++kernel)
    EXPECT_EQ(int(*chooseImage(images, kernel, 9, 0)), found[kernel]);
}

TEST(Image, ErrorListsWhatThereIs) {
  EXPECT_EQ(chooseImage({}, 0, 9, 0).message(),
            "expected device code for sm_90, found none at all");
  std::vector<CodeImage> images = {ptx("sm_100"), cubin("sm_80")};
  EXPECT_EQ(chooseImage(images, 0, 9, 0).message(),
            "expected device code for sm_90, found sm_100 PTX, sm_80 cubin");
}

TEST(Image, PtxIsText) {
  EXPECT_TRUE(checkImage(ptx("sm_90")).ok());
  EXPECT_EQ(checkImage({"sm_90", CodeImage::PTX, ""}).message(),
            "image sm_90 PTX: expected PTX text, found nothing");
  EXPECT_FALSE(
      checkImage({"sm_90", CodeImage::PTX, std::string("a\0b", 3)}).ok());
}

/// An ELF file of a header, one section of 16 bytes and its table.
std::string makeElf() {
  std::string bytes(64 + 16 + 64, '\0');
  auto put = [&](size_t at, uint64_t value, size_t size) {
    std::memcpy(&bytes[at], &value, size);
  };
  std::memcpy(&bytes[0],
              "\x7f"
              "ELF\x02\x01\x01",
              7);
  put(40, 80, 8); // section table
  put(54, 56, 2);
  put(58, 64, 2);
  put(60, 1, 2);       // one section
  put(80 + 4, 1, 4);   // of bits
  put(80 + 24, 64, 8); // at 64
  put(80 + 32, 16, 8); // 16 bytes
  return bytes;
}

TEST(Image, CubinTablesLieWithin) {
  auto check = [](std::string bytes) {
    return checkImage({"sm_90", CodeImage::Cubin, std::move(bytes)}).message();
  };
  EXPECT_EQ(check(makeElf()), "");
  EXPECT_EQ(check("no"), "image sm_90 cubin: expected a 64-bit ELF file, "
                         "found other bytes");
  for (size_t size = 0; size < makeElf().size(); ++size)
    EXPECT_NE(check(makeElf().substr(0, size)), "") << size;
  std::string outside = makeElf();
  outside[80 + 32] = 81; // section one byte too long
  EXPECT_EQ(check(outside), "image sm_90 cubin: expected ELF section 0 within "
                            "144 bytes, found it outside");
  std::string wraps = makeElf();
  std::memset(&wraps[80 + 24], 0xff, 8);
  EXPECT_NE(check(wraps), "");
  std::string table = makeElf();
  std::memset(&table[40], 0xff, 8);
  EXPECT_EQ(check(table), "image sm_90 cubin: expected ELF tables within " +
                              std::to_string(table.size()) +
                              " bytes, found them outside");
}

} // namespace
