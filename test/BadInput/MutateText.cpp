//===- MutateText.cpp - text and bytes made odd ---------------------------===//

#include "Mutators.h"

#include "llvm/ADT/StringExtras.h"

using namespace mortar::badinput;
using llvm::StringRef;

static constexpr const char *dictionary[] = {
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "18446744073709551616",
    "0x7FC00000",
    "nan",
    "-0.0",
    "1.0e+39",
    "?",
    "*",
    "x",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ":",
    "->",
    "%",
    "^bb0",
    "@f",
    "#",
    "!",
    "\"",
    "//",
    "dense<0.0>",
    "dense<\"0x00\">",
    "loc(unknown)",
    "f32",
    "f64",
    "bf16",
    "f16",
    "i1",
    "f8E4M3FN",
    "index",
    "none",
    "complex<f32>",
    "tensor<*xf32>",
    "tensor<?x?xf32>",
    "tensor<f32>",
    "vector<f32>",
    "vector<[4]xf32>",
    "memref<?xf32>",
    "row",
    "column",
    "scalar",
    "row_scalar",
    "recurrence",
    "ins",
    "outs",
    "weight",
    "epsilon",
    "weight_offset",
    "inner",
    "limit",
    "sum",
    "max",
    "first",
    "second",
    "attributes {label = 1}",
    "{mortar.result = 0}",
    "{mortar.constant}",
    "{bufferization.writable = true}",
    "private",
    "func.func",
    "func.return",
    "module",
    "mortar.fused",
    "mortar.yield",
    "mortar.rms_norm",
    "mortar.residual_add",
    "mortar.silu_and_mul",
    "mortar.row_reduce",
    "mortar.row_broadcast",
    "mortar.row_half",
    "arith.constant",
    "arith.addf",
    "tensor.empty",
    "tensor.dim",
    "scf.if",
    "scf.for",
    "\"mortar.fused\"",
    "fastmath<fast>",
};

/// Words, numbers, strings, sigils; white space goes with what stands before
/// it.
static std::vector<std::string> lex(StringRef text) {
  std::vector<std::string> tokens;
  auto isWord = [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$';
  };
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (isWord(text[i]))
      while (end < text.size() && isWord(text[end]))
        ++end;
    else if (text.substr(i).starts_with("//"))
      end = std::min(text.find('\n', i), text.size());
    while (end < text.size() && llvm::isSpace(text[end]))
      ++end;
    if (!text.substr(i).starts_with("//"))
      tokens.push_back(text.slice(i, end).str());
    else
      tokens.push_back("\n"); // comments are worth no mutation
    i = end;
  }
  return tokens;
}

/// The number in a token like `x4096xbf16`, changed.
static void changeShape(std::string &token, Random &random) {
  static constexpr const char *extents[] = {"0",
                                            "1",
                                            "?",
                                            "2",
                                            "7",
                                            "65537",
                                            "1099511627776",
                                            "9223372036854775807",
                                            "-1",
                                            "4096x4096"};
  size_t begin = 0;
  while (begin < token.size() && !llvm::isDigit(token[begin]))
    ++begin;
  size_t end = begin;
  while (end < token.size() && llvm::isDigit(token[end]))
    ++end;
  token.replace(begin, end - begin, random.pick(extents));
}

std::string mortar::badinput::mutateText(std::string &text, Random &random) {
  std::vector<std::string> tokens = lex(text);
  if (tokens.empty())
    return "nothing to mutate";
  size_t at = random.below(tokens.size()), other = random.below(tokens.size());
  std::string what;
  switch (random.below(11)) {
  case 0:
    std::swap(tokens[at], tokens[other]);
    what = "swap tokens";
    break;
  case 1:
    tokens.erase(tokens.begin() + at,
                 tokens.begin() +
                     std::min(tokens.size(), at + 1 + random.below(4)));
    what = "delete tokens";
    break;
  case 2:
    tokens.insert(tokens.begin() + at, tokens[other]);
    what = "insert a token of the file";
    break;
  case 3:
    tokens[at] = std::string(random.pick(dictionary)) + " ";
    what = "replace a token";
    break;
  case 4: {
    // The same everywhere, so that types still fit each other.
    std::string old = tokens[at], made = tokens[other];
    if (random.oneIn(3))
      made = random.pick(dictionary);
    else if (random.oneIn(2))
      changeShape(made = old, random);
    for (std::string &token : tokens)
      if (token == old)
        token = made;
    what = "replace a token everywhere";
    break;
  }
  case 5: {
    size_t count = std::min(tokens.size() - at, 1 + random.below(40));
    std::vector<std::string> run(tokens.begin() + at,
                                 tokens.begin() + at + count);
    tokens.insert(tokens.begin() + other, run.begin(), run.end());
    what = "duplicate a run of tokens";
    break;
  }
  case 6: {
    static constexpr const char *nesting[] = {
        "[",           "(",          "{",         "<",
        "tuple<",      "complex<",   "tensor<4x", "[{a=",
        "scf.if %c {", "module {\n", "loc(fused["};
    std::string deep;
    size_t depth = size_t(1) << random.below(18);
    const char *opening = random.pick(nesting);
    for (size_t i = 0; i < depth; ++i)
      deep += opening;
    tokens.insert(tokens.begin() + at, deep);
    what = "nest deeply";
    break;
  }
  case 7:
    for (std::string &token : tokens)
      if (token == tokens[at] && &token != &tokens[at])
        changeShape(token, random);
    changeShape(tokens[at], random);
    what = "change shapes";
    break;
  default: {
    std::string bytes = llvm::join(tokens, "");
    what = mutateBytes(bytes, random);
    text = bytes;
    return what;
  }
  }
  text = llvm::join(tokens, "");
  return what;
}

std::string mortar::badinput::mutateBytes(std::string &bytes, Random &random) {
  if (bytes.empty())
    return "nothing to mutate";
  size_t at = random.below(bytes.size());
  switch (random.below(6)) {
  case 0:
    bytes[at] ^= char(1 << random.below(8));
    return "flip a bit";
  case 1:
    bytes[at] = char(random.bits());
    return "change a byte";
  case 2:
    bytes.resize(at);
    return "truncate";
  case 3:
    bytes.erase(at, 1 + random.below(8));
    return "delete bytes";
  case 4: {
    std::string run =
        bytes.substr(random.below(bytes.size()), 1 + random.below(16));
    bytes.insert(at, run);
    return "insert bytes of the file";
  }
  default:
    for (size_t i = at; i < std::min(bytes.size(), at + 1 + random.below(8));
         ++i)
      bytes[i] = random.oneIn(2) ? char(0xff) : char(0);
    return "overwrite with zeros and ones";
  }
}
