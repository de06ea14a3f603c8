//===- OddValues.cpp - attributes and types that nobody expects -----------===//

#include "Mutators.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mortar::badinput;

static constexpr const char *attributes[] = {
    "unit",
    "0 : i64",
    "-1 : i64",
    "1 : i1",
    "9223372036854775807 : i64",
    "-9223372036854775808 : i64",
    "4294967296 : index",
    "0x7FC00000 : f32",
    "0x7F800000 : f32",
    "0xFF800000 : f32",
    "0.0 : f32",
    "-0.0 : f32",
    "-1.0 : f32",
    "1.0e-45 : f32",
    "3.4e38 : f32",
    "1.0 : f64",
    "1.0 : bf16",
    "0x7C00 : f16",
    "\"\"",
    "\"a string \\00 with \\FF bytes\"",
    "[]",
    "[0, 1]",
    "[[[[]]]]",
    "{}",
    "{a = 1, b}",
    "@nowhere",
    "@a::@b",
    "f32",
    "f64",
    "bf16",
    "i1",
    "index",
    "tensor<?x4096xbf16>",
    "() -> ()",
    "array<i32>",
    "array<i32: 0, 0>",
    "array<i32: 1, -1>",
    "array<i32: 2147483647, 2147483647>",
    "array<i32: 1, 1, 1>",
    "array<i64: 0, 9223372036854775807>",
    "dense<1.0> : tensor<4096xf32>",
    "dense<1> : vector<2xi32>",
    "dense<> : tensor<0xi64>",
    "dense<0> : tensor<1099511627776xi8>",
    "sparse<[[0, 0]], [1.0]> : tensor<2x2xf32>",
    "affine_map<(d0, d1) -> (d1, d0)>",
    "affine_map<() -> ()>",
    "affine_map<(d0)[s0] -> (d0 * s0 floordiv 3)>",
    "affine_set<(d0) : (d0 >= 0)>",
    "strided<[?, 1], offset: ?>",
    "strided<[], offset: 0>",
    "#mortar.map<row>",
    "#mortar.map<column>",
    "#mortar.map<scalar>",
    "[#mortar.map<row>, #mortar.map<row>]",
    "[#mortar.map<row_scalar>]",
    "#mortar.domain<recurrence>",
    "#mortar.reduction<max>",
    "#mortar.half<second>",
    "#arith.fastmath<fast>",
    "#arith.overflow<nsw>",
    "loc(\"somewhere\":1:2)",
    "dense_resource<nothing> : tensor<4xf32>",
};

static constexpr const char *types[] = {
    "f32",
    "f16",
    "bf16",
    "f64",
    "f80",
    "f128",
    "tf32",
    "f8E4M3FN",
    "f8E5M2",
    "f8E8M0FNU",
    "f4E2M1FN",
    "i1",
    "i4",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "i16777215",
    "si32",
    "ui8",
    "index",
    "none",
    "complex<f32>",
    "tuple<>",
    "tuple<f32, tensor<4xf32>>",
    "() -> ()",
    "tensor<f32>",
    "tensor<*xf32>",
    "tensor<0xf32>",
    "tensor<1xf32>",
    "tensor<?xf32>",
    "tensor<?x?xbf16>",
    "tensor<4096xbf16>",
    "tensor<?x4096xbf16>",
    "tensor<?x4096xf32>",
    "tensor<17x4096xf16>",
    "tensor<?x0xf32>",
    "tensor<0x4096xbf16>",
    "tensor<?x1xbf16>",
    "tensor<?x1xf32>",
    "tensor<4096x?xbf16>",
    "tensor<2x3x?x5x?x7x8x9x4096xbf16>",
    "tensor<9223372036854775807xf32>",
    "tensor<4294967296x4294967296xf32>",
    "tensor<?x1099511627776xbf16>",
    "tensor<?x4096xbf16, \"an encoding\">",
    "tensor<?x4096xbf16, 1 : i32>",
    "tensor<4096xindex>",
    "tensor<?x4096xf64>",
    "tensor<?x4096xf8E4M3FN>",
    "tensor<?x4096xi1>",
    "tensor<?x4096xcomplex<f32>>",
    "tensor<4xtensor<4xf32>>",
    "tensor<4xvector<4xf32>>",
    "memref<?x4096xbf16>",
    "memref<f32>",
    "memref<*xf32>",
    "memref<?x4096xbf16, strided<[?, 1], offset: ?>>",
    "memref<?x4096xbf16, strided<[?, 2], offset: ?>>",
    "memref<?x4096xbf16, strided<[0, 0]>>",
    "memref<?x4096xbf16, affine_map<(d0, d1) -> (d1, d0)>>",
    "memref<4096x4096xbf16, affine_map<(d0, d1) -> (d0 mod 2, d1)>>",
    "memref<?x4096xbf16, 3>",
    "memref<?x4096xbf16, \"a space\">",
    "memref<?x4096xbf16, #gpu.address_space<workgroup>>",
    "memref<9223372036854775807x9223372036854775807xf32>",
    "vector<f32>",
    "vector<1xf32>",
    "vector<4096xbf16>",
    "vector<4096xf32>",
    "vector<2x4096xf32>",
    "vector<[4]xf32>",
    "vector<9223372036854775807xf32>",
    "vector<4xindex>",
    "vector<4096xi1>",
    "!llvm.ptr",
    "!gpu.async.token",
    "!unknown.type",
};

