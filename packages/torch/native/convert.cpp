#include "convert.h"

#include <ATen/ATen.h>
#include <ATen/core/Generator.h>

#include <cmath>
#include <sstream>

#include "entry.h"

namespace keel {

void throwError(napi_env env, const std::string& message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, nullptr, message.c_str());
  throw JsException{};
}

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throwError(env, info && info->error_message ? info->error_message : "a Node-API call failed");
}

double toNumber(napi_env env, napi_value value) {
  double number = 0;
  napi_status status = napi_get_value_double(env, value, &number);
  if (status == napi_ok) return number;
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  if (type == napi_boolean) {
    bool flag = false;
    check(env, napi_get_value_bool(env, value, &flag));
    return flag ? 1 : 0;
  }
  if (type == napi_bigint) {
    int64_t big = 0;
    bool lossless = false;
    check(env, napi_get_value_bigint_int64(env, value, &big, &lossless));
    return static_cast<double>(big);
  }
  throw std::runtime_error("expected a number");
}

std::string toString(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok)
    throw std::runtime_error("expected a string");
  std::string text(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

napi_value fromNumber(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result));
  return result;
}

napi_value fromString(napi_env env, const std::string& value) {
  napi_value result;
  check(env, napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}

bool isAbsent(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type == napi_undefined || type == napi_null;
}

constexpr double kExactLimit = 9007199254740992.0;  // 2^53: above it, not every whole number exists

static napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type;
}

static int64_t bigInteger(napi_env env, napi_value value) {
  int64_t big = 0;
  bool lossless = false;
  check(env, napi_get_value_bigint_int64(env, value, &big, &lossless));
  if (!lossless) throw std::runtime_error("the BigInt does not fit in 64 bits");
  return big;
}

int64_t toInteger(napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    if (typeOf(env, value) == napi_bigint) return bigInteger(env, value);
    number = toNumber(env, value);
  }
  if (number != std::floor(number) || !std::isfinite(number)) {
    std::ostringstream text;
    text << "expected a whole number, got " << number;
    throw std::runtime_error(text.str());
  }
  if (std::abs(number) >= kExactLimit)
    throw std::runtime_error("whole numbers from 2^53 are not exact. Pass a BigInt");
  return static_cast<int64_t>(number);
}

double exactly(int64_t value) {
  if (value > static_cast<int64_t>(kExactLimit) || value < -static_cast<int64_t>(kExactLimit))
    throw std::runtime_error(
        "the integer " + std::to_string(value) +
        " is not exact as a JavaScript number. Read it with toTypedArray()");
  return static_cast<double>(value);
}

const at::Tensor& allocated(const at::Tensor& tensor) {
  if (tensor.defined() && tensor.has_storage() && tensor.storage().nbytes() == 0 &&
      tensor.numel() > 0)
    throw std::runtime_error("the memory of the tensor " + describe(tensor) +
                             " is freed: its elements are divided among processes, and must be "
                             "gathered before they are used");
  return tensor;
}

namespace {

const at::Tensor& argument(napi_env env, napi_value value) {
  return allocated(instance(env).handles.get(toNumber(env, value)));
}

at::Scalar toScalar(napi_env env, napi_value value) {
  const napi_valuetype type = typeOf(env, value);
  if (type == napi_boolean) return at::Scalar(toNumber(env, value) != 0);
  if (type == napi_bigint) return at::Scalar(bigInteger(env, value));
  const double number = toNumber(env, value);
  // A whole number stays an integer, so that integer tensors keep their type, as in Python.
  if (number == std::floor(number) && std::abs(number) < kExactLimit &&
      !(number == 0 && std::signbit(number)))
    return at::Scalar(static_cast<int64_t>(number));
  return at::Scalar(number);
}

template <typename Visit>
void eachElement(napi_env env, napi_value value, Visit visit) {
  bool isArray = false;
  check(env, napi_is_array(env, value, &isArray));
  if (!isArray) throw std::runtime_error("expected an array");
  uint32_t length = 0;
  check(env, napi_get_array_length(env, value, &length));
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    check(env, napi_get_element(env, value, i, &element));
    visit(element);
  }
}

c10::IValue toList(napi_env env, napi_value value, const c10::TypePtr& element) {
  switch (element->kind()) {
    case c10::TypeKind::TensorType: {
      c10::List<at::Tensor> list;
      eachElement(env, value, [&](napi_value v) {
        list.push_back(argument(env, v));
      });
      return list;
    }
    case c10::TypeKind::OptionalType: {
      if (element->castRaw<c10::OptionalType>()->getElementType()->kind() !=
          c10::TypeKind::TensorType)
        throw std::runtime_error("lists of " + element->str() + " are not supported");
      c10::List<std::optional<at::Tensor>> list;
      eachElement(env, value, [&](napi_value v) {
        if (isAbsent(env, v))
          list.push_back(std::nullopt);
        else
          list.push_back(argument(env, v));
      });
      return list;
    }
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: {
      c10::List<int64_t> list;
      const napi_valuetype type = typeOf(env, value);
      if (type == napi_number || type == napi_bigint)
        list.push_back(toInteger(env, value));  // int[1] accepts a single number
      else
        eachElement(env, value, [&](napi_value v) { list.push_back(toInteger(env, v)); });
      return list;
    }
    case c10::TypeKind::FloatType: {
      c10::List<double> list;
      eachElement(env, value, [&](napi_value v) { list.push_back(toNumber(env, v)); });
      return list;
    }
    case c10::TypeKind::BoolType: {
      c10::List<bool> list;
      eachElement(env, value, [&](napi_value v) { list.push_back(toNumber(env, v) != 0); });
      return list;
    }
    default:
      throw std::runtime_error("lists of " + element->str() + " are not supported");
  }
}

}  // namespace

