// Converts between JavaScript values and the dispatcher's boxed values, by an operator's schema.
#pragma once
#include <ATen/core/ivalue.h>
#include <ATen/core/function_schema.h>
#include <node_api.h>

#include <string>

namespace keel {

// A pending JavaScript exception. It unwinds C++ to the entry point, which returns to JavaScript.
struct JsException {};

// Throws a JavaScript Error with this message (as JsException in C++).
[[noreturn]] void throwError(napi_env env, const std::string& message);
void check(napi_env env, napi_status status);

double toNumber(napi_env env, napi_value value);
std::string toString(napi_env env, napi_value value);
napi_value fromNumber(napi_env env, double value);
napi_value fromString(napi_env env, const std::string& value);

// undefined and null both mean that the argument is missing.
bool isAbsent(napi_env env, napi_value value);

// The tensor. Throws std::runtime_error if its memory is freed (setAllocated).
const at::Tensor& allocated(const at::Tensor& tensor);

// Throws std::runtime_error if the value does not fit the type.
c10::IValue toIValue(napi_env env, napi_value value, const c10::TypePtr& type);
napi_value fromIValue(napi_env env, const c10::IValue& value);

// A whole number that is exact as a JavaScript number, or a BigInt that fits in 64 bits.
int64_t toInteger(napi_env env, napi_value value);
// Throws std::runtime_error if the value is not exact as a JavaScript number.
double exactly(int64_t value);

// "[4, 8] float32" and so on, for messages. Long lists and strings are truncated.
std::string describe(const at::Tensor& tensor);
std::string describe(const c10::IValue& value);

}  // namespace keel
