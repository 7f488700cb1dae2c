// The parts of every addon function: arguments, the state of its JavaScript thread, exceptions.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/util/Exception.h>
#include <node_api.h>

#include <exception>
#include <string>
#include <vector>

#include "convert.h"
#include "handles.h"

namespace keel {

struct Operator {
  c10::OperatorHandle handle;
  size_t argumentCount;
  size_t returnCount;
};

// One per JavaScript thread (the main one and each worker): threads do not share tensors.
struct Instance {
  HandleTable handles;
  std::vector<Operator> operators;
  int64_t reportedBytes = 0;
};

inline Instance& instance(napi_env env) {
  void* data = nullptr;
  check(env, napi_get_instance_data(env, &data));
  return *static_cast<Instance*>(data);
}

constexpr size_t kMaxArguments = 48;

struct Arguments {
  size_t count = kMaxArguments;
  // Missing arguments are undefined.
  napi_value values[kMaxArguments];
  void* data = nullptr;
  Arguments(napi_env env, napi_callback_info info) {
    check(env, napi_get_cb_info(env, info, &count, values, nullptr, &data));
    if (count > kMaxArguments)
      throw std::runtime_error(std::to_string(count) + " arguments are more than the " +
                               std::to_string(kMaxArguments) + " possible");
  }
  napi_value operator[](size_t i) const { return values[i]; }
};

// Turns any C++ exception into a JavaScript Error. The message starts with `context`.
template <typename Body, typename Context>
napi_value guarded(napi_env env, Body body, Context context) noexcept {
  try {
    std::string message;
    try {
      return body();
    } catch (const JsException&) {
      return nullptr;
    } catch (const c10::Error& error) {
      message = error.what_without_backtrace();
    } catch (const std::exception& error) {
      message = error.what();
    } catch (...) {
      message = "unknown C++ exception";
    }
    std::string before;
    try {
      before = context();
    } catch (...) {
      // If the context fails, the message alone is still useful.
    }
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw_error(env, nullptr, (before + message).c_str());
  } catch (...) {
    // No memory is left for the message.
    napi_throw_error(env, nullptr, "out of memory while an error was reported");
  }
  return nullptr;
}

// Wraps a C++ function as a JavaScript function. Its name, the property's data, starts its error
// messages.
template <napi_value (*Body)(napi_env, const Arguments&)>
napi_value entry(napi_env env, napi_callback_info info) {
  const char* name = "";
  return guarded(
      env,
      [&] {
        const Arguments args(env, info);
        name = static_cast<const char*>(args.data);
        return Body(env, args);
      },
      [&] { return *name ? std::string(name) + ": " : std::string(); });
}

inline napi_value undefinedValue(napi_env env) {
  napi_value result;
  check(env, napi_get_undefined(env, &result));
  return result;
}

inline napi_value fromBool(napi_env env, bool value) {
  napi_value result;
  check(env, napi_get_boolean(env, value, &result));
  return result;
}

inline const at::Tensor& tensorAt(napi_env env, const Arguments& args, size_t i) {
  return instance(env).handles.get(toNumber(env, args[i]));
}

}  // namespace keel