c10::IValue toIValue(napi_env env, napi_value value, const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return argument(env, value);
    case c10::TypeKind::OptionalType:
      if (isAbsent(env, value)) return {};
      return toIValue(env, value, type->castRaw<c10::OptionalType>()->getElementType());
    case c10::TypeKind::ListType:
      return toList(env, value, type->castRaw<c10::ListType>()->getElementType());
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return toInteger(env, value);
    case c10::TypeKind::FloatType:
      return toNumber(env, value);
    case c10::TypeKind::BoolType:
      return toNumber(env, value) != 0;
    case c10::TypeKind::NumberType:
      return toScalar(env, value);
    case c10::TypeKind::StringType:
      return toString(env, value);
    case c10::TypeKind::DeviceObjType:
      return c10::Device(toString(env, value));
    case c10::TypeKind::ScalarTypeType: {
      const int64_t code = toInteger(env, value);
      if (code < 0 || code >= static_cast<int64_t>(c10::ScalarType::NumOptions))
        throw std::runtime_error("there is no scalar type " + std::to_string(code));
      return code;
    }
    case c10::TypeKind::LayoutType:
    case c10::TypeKind::MemoryFormatType:
      return toInteger(env, value);
    default:
      throw std::runtime_error("arguments of type " + type->str() + " are not supported");
  }
}

napi_value fromIValue(napi_env env, const c10::IValue& value) {
  napi_value result;
  if (value.isTensor()) {
    if (!value.toTensor().defined()) {
      check(env, napi_get_null(env, &result));
      return result;
    }
    return fromNumber(env, instance(env).handles.add(value.toTensor()));
  }
  if (value.isNone()) {
    check(env, napi_get_undefined(env, &result));
  } else if (value.isInt()) {
    result = fromNumber(env, exactly(value.toInt()));
  } else if (value.isDouble()) {
    result = fromNumber(env, value.toDouble());
  } else if (value.isBool()) {
    check(env, napi_get_boolean(env, value.toBool(), &result));
  } else if (value.isString()) {
    result = fromString(env, value.toStringRef());
  } else if (value.isScalar()) {
    result = fromNumber(env, value.toScalar().toDouble());
  } else if (value.isTensorList() || value.isIntList() || value.isDoubleList() || value.isList()) {
    const auto list = value.toListRef();
    check(env, napi_create_array_with_length(env, list.size(), &result));
    for (size_t i = 0; i < list.size(); ++i)
      check(env, napi_set_element(env, result, static_cast<uint32_t>(i), fromIValue(env, list[i])));
  } else {
    throw std::runtime_error("results of type " + value.tagKind() + " are not supported");
  }
  return result;
}

namespace {

constexpr size_t kShownElements = 6;
constexpr size_t kShownText = 80;

// Uses PyTorch's names.
std::string typeName(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return "uint8";
    case at::kChar:
      return "int8";
    case at::kShort:
      return "int16";
    case at::kInt:
      return "int32";
    case at::kLong:
      return "int64";
    case at::kHalf:
      return "float16";
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    case at::kBool:
      return "bool";
    case at::kBFloat16:
      return "bfloat16";
    default:
      return c10::toString(type);
  }
}

}  // namespace

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream text;
  text << tensor.sizes() << ' ' << typeName(tensor.scalar_type());
  if (!tensor.is_cpu()) text << ' ' << tensor.device();
  return text.str();
}

std::string describe(const c10::IValue& value) {
  if (value.isTensor()) return describe(value.toTensor());
  std::ostringstream text;
  if (value.isList()) {
    const auto list = value.toListRef();
    const char* between = value.isTensorList() ? "; " : ", ";
    text << '[';
    for (size_t i = 0; i < list.size() && i < kShownElements; ++i)
      text << (i ? between : "") << describe(list[i]);
    if (list.size() > kShownElements) text << between << "… " << list.size() << " in all";
    text << ']';
  } else if (value.isString()) {
    const std::string& whole = value.toStringRef();
    size_t end = std::min(whole.size(), kShownText);
    while (end < whole.size() && (whole[end] & 0xC0) == 0x80) --end;  // do not split a character
    text << '"' << whole.substr(0, end) << (end < whole.size() ? "…" : "") << '"';
  } else {
    text << value;
  }
  return text.str();
}

}  // namespace keel
