#include "quantised.h"

#include <ATen/OpaqueTensorImpl.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <map>
#include <memory>
#include <string>

#include "../dispatch.h"
#include "dot.h"

namespace keel {
namespace {

using quantised::kGroup;
using quantised::Type;
using Handle = std::shared_ptr<const Quantised>;
using Opaque = at::OpaqueTensorImpl<Handle>;

struct Format {
  Type type;
  int64_t elements, bytes;  // of a block
};

const Format& formatOf(c10::string_view name) {
  static const std::map<std::string, Format, std::less<>> all = {
      {"F16", {Type::f16, 32, 64}},       {"BF16", {Type::bf16, 32, 64}},
      {"Q4_0", {Type::q4_0, 32, 18}},     {"Q4_1", {Type::q4_1, 32, 20}},
      {"Q5_0", {Type::q5_0, 32, 22}},     {"Q5_1", {Type::q5_1, 32, 24}},
      {"Q8_0", {Type::q8_0, 32, 34}},     {"Q2_K", {Type::q2_k, 256, 84}},
      {"Q3_K", {Type::q3_k, 256, 110}},   {"Q4_K", {Type::q4_k, 256, 144}},
      {"Q5_K", {Type::q5_k, 256, 176}},   {"Q6_K", {Type::q6_k, 256, 210}},
      {"IQ4_NL", {Type::iq4_nl, 32, 18}}, {"IQ4_XS", {Type::iq4_xs, 256, 136}},
      {"NF4", {Type::nf4, 64, 36}},       {"NF4_DOUBLE", {Type::nf4Double, 64, 33}}};
  const auto found = all.find(std::string(name));
  TORCH_CHECK(found != all.end(), "unknown block format ", name);
  return found->second;
}

quantised::Shared sharedOf(const at::Tensor& scales) {
  if (scales.numel() == 0) return {};
  const float* at = scales.const_data_ptr<float>();
  return {at, at[256], at + 257};
}

Quantised partsOf(const at::Tensor& bytes, c10::string_view name, at::IntArrayRef shape,
                  const std::optional<at::Tensor>& scales) {
  const Format& format = formatOf(name);
  TORCH_CHECK(shape.size() == 2 && shape[0] >= 0 && shape[1] >= 0 &&
                  shape[1] % format.elements == 0,
              "a quantised weight is [out, in], and each row is whole blocks of ", format.elements,
              "; got ", shape, " in ", name);
  const int64_t blocks = shape[0] * (shape[1] / format.elements);
  TORCH_CHECK(bytes.is_cpu() && bytes.scalar_type() == at::kByte && bytes.is_contiguous() &&
                  bytes.numel() == blocks * format.bytes,
              shape, " in ", name, " takes ", blocks * format.bytes, " bytes on the CPU, got ",
              bytes.sizes(), " ", bytes.scalar_type());
  const int64_t shared = format.type == Type::nf4Double ? 257 + (blocks + 255) / 256 : 0;
  const at::Tensor own = scales.has_value() ? *scales : at::empty({0});
  TORCH_CHECK(own.is_cpu() && own.scalar_type() == at::kFloat && own.is_contiguous() &&
                  own.numel() == shared,
              name, " takes ", shared, " shared float32 scales, got ", own.sizes());
  return {bytes, own, format.type, shape[1] / kGroup, shape[1] / format.elements};
}

// keel::quantised: bytes [..] uint8 -> the weight [out, in]
at::Tensor quantisedWeight(const at::Tensor& bytes, c10::string_view type, at::IntArrayRef shape,
                           at::ScalarType dtype, const std::optional<at::Tensor>& scales) {
  TORCH_CHECK(dtype == at::kFloat || dtype == at::kBFloat16,
              "a quantised weight is computed in float32 or bfloat16, not in ", dtype);
  return at::detail::make_tensor<Opaque>(
      c10::DispatchKeySet(c10::DispatchKey::CPU), c10::scalarTypeToTypeMeta(dtype), at::kCPU,
      std::make_shared<const Quantised>(partsOf(bytes, type, shape, scales)), shape);
}

template <typename T>
void expandAll(const Quantised& weight, int64_t rows, T* to) {
  const int64_t size = weight.groupsPerRow * kGroup;
  at::parallel_for(0, rows, grain(size), [&](int64_t begin, int64_t end) {
    weight.expandRows(begin, end - begin, to + begin * size);
  });
}

at::Tensor expandedParts(const Quantised& weight, at::IntArrayRef shape, at::ScalarType dtype) {
  const at::Tensor whole = at::empty(shape, at::TensorOptions().dtype(dtype));
  if (dtype == at::kFloat)
    expandAll(weight, shape[0], whole.mutable_data_ptr<float>());
  else
    expandAll(weight, shape[0], writable<rows::bf16>(whole));
  return whole;
}

// keel::dequantise: -> [out, in] with its elements
at::Tensor dequantise(const at::Tensor& weight) {
  return isQuantised(weight) ? expanded(weight) : weight.clone();
}

// The memory of the blocks may be freed: processes divide them.
const Quantised& partsAnywhere(const at::Tensor& weight) {
  const auto* impl = dynamic_cast<Opaque*>(weight.unsafeGetTensorImpl());
  TORCH_CHECK(impl != nullptr, "expected a quantised weight, got ", weight.sizes(), " ",
              weight.scalar_type());
  return *const_cast<Opaque*>(impl)->opaque_handle();
}

int64_t quantisedBytes(const at::Tensor& weight) {
  const Quantised& parts = partsAnywhere(weight);
  return static_cast<int64_t>(parts.bytes.nbytes() + parts.scales.nbytes());
}

// keel::quantised_parts: its bytes, and the scales that blocks share ([0]: none)
std::tuple<at::Tensor, at::Tensor> partsOfWeight(const at::Tensor& weight) {
  const Quantised& parts = quantisedParts(weight);
  return {parts.bytes, parts.scales};
}

// keel::with_quantised_parts: a weight like this one, with its bytes and scales elsewhere
at::Tensor withParts(const at::Tensor& weight, const at::Tensor& bytes, const at::Tensor& scales) {
  Quantised parts = partsAnywhere(weight);
  TORCH_CHECK(bytes.is_contiguous() && bytes.scalar_type() == at::kByte &&
                  bytes.numel() == parts.bytes.numel() && scales.is_contiguous() &&
                  scales.scalar_type() == at::kFloat && scales.numel() == parts.scales.numel(),
              "expected ", parts.bytes.numel(), " bytes and ", parts.scales.numel(),
              " float32 scales, got ", bytes.sizes(), " ", bytes.scalar_type(), " and ",
              scales.sizes(), " ", scales.scalar_type());
  parts.bytes = bytes;
  parts.scales = scales;
  return at::detail::make_tensor<Opaque>(c10::DispatchKeySet(c10::DispatchKey::CPU),
                                         c10::scalarTypeToTypeMeta(weight.scalar_type()), at::kCPU,
                                         std::make_shared<const Quantised>(std::move(parts)),
                                         weight.sizes());
}

// keel::quantised_rows: the rows of some tokens, int64 [T] -> [T, in]
at::Tensor quantisedRows(const at::Tensor& weight, const at::Tensor& tokens) {
  const Quantised& parts = quantisedParts(weight);
  TORCH_CHECK(tokens.dim() == 1 && tokens.is_cpu() && tokens.scalar_type() == at::kLong,
              "quantised_rows takes int64 [T] on the CPU, got ", tokens.sizes(), " ",
              tokens.scalar_type());
  const int64_t size = weight.size(1), rows = weight.size(0);
  const at::Tensor wanted = tokens.contiguous();
  const int64_t* at = wanted.const_data_ptr<int64_t>();
  const at::Tensor found = at::empty({tokens.size(0), size}, weight.options());
  for (int64_t i = 0; i < tokens.size(0); ++i) {
    TORCH_CHECK(at[i] >= 0 && at[i] < rows, "token ", at[i], " is outside the vocabulary of ",
                rows);
    if (weight.scalar_type() == at::kFloat)
      parts.expandRows(at[i], 1, found.mutable_data_ptr<float>() + i * size);
    else
      parts.expandRows(at[i], 1, writable<rows::bf16>(found) + i * size);
  }
  return found;
}

}  // namespace

void Quantised::expandRows(int64_t first, int64_t rows, float* to) const {
  quantised::expand().toFloat(type, bytes.const_data_ptr<uint8_t>(), sharedOf(scales),
                              first * blocksPerRow, rows * groupsPerRow, to);
}
void Quantised::expandRows(int64_t first, int64_t rows, rows::bf16* to) const {
  quantised::expand().toBf16(type, bytes.const_data_ptr<uint8_t>(), sharedOf(scales),
                             first * blocksPerRow, rows * groupsPerRow, to);
}

bool Quantised::dot(int64_t first, int64_t features, const rows::bf16* x, int64_t rows, float* y,
                    int64_t stride) const {
  return quantised::dot({type, bytes.const_data_ptr<uint8_t>(), sharedOf(scales),
                         first * blocksPerRow, blocksPerRow, features, x, rows,
                         groupsPerRow * kGroup, y, stride});
}

bool isQuantised(const at::Tensor& weight) {
  return weight.defined() && dynamic_cast<const Opaque*>(weight.unsafeGetTensorImpl()) != nullptr;
}

const Quantised& quantisedParts(const at::Tensor& weight) {
  const Quantised& parts = partsAnywhere(weight);
  TORCH_CHECK(parts.bytes.numel() == 0 || parts.bytes.storage().data() != nullptr,
              "the memory of this quantised weight is freed. It is divided among processes: gather "
              "it before it is used");
  return parts;
}

at::Tensor expanded(const at::Tensor& weight) {
  if (!isQuantised(weight)) return weight;
  return expandedParts(quantisedParts(weight), weight.sizes(), weight.scalar_type());
}

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "quantised(Tensor bytes, str type, int[] shape, ScalarType dtype, Tensor? scales=None) -> "
      "Tensor");
  library.def("is_quantised(Tensor weight) -> bool");
  library.def("quantised_bytes(Tensor weight) -> int");
  library.def("quantised_parts(Tensor weight) -> (Tensor bytes, Tensor scales)");
  library.def(
      "with_quantised_parts(Tensor weight, Tensor bytes, Tensor scales) -> Tensor");
  library.def("dequantise(Tensor weight) -> Tensor");
  library.def("quantised_rows(Tensor weight, Tensor tokens) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CPU, library) {
  library.impl("quantised", quantisedWeight);
  library.impl("is_quantised", isQuantised);
  library.impl("quantised_bytes", quantisedBytes);
  library.impl("quantised_parts", partsOfWeight);
  library.impl("with_quantised_parts", withParts);
  library.impl("dequantise", dequantise);
  library.impl("quantised_rows", quantisedRows);
}

}  // namespace keel
