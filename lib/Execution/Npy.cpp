//===- Npy.cpp - NumPy's file format --------------------------------------===//
//
//   "\x93NUMPY" major minor, u16 (version 1) or u32 header bytes, then a Python dict
//   {'descr': '<f4', 'fortran_order': False, 'shape': (17, 4096), }, then the values
//
//===----------------------------------------------------------------------===//

#include "mortar/Execution/Npy.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mortar::execution;
using llvm::StringRef;
namespace rt = mortar::runtime;

static const char *descrOf(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return "<f4";
  case ElementType::F16:
    return "<f2";
  case ElementType::BF16:
    return "<u2";
  case ElementType::F8E4M3:
  case ElementType::F8E8M0:
    return "|u1";
  case ElementType::I8:
    return "|i1";
  case ElementType::I32:
    return "<i4";
  case ElementType::I64:
    return "<i8";
  }
  return "?";
}

namespace {

struct Header {
  std::string descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

/// The dict, read by consuming it from the front. Every key once, nothing else.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}
  bool parse(Header &header);

private:
  bool take(StringRef token) {
    rest = rest.ltrim(" \n");
    return rest.consume_front(token);
  }
  bool takeString(StringRef &text) {
    rest = rest.ltrim(" \n");
    char quote = rest.empty() ? 0 : rest.front();
    if (quote != '\'' && quote != '"')
      return false;
    size_t end = rest.find(quote, 1);
    if (end == StringRef::npos)
      return false;
    text = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return true;
  }
  bool takeShape(std::vector<int64_t> &shape);

  StringRef rest;
};

bool HeaderParser::takeShape(std::vector<int64_t> &shape) {
  if (!take("("))
    return false;
  while (!take(")")) {
    int64_t extent;
    rest = rest.ltrim(" \n");
    if (shape.size() == rt::maxRank || rest.consumeInteger(10, extent) || extent < 0)
      return false;
    shape.push_back(extent);
    if (!take(",") && !rest.ltrim(" \n").starts_with(")"))
      return false;
  }
  return true;
}

bool HeaderParser::parse(Header &header) {
  bool hasDescr = false, hasOrder = false, hasShape = false;
  if (!take("{"))
    return false;
  while (!take("}")) {
    StringRef key, text;
    if (!takeString(key) || !take(":"))
      return false;
    if (key == "descr" && !hasDescr && takeString(text)) {
      header.descr = text.str();
      hasDescr = true;
    } else if (key == "fortran_order" && !hasOrder) {
      header.fortranOrder = take("True");
      if (!header.fortranOrder && !take("False"))
        return false;
      hasOrder = true;
    } else if (key == "shape" && !hasShape && takeShape(header.shape)) {
      hasShape = true;
    } else {
      return false;
    }
    if (!take(",") && !rest.ltrim(" \n").starts_with("}"))
      return false;
  }
  return rest.trim(" \n").empty() && hasDescr && hasOrder && hasShape;
}

} // namespace

Expected<Tensor> mortar::execution::readNpy(const std::string &path, ElementType type,
                                      const std::vector<int64_t> &shape) {
  auto error = [&](const auto &...parts) { return Status::error(path, ": ", parts...); };
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return error(file.getError().message());
  StringRef rest = (*file)->getBuffer();
  if (!rest.consume_front("\x93NUMPY") || rest.size() < 2)
    return error("expected a .npy file, but it doesn't begin like one");
  unsigned version = uint8_t(rest[0]);
  size_t lengthBytes = version == 1 ? 2 : 4;
  if (version < 1 || version > 3 || rest.size() < 2 + lengthBytes)
    return error("expected .npy version 1 to 3 with a header, but found version ",
                 version, " and ", rest.size() - 2, " bytes");
  uint64_t length = 0;
  for (size_t i = 0; i < lengthBytes; ++i)
    length |= uint64_t(uint8_t(rest[2 + i])) << 8 * i;
  rest = rest.drop_front(2 + lengthBytes);
  if (length > rest.size())
    return error("expected a header of ", length, " bytes, but found ", rest.size());

  Header header;
  if (!HeaderParser(rest.take_front(length)).parse(header))
    return error("expected a header with descr, fortran_order and shape, but it can't "
                 "be read");
  rest = rest.drop_front(length);
  if (header.descr != descrOf(type))
    return error("expected dtype ", descrOf(type), " for ", rt::elementTypeName(type),
                 ", but found ", header.descr.substr(0, 16));
  bool matches = header.shape.size() == shape.size();
  for (size_t i = 0; matches && i < shape.size(); ++i)
    matches = shape[i] < 0 || shape[i] == header.shape[i];
  if (!matches)
    return error("expected ", describe(type, shape), ", but found ",
                 describe(type, header.shape));
  if (header.fortranOrder && shape.size() > 1)
    return error("expected C order, but found Fortran order");
  auto bytes = bytesOf(type, header.shape);
  if (!bytes)
    return bytes.status().in(path);
  if (*bytes != rest.size())
    return error("expected ", *bytes, " bytes of values for ",
                 describe(type, header.shape), ", but found ", rest.size());
  return Tensor{type, header.shape, rest.str()};
}

std::string mortar::execution::toNpy(const Tensor &tensor) {
  std::string header = std::string("{'descr': '") + descrOf(tensor.type) +
                       "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : tensor.shape)
    header += std::to_string(extent) + ", ";
  header += "), }";
  // The values begin at a multiple of 64 bytes.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 0xff);
  bytes += char(header.size() >> 8);
  return bytes + header + tensor.bytes;
}
