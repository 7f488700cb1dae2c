// Maps a tensor's element type to the row loops for that type.
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

// Whether the row loops support this tensor. Otherwise the composed form is used.
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
      TORCH_CHECK(false, "row loops do not support ", tensor.scalar_type());
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

// Row loops read raw memory: all tensors of a call must be on the same device.
inline void checkDevice(const char* name, const at::Tensor& first, at::TensorList others) {
  for (const at::Tensor& other : others)
    TORCH_CHECK(other.device() == first.device(), name,
                ": all tensors must be on the same device, got ", first.device(), " and ",
                other.device());
}

// Also requires the same element type.
inline void checkKind(const char* name, const at::Tensor& first, at::TensorList others) {
  checkDevice(name, first, others);
  for (const at::Tensor& other : others)
    TORCH_CHECK(other.scalar_type() == first.scalar_type(), name,
                ": all tensors must have the same type, got ", first.scalar_type(), " and ",
                other.scalar_type());
}

// The type of sums: float64 for float64, else float32.
inline at::ScalarType wideType(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

// Number of rows that make a thread worthwhile.
inline int64_t grain(int64_t elementsPerRow) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, elementsPerRow));
}

}  // namespace keel
