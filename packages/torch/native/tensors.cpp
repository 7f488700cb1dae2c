// Single tensors: freeing, properties, exchange with typed arrays.
#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <sstream>

#include "surface.h"

namespace keel {
namespace {

napi_value numberArray(napi_env env, c10::IntArrayRef values) {
  napi_value result;
  check(env, napi_create_array_with_length(env, values.size(), &result));
  for (size_t i = 0; i < values.size(); ++i)
    check(env, napi_set_element(env, result, static_cast<uint32_t>(i),
                                fromNumber(env, static_cast<double>(values[i]))));
  return result;
}

struct Bytes {
  void* data = nullptr;
  size_t length = 0;
};

Bytes bytesOf(napi_env env, napi_value value) {
  Bytes bytes;
  bool isTyped = false;
  check(env, napi_is_typedarray(env, value, &isTyped));
  if (!isTyped) throw std::runtime_error("expected a typed array");
  auto type =
      static_cast<napi_typedarray_type>(-1);  // stays if this Node-API does not know the kind
  size_t elements = 0;
  check(env, napi_get_typedarray_info(env, value, &type, &elements, &bytes.data, nullptr, nullptr));
  static const std::map<napi_typedarray_type, size_t> sizes = {
      {napi_int8_array, 1},     {napi_uint8_array, 1},    {napi_uint8_clamped_array, 1},
      {napi_int16_array, 2},    {napi_uint16_array, 2},   {napi_int32_array, 4},
      {napi_uint32_array, 4},   {napi_float32_array, 4},  {napi_float64_array, 8},
      {napi_bigint64_array, 8}, {napi_biguint64_array, 8}};
  const auto found = sizes.find(type);
  if (found == sizes.end()) throw std::runtime_error("this kind of typed array is not supported");
  bytes.length = elements * found->second;
  return bytes;
}

}  // namespace

// dispose(handle) -> whether it was alive
napi_value dispose(napi_env env, const Arguments& args) {
  return fromBool(env, instance(env).handles.dispose(toNumber(env, args[0])));
}

// Disposes every handle in an array: one call at the end of a scope.
napi_value disposeAll(napi_env env, const Arguments& args) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, args[0], &length));
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    check(env, napi_get_element(env, args[0], i, &element));
    instance(env).handles.dispose(toNumber(env, element));
  }
  return undefinedValue(env);
}

napi_value alive(napi_env env, const Arguments& args) {
  return fromBool(env, instance(env).handles.alive(toNumber(env, args[0])));
}

napi_value shape(napi_env env, const Arguments& args) {
  return numberArray(env, tensorAt(env, args, 0).sizes());
}
napi_value strides(napi_env env, const Arguments& args) {
  return numberArray(env, tensorAt(env, args, 0).strides());
}
napi_value scalarType(napi_env env, const Arguments& args) {
  return fromNumber(env, static_cast<double>(tensorAt(env, args, 0).scalar_type()));
}
napi_value device(napi_env env, const Arguments& args) {
  return fromString(env, tensorAt(env, args, 0).device().str());
}
napi_value requiresGrad(napi_env env, const Arguments& args) {
  return fromBool(env, tensorAt(env, args, 0).requires_grad());
}
napi_value setRequiresGrad(napi_env env, const Arguments& args) {
  tensorAt(env, args, 0).requires_grad_(toNumber(env, args[1]) != 0);
  return undefinedValue(env);
}

// setAllocated(handle, flag): allocates the memory of a contiguous tensor, and of all tensors that
// share it, or frees it. New memory is not initialised.
napi_value setAllocated(napi_env env, const Arguments& args) {
  const at::Tensor& tensor = tensorAt(env, args, 0);
  if (!tensor.is_contiguous() || tensor.storage_offset() != 0)
    throw std::runtime_error("the tensor must be a whole one, not a view");
  const c10::Storage& storage = tensor.storage();
  const bool has = storage.nbytes() > 0;
  const bool wanted = toNumber(env, args[1]) != 0;
  if (has == wanted) return undefinedValue(env);
  const size_t bytes = wanted ? tensor.nbytes() : 0;
  storage.set_data_ptr_noswap(wanted ? storage.allocator()->allocate(bytes)
                                     : at::DataPtr(nullptr, tensor.device()));
  storage.set_nbytes(bytes);
  return undefinedValue(env);
}

// fromBytes(typedArray, scalarType, shape) -> a new CPU tensor holding a copy
napi_value fromBytes(napi_env env, const Arguments& args) {
  const Bytes bytes = bytesOf(env, args[0]);
  const auto type =
      static_cast<at::ScalarType>(toIValue(env, args[1], c10::IntType::get()).toInt());
  const auto size = toIValue(env, args[2], c10::ListType::ofInts()).toIntVector();
  uint64_t needed = c10::elementSize(type);
  bool possible = true;
  for (const int64_t extent : size)
    possible = possible && extent >= 0 &&
               !__builtin_mul_overflow(needed, static_cast<uint64_t>(extent), &needed);
  if (!possible || needed != bytes.length) {
    std::ostringstream text;
    text << "shape " << c10::IntArrayRef(size) << " of " << c10::toString(type) << ' ';
    if (possible)
      text << "needs " << needed << " bytes, the array has " << bytes.length;
    else
      text << "is not possible";
    throw std::runtime_error(text.str());
  }
  at::Tensor tensor = at::empty(size, at::TensorOptions().dtype(type));
  if (type == at::kBool) {
    // A bool whose byte is neither 0 nor 1 would be neither true nor false.
    const auto* from = static_cast<const uint8_t*>(bytes.data);
    std::transform(from, from + bytes.length, tensor.mutable_data_ptr<bool>(),
                   [](uint8_t byte) { return byte != 0; });
  } else if (bytes.length > 0) {
    std::memcpy(tensor.mutable_data_ptr(), bytes.data, bytes.length);
  }
  return fromNumber(env, instance(env).handles.add(tensor));
}

// toBytes(handle, typedArray): copies the tensor's elements, row-major, into an array of the same
// size
napi_value toBytes(napi_env env, const Arguments& args) {
  const at::Tensor tensor = allocated(tensorAt(env, args, 0)).detach().cpu().contiguous();
  const Bytes bytes = bytesOf(env, args[1]);
  if (bytes.length != tensor.nbytes())
    throw std::runtime_error("the array has " + std::to_string(bytes.length) +
                             " bytes, the tensor " + std::to_string(tensor.nbytes()));
  if (bytes.length > 0) std::memcpy(bytes.data, tensor.const_data_ptr(), bytes.length);
  return undefinedValue(env);
}

napi_value item(napi_env env, const Arguments& args) {
  const at::Tensor& tensor = allocated(tensorAt(env, args, 0));
  if (tensor.numel() != 1)
    throw std::runtime_error("item() needs one element, the tensor is " + describe(tensor));
  const at::Scalar value = tensor.item();
  const bool whole = value.isIntegral(false);
  return fromNumber(env, whole ? exactly(value.toLong()) : value.toDouble());
}

}  // namespace keel