template <typename Parse>
static auto parseQuietly(MLIRContext *context, Parse parse) {
  ScopedDiagnosticHandler silent(context,
                                 [](Diagnostic &) { return success(); });
  return parse();
}

Attribute mortar::badinput::makeAttribute(MLIRContext *context,
                                          Random &random) {
  Attribute made = parseQuietly(context, [&] {
    return parseAttribute(random.pick(attributes), context);
  });
  return made ? made : UnitAttr::get(context);
}

Type mortar::badinput::makeType(MLIRContext *context, Random &random) {
  Type made = parseQuietly(
      context, [&] { return parseType(random.pick(types), context); });
  return made ? made : IndexType::get(context);
}

Attribute mortar::badinput::tweakAttribute(Attribute attribute,
                                           Random &random) {
  MLIRContext *context = attribute.getContext();
  Builder b(context);
  if (auto number = dyn_cast<FloatAttr>(attribute)) {
    const llvm::fltSemantics &kind = number.getValue().getSemantics();
    const APFloat values[] = {APFloat::getZero(kind),
                              APFloat::getZero(kind, /*Negative=*/true),
                              APFloat::getNaN(kind),
                              APFloat::getLargest(kind),
                              APFloat::getLargest(kind, /*Negative=*/true),
                              APFloat::getSmallest(kind),
                              neg(number.getValue())};
    return FloatAttr::get(number.getType(), random.pick(values));
  }
  if (auto number = dyn_cast<IntegerAttr>(attribute)) {
    const int64_t values[] = {0, 1, -1, 2, 3, 1 << 20, INT64_MAX, INT64_MIN};
    unsigned width = number.getValue().getBitWidth();
    return IntegerAttr::get(
        number.getType(),
        APInt(64, random.pick(values), true).sextOrTrunc(width));
  }
  if (auto array = dyn_cast<ArrayAttr>(attribute)) {
    SmallVector<Attribute> elements(array.getValue());
    if (elements.empty() || random.oneIn(3))
      elements.push_back(elements.empty() ? makeAttribute(context, random)
                                          : random.pick(elements));
    else if (random.oneIn(2))
      elements.erase(elements.begin() + random.below(elements.size()));
    else
      random.pick(elements) = makeAttribute(context, random);
    return b.getArrayAttr(elements);
  }
  if (auto numbers = dyn_cast<DenseI32ArrayAttr>(attribute)) {
    SmallVector<int32_t> values(numbers.asArrayRef());
    if (!values.empty())
      random.pick(values) += random.oneIn(2) ? 1 : -1;
    return b.getDenseI32ArrayAttr(values);
  }
  if (auto type = dyn_cast<TypeAttr>(attribute))
    return TypeAttr::get(tweakType(type.getValue(), random));
  if (auto text = dyn_cast<StringAttr>(attribute))
    return b.getStringAttr(random.oneIn(2)
                               ? std::string(100000, 'x')
                               : text.getValue().str() + "\"\n\0{%$");
  return makeAttribute(context, random);
}

Type mortar::badinput::tweakType(Type type, Random &random) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank() || isa<VectorType>(type))
    return makeType(type.getContext(), random);
  SmallVector<int64_t> shape(shaped.getShape());
  Type element = shaped.getElementType();
  const int64_t extents[] = {0,       1,        2,         3,
                             31,      65536,    65537,     ShapedType::kDynamic,
                             1 << 30, 1l << 40, INT64_MAX, 4096};
  switch (random.below(4)) {
  case 0:
    if (!shape.empty()) {
      random.pick(shape) = random.pick(extents);
      break;
    }
    [[fallthrough]];
  case 1:
    shape.insert(shape.begin() + random.below(shape.size() + 1),
                 random.pick(extents));
    break;
  case 2:
    if (!shape.empty())
      shape.erase(shape.begin() + random.below(shape.size()));
    break;
  default:
    element = makeType(type.getContext(), random);
  }
  if (isa<MemRefType>(type)) {
    if (!MemRefType::isValidElementType(element))
      return element;
    return MemRefType::get(shape, element);
  }
  if (!RankedTensorType::isValidElementType(element))
    return element;
  return RankedTensorType::get(shape, element);
}
