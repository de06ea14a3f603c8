//===- OnHostTest.cpp - Programs that the C API runs on this CPU ----------===//

#include "CompilerTest.h"

#include "mortar/Runtime/Artifact.h"

#include <elf.h>

namespace {

class OnHost : public ::testing::Test {
protected:
  OnHost() {
    EXPECT_EQ(compile(layer, optionsFor("host"), &program), 0) << lastError();
    const void *bytes = nullptr;
    size_t size = 0;
    EXPECT_EQ(mortarProgramArtifact(program, &bytes, &size), 0);
    artifact.assign(static_cast<const char *>(bytes), size);
    EXPECT_EQ(mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_ON_DEVICE, &executable), 0)
        << lastError();
    EXPECT_EQ(mortarProgramDestroy(program), 0); // what was loaded stays
    for (MortarTensor &arg : args)
      arg = {buffers[&arg - args], shape, nullptr, 2, MORTAR_F32};
  }
  ~OnHost() override { EXPECT_EQ(mortarRuntimeDestroy(executable), 0); }

  int launch(void *stream = nullptr) {
    return mortarRuntimeLaunch(executable, 0, args, 3, nullptr, 0, stream);
  }

  MortarProgram program = 0;
  MortarExecutable executable = 0;
  std::string artifact;
  int64_t shape[2] = {4, 8};
  float buffers[3][33] = {};
  MortarTensor args[3];
};

TEST_F(OnHost, Runs) {
  for (int i = 0; i < 32; ++i)
    buffers[0][i] = buffers[1][i] = 2;
  ASSERT_EQ(launch(), 0) << lastError();
  for (int i = 0; i < 32; ++i)
    EXPECT_FLOAT_EQ(buffers[2][i], 1);
  EXPECT_EQ(buffers[2][32], 0);
  const char *image = nullptr;
  ASSERT_EQ(mortarRuntimeImage(executable, &image), 0);
  EXPECT_STREQ(image, "host object");
}

TEST_F(OnHost, OverlappingOutputIsAnError) {
  args[2].data = buffers[0] + 8;
  ASSERT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("entry 'layer': "), std::string::npos) << lastError();
  EXPECT_NE(lastError().find("overlap"), std::string::npos) << lastError();
}

TEST_F(OnHost, MisalignedPointerIsAnError) {
  args[0].data = reinterpret_cast<char *>(buffers[0]) + 1;
  ASSERT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("expected data aligned to 4 bytes, found address"),
            std::string::npos)
      << lastError();
}

TEST_F(OnHost, SmallOutputIsAnError) {
  int64_t less[2] = {3, 8};
  args[2].shape = less;
  ASSERT_EQ(launch(), 1);
  EXPECT_NE(lastError().find("expected extent 0 to be 4, found 3"), std::string::npos)
      << lastError();
}

TEST_F(OnHost, StreamIsAnError) {
  ASSERT_EQ(launch(this), 1);
  EXPECT_EQ(lastError(), "expected no stream for code of a CPU, which has run when the "
                         "call returns, found one");
}

TEST_F(OnHost, AnotherCPUsCodeIsAnError) {
  // Which has instructions (FMA4, XOP) that came and went with it.
  MortarProgram other = 0;
  if (compile(layer, optionsFor("bdver4"), &other) != 0)
    GTEST_SKIP() << lastError();
  const void *bytes = nullptr;
  size_t size = 0;
  MortarExecutable none = 5;
  ASSERT_EQ(mortarProgramArtifact(other, &bytes, &size), 0);
  EXPECT_EQ(mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_ON_DEVICE, &none), 1);
  EXPECT_EQ(lastError().substr(0, 31), "expected a CPU like bdver4, wit") << lastError();
  EXPECT_EQ(none, 5u);
  EXPECT_EQ(mortarProgramDestroy(other), 0);
}

TEST_F(OnHost, DamagedArtifactIsAnError) {
  artifact[artifact.size() / 2] ^= 1;
  MortarExecutable none = 5;
  EXPECT_EQ(mortarRuntimeLoadBytes(artifact.data(), artifact.size(),
                                   MORTAR_LOAD_ON_DEVICE, &none),
            1);
  EXPECT_EQ(lastError(), "checksum mismatch: the artifact is damaged");
}

/// The sizes of all symbols in an object, beyond what they stand in.
void enlargeSymbols(std::string &object) {
  auto *file = reinterpret_cast<Elf64_Ehdr *>(&object[0]);
  auto *sections = reinterpret_cast<Elf64_Shdr *>(&object[file->e_shoff]);
  for (int i = 0; i < file->e_shnum; ++i)
    if (sections[i].sh_type == SHT_SYMTAB)
      for (size_t at = 0; at < sections[i].sh_size; at += sizeof(Elf64_Sym))
        reinterpret_cast<Elf64_Sym *>(&object[sections[i].sh_offset + at])->st_size =
            1 << 20;
}

TEST_F(OnHost, OddArtifactsAreErrors) {
  auto sound = mortar::runtime::parseArtifact(artifact.data(), artifact.size());
  ASSERT_TRUE(sound.ok()) << sound.message();
  auto loadError = [](const mortar::runtime::Artifact &artifact) {
    std::string bytes = mortar::runtime::serialize(artifact);
    MortarExecutable none = 0;
    EXPECT_EQ(mortarRuntimeLoadBytes(bytes.data(), bytes.size(), MORTAR_LOAD_ON_DEVICE,
                                     &none),
              1);
    return lastError();
  };
  mortar::runtime::Artifact odd = *sound;
  odd.images.push_back(odd.images[0]);
  EXPECT_EQ(loadError(odd), "expected one object for a CPU, found 2 images");
  odd = *sound;
  odd.images[0].bytes = "no ELF file";
  EXPECT_NE(loadError(odd).find("expected a 64-bit ELF file"), std::string::npos)
      << lastError();
  odd = *sound;
  odd.entries[0].name = "another";
  EXPECT_NE(loadError(odd).find("mortar_packed_another"), std::string::npos)
      << lastError();
  odd = *sound;
  enlargeSymbols(odd.images[0].bytes);
  testing::internal::CaptureStderr();
  EXPECT_NE(loadError(odd).find("past the end of its containing block"),
            std::string::npos)
      << lastError();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), ""); // what LLVM would print
  for (const char *cpu : {"znver99", "sm_90", "avx2", ""}) {
    odd = *sound;
    odd.images[0].chip = cpu;
    EXPECT_NE(loadError(odd).find("expected code for a CPU that LLVM knows, like "
                                  "x86-64-v3, found it for '" +
                                  std::string(cpu) + "'"),
              std::string::npos)
        << lastError();
  }
}

} // namespace
