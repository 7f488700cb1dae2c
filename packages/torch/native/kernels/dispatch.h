// From a tensor's element type to the row loops of that type.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "rows/rows.h"

namespace keel {

template <typename T>
const rows::Table<T>& table();
template <>
inline const rows::Table<float>& table<float>() {
  return *rows::tables().f32;
}
template <>
inline const rows::Table<double>& table<double>() {
  return *rows::tables().f64;
}
template <>
inline const rows::Table<rows::bf16>& table<rows::bf16>() {
  return *rows::tables().b16;
}

// Whether the row loops take this tensor; else the composed form computes it.
inline bool hasRows(const at::Tensor& tensor) {
  const auto type = tensor.scalar_type();
  return tensor.is_cpu() && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16);
}

// Calls body with a value of the tensor's element type.
template <typename Body>
void withType(const at::Tensor& tensor, Body body) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return body(float{});
    case at::kDouble:
      return body(double{});
    case at::kBFloat16:
      return body(rows::bf16{});
    default:
      TORCH_CHECK(false, "no row loops for ", tensor.scalar_type());
  }
}

template <typename T>
const T* readOnly(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}
template <typename T>
T* writable(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

// Row loops read raw memory: every tensor of a call must lie on the same device.
inline void checkDevice(const char* name, const at::Tensor& first, at::TensorList others) {
  for (const at::Tensor& other : others)
    TORCH_CHECK(other.device() == first.device(), name, ": all tensors must be on one device, got ",
                first.device(), " and ", other.device());
}

// The same, and of one element type.
inline void checkKind(const char* name, const at::Tensor& first, at::TensorList others) {
  checkDevice(name, first, others);
  for (const at::Tensor& other : others)
    TORCH_CHECK(other.scalar_type() == first.scalar_type(), name,
                ": all tensors must have one type, got ", first.scalar_type(), " and ",
                other.scalar_type());
}

// float32, or float64 for float64: the type of sums.
inline at::ScalarType wideType(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

// Rows of about this many elements are worth a thread.
inline int64_t grain(int64_t elementsPerRow) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, elementsPerRow));
}

}  // namespace keel
