// The addon's surface: the boxed operator call, tensor exchange, autograd, random state, memory.
// All else (modules, optimisers, scopes) is TypeScript.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <node_api.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <cstring>
#include <map>
#include <sstream>

#include "convert.h"
#include "handles.h"

namespace keel {
namespace {

struct Operator {
  c10::OperatorHandle handle;
  size_t argumentCount;
  size_t returnCount;
};

std::vector<Operator>& operators() {
  static auto* table = new std::vector<Operator>();
  return *table;
}

constexpr size_t kMaxArguments = 48;

struct Arguments {
  size_t count = kMaxArguments;
  napi_value values[kMaxArguments];
  Arguments(napi_env env, napi_callback_info info) {
    check(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
  }
  napi_value operator[](size_t i) const { return values[i]; }
};

// Turns whatever C++ throws into a JavaScript Error. `context` adds the operator and the shapes.
template <typename Body, typename Context>
napi_value guarded(napi_env env, Body body, Context context) {
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
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, nullptr, (context() + message).c_str());
  return nullptr;
}

template <napi_value (*Body)(napi_env, const Arguments&)>
napi_value entry(napi_env env, napi_callback_info info) {
  return guarded(
      env, [&] { return Body(env, Arguments(env, info)); }, [] { return std::string(); });
}

napi_value undefinedValue(napi_env env) {
  napi_value result;
  check(env, napi_get_undefined(env, &result));
  return result;
}

napi_value fromBool(napi_env env, bool value) {
  napi_value result;
  check(env, napi_get_boolean(env, value, &result));
  return result;
}

const at::Tensor& tensorAt(napi_env env, const Arguments& args, size_t i) {
  return handles().get(toNumber(env, args[i]));
}

// findOperator(name, overload) -> index for call()
napi_value findOperator(napi_env env, const Arguments& args) {
  const std::string name = toString(env, args[0]);
  const std::string overload = toString(env, args[1]);
  auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload.c_str());
  const auto& schema = handle.schema();
  operators().push_back({handle, schema.arguments().size(), schema.returns().size()});
  return fromNumber(env, static_cast<double>(operators().size() - 1));
}

std::string callContext(const Operator& op, const std::vector<c10::IValue>& stack) {
  std::ostringstream text;
  text << op.handle.schema().name();
  if (!op.handle.schema().overload_name().empty()) text << '.' << op.handle.schema().overload_name();
  text << '(';
  for (size_t i = 0; i < stack.size(); ++i) {
    if (i) text << ", ";
    if (i < op.argumentCount) text << op.handle.schema().arguments()[i].name() << ": ";
    if (stack[i].isTensor()) text << describe(stack[i].toTensor());
    else if (stack[i].isTensorList()) {
      text << '[';
      for (const auto& t : stack[i].toTensorVector()) text << describe(t) << "; ";
      text << ']';
    } else text << stack[i];
  }
  text << "): ";
  return text.str();
}

// call(operator, ...arguments) -> handle | number | array of them
napi_value call(napi_env env, napi_callback_info info) {
  std::vector<c10::IValue> stack;
  std::vector<c10::IValue> shown;  // only filled when something goes wrong
  const Operator* op = nullptr;
  return guarded(
      env,
      [&]() -> napi_value {
        Arguments args(env, info);
        const auto index = static_cast<size_t>(toNumber(env, args[0]));
        op = &operators().at(index);
        const auto& schema = op->handle.schema();
        if (args.count - 1 > op->argumentCount) throw std::runtime_error("too many arguments");
        stack.reserve(std::max(op->argumentCount, op->returnCount));
        for (size_t i = 0; i < op->argumentCount; ++i) {
          const auto& argument = schema.arguments()[i];
          const bool given = i + 1 < args.count && !isAbsent(env, args[i + 1]);
          if (given) {
            try {
              stack.push_back(toIValue(env, args[i + 1], argument.real_type()));
            } catch (const std::exception& error) {
              shown = stack;
              throw std::runtime_error("argument \"" + argument.name() + "\": " + error.what());
            }
          } else if (argument.default_value().has_value()) {
            stack.push_back(*argument.default_value());
          } else if (argument.real_type()->kind() == c10::TypeKind::OptionalType) {
            stack.emplace_back();
          } else {
            shown = stack;
            throw std::runtime_error("argument \"" + argument.name() + "\" is missing");
          }
        }
        try {
          op->handle.callBoxed(stack);
        } catch (...) {
          // The stack may have been consumed: convert the arguments again for the message.
          shown.clear();
          for (size_t i = 0; i < op->argumentCount && i + 1 < args.count; ++i) {
            if (isAbsent(env, args[i + 1])) shown.emplace_back();
            else shown.push_back(toIValue(env, args[i + 1], schema.arguments()[i].real_type()));
          }
          throw;
        }
        if (stack.empty()) return undefinedValue(env);
        if (stack.size() == 1) return fromIValue(env, stack[0]);
        napi_value result;
        check(env, napi_create_array_with_length(env, stack.size(), &result));
        for (size_t i = 0; i < stack.size(); ++i)
          check(env, napi_set_element(env, result, static_cast<uint32_t>(i), fromIValue(env, stack[i])));
        return result;
      },
      [&] { return op ? callContext(*op, shown) : std::string(); });
}

// schemas(name) -> [{overload, schema, arguments: [{name, type, hasDefault, keywordOnly}], returns: [type]}]
napi_value schemas(napi_env env, const Arguments& args) {
  const std::string wanted = toString(env, args[0]);
  napi_value list;
  check(env, napi_create_array(env, &list));
  uint32_t count = 0;
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name != wanted) continue;
    const auto op = c10::Dispatcher::singleton().findSchema(name);
    if (!op) continue;
    napi_value entry, arguments, returns;
    check(env, napi_create_object(env, &entry));
    check(env, napi_create_array(env, &arguments));
    check(env, napi_create_array(env, &returns));
    std::ostringstream text;
    text << op->schema();
    check(env, napi_set_named_property(env, entry, "overload", fromString(env, name.overload_name)));
    check(env, napi_set_named_property(env, entry, "schema", fromString(env, text.str())));
    uint32_t i = 0;
    for (const auto& argument : op->schema().arguments()) {
      napi_value one;
      check(env, napi_create_object(env, &one));
      check(env, napi_set_named_property(env, one, "name", fromString(env, argument.name())));
      check(env, napi_set_named_property(env, one, "type", fromString(env, argument.real_type()->str())));
      check(env, napi_set_named_property(env, one, "hasDefault", fromBool(env, argument.default_value().has_value())));
      check(env, napi_set_named_property(env, one, "keywordOnly", fromBool(env, argument.kwarg_only())));
      check(env, napi_set_element(env, arguments, i++, one));
    }
    i = 0;
    for (const auto& result : op->schema().returns())
      check(env, napi_set_element(env, returns, i++, fromString(env, result.real_type()->str())));
    check(env, napi_set_named_property(env, entry, "arguments", arguments));
    check(env, napi_set_named_property(env, entry, "returns", returns));
    check(env, napi_set_element(env, list, count++, entry));
  }
  return list;
}

// dispose(handle) -> whether it was alive
napi_value dispose(napi_env env, const Arguments& args) {
  return fromBool(env, handles().dispose(toNumber(env, args[0])));
}

// Disposes every handle of an array: one call at the end of a scope.
napi_value disposeAll(napi_env env, const Arguments& args) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, args[0], &length));
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    check(env, napi_get_element(env, args[0], i, &element));
    handles().dispose(toNumber(env, element));
  }
  return undefinedValue(env);
}

napi_value alive(napi_env env, const Arguments& args) {
  return fromBool(env, handles().alive(toNumber(env, args[0])));
}

napi_value numberArray(napi_env env, c10::IntArrayRef values) {
  napi_value result;
  check(env, napi_create_array_with_length(env, values.size(), &result));
  for (size_t i = 0; i < values.size(); ++i)
    check(env, napi_set_element(env, result, static_cast<uint32_t>(i), fromNumber(env, static_cast<double>(values[i]))));
  return result;
}

napi_value shape(napi_env env, const Arguments& args) { return numberArray(env, tensorAt(env, args, 0).sizes()); }
napi_value strides(napi_env env, const Arguments& args) { return numberArray(env, tensorAt(env, args, 0).strides()); }
napi_value scalarType(napi_env env, const Arguments& args) {
  return fromNumber(env, static_cast<double>(tensorAt(env, args, 0).scalar_type()));
}
napi_value device(napi_env env, const Arguments& args) { return fromString(env, tensorAt(env, args, 0).device().str()); }
napi_value requiresGrad(napi_env env, const Arguments& args) {
  return fromBool(env, tensorAt(env, args, 0).requires_grad());
}
napi_value setRequiresGrad(napi_env env, const Arguments& args) {
  tensorAt(env, args, 0).set_requires_grad(toNumber(env, args[1]) != 0);
  return undefinedValue(env);
}

// gradient(handle) -> handle of its gradient, or null
napi_value gradient(napi_env env, const Arguments& args) {
  return fromIValue(env, tensorAt(env, args, 0).grad());
}

// setGradient(handle, handle | null)
napi_value setGradient(napi_env env, const Arguments& args) {
  const at::Tensor& tensor = tensorAt(env, args, 0);
  tensor.mutable_grad() = isAbsent(env, args[1]) ? at::Tensor() : tensorAt(env, args, 1);
  return undefinedValue(env);
}

// backward(root, gradient | undefined): adds to the leaves' gradients
napi_value backward(napi_env env, const Arguments& args) {
  const at::Tensor& root = tensorAt(env, args, 0);
  std::vector<at::Tensor> seeds;
  if (args.count > 1 && !isAbsent(env, args[1])) seeds.push_back(tensorAt(env, args, 1));
  torch::autograd::backward({root}, seeds);
  return undefinedValue(env);
}

std::vector<at::Tensor> tensorList(napi_env env, napi_value value) {
  return toIValue(env, value, c10::ListType::ofTensors()).toTensorVector();
}

// gradients(outputs, inputs, seeds) -> handles or null, one an input
napi_value gradients(napi_env env, const Arguments& args) {
  const auto results = torch::autograd::grad(
      tensorList(env, args[0]), tensorList(env, args[1]), tensorList(env, args[2]), std::nullopt, false, true);
  napi_value list;
  check(env, napi_create_array_with_length(env, results.size(), &list));
  for (size_t i = 0; i < results.size(); ++i)
    check(env, napi_set_element(env, list, static_cast<uint32_t>(i), fromIValue(env, results[i])));
  return list;
}

// setGradEnabled(flag) -> what it was
napi_value setGradEnabled(napi_env env, const Arguments& args) {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(toNumber(env, args[0]) != 0);
  return fromBool(env, before);
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
  napi_typedarray_type type;
  size_t elements = 0;
  check(env, napi_get_typedarray_info(env, value, &type, &elements, &bytes.data, nullptr, nullptr));
  static const std::map<napi_typedarray_type, size_t> sizes = {
      {napi_int8_array, 1}, {napi_uint8_array, 1}, {napi_uint8_clamped_array, 1}, {napi_int16_array, 2},
      {napi_uint16_array, 2}, {napi_int32_array, 4}, {napi_uint32_array, 4}, {napi_float32_array, 4},
      {napi_float64_array, 8}, {napi_bigint64_array, 8}, {napi_biguint64_array, 8}};
  const auto found = sizes.find(type);
  if (found == sizes.end()) throw std::runtime_error("this kind of typed array is not supported");
  bytes.length = elements * found->second;
  return bytes;
}

// fromBytes(typedArray, scalarType, shape) -> a new CPU tensor holding a copy
napi_value fromBytes(napi_env env, const Arguments& args) {
  const Bytes bytes = bytesOf(env, args[0]);
  const auto type = static_cast<at::ScalarType>(static_cast<int>(toNumber(env, args[1])));
  const auto size = toIValue(env, args[2], c10::ListType::ofInts()).toIntVector();
  size_t count = 1;
  for (const int64_t extent : size) count *= static_cast<size_t>(extent);
  if (count * c10::elementSize(type) != bytes.length) {
    std::ostringstream text;
    text << "shape " << c10::IntArrayRef(size) << " of " << c10::toString(type) << " needs "
         << count * c10::elementSize(type) << " bytes, the array has " << bytes.length;
    throw std::runtime_error(text.str());
  }
  at::Tensor tensor = at::empty(size, at::TensorOptions().dtype(type));
  if (bytes.length > 0) std::memcpy(tensor.mutable_data_ptr(), bytes.data, bytes.length);
  return fromNumber(env, handles().add(tensor));
}

// toBytes(handle, typedArray): copies the tensor's elements, row-major, into an array of the same size
napi_value toBytes(napi_env env, const Arguments& args) {
  const at::Tensor tensor = tensorAt(env, args, 0).detach().cpu().contiguous();
  const Bytes bytes = bytesOf(env, args[1]);
  if (bytes.length != tensor.nbytes())
    throw std::runtime_error("the array has " + std::to_string(bytes.length) + " bytes, the tensor " + std::to_string(tensor.nbytes()));
  if (bytes.length > 0) std::memcpy(bytes.data, tensor.const_data_ptr(), bytes.length);
  return undefinedValue(env);
}

napi_value item(napi_env env, const Arguments& args) {
  const at::Tensor& tensor = tensorAt(env, args, 0);
  if (tensor.numel() != 1) throw std::runtime_error("item() needs one element, the tensor is " + describe(tensor));
  return fromNumber(env, tensor.item().toDouble());
}

at::Generator generatorOf(const std::string& name) {
  return at::globalContext().defaultGenerator(c10::Device(name));
}

napi_value seed(napi_env env, const Arguments& args) {
  at::Generator generator = generatorOf(toString(env, args[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(static_cast<uint64_t>(toNumber(env, args[1])));
  return undefinedValue(env);
}

// randomState(device) -> handle of a uint8 tensor
napi_value randomState(napi_env env, const Arguments& args) {
  at::Generator generator = generatorOf(toString(env, args[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  return fromNumber(env, handles().add(generator.get_state()));
}

napi_value setRandomState(napi_env env, const Arguments& args) {
  at::Generator generator = generatorOf(toString(env, args[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(tensorAt(env, args, 1));
  return undefinedValue(env);
}

// memory() -> {tensors, bytes}; also tells V8 how much lies outside its heap
napi_value memory(napi_env env, const Arguments&) {
  static int64_t reported = 0;
  const auto bytes = static_cast<int64_t>(handles().bytes());
  int64_t total = 0;
  check(env, napi_adjust_external_memory(env, bytes - reported, &total));
  reported = bytes;
  napi_value result;
  check(env, napi_create_object(env, &result));
  check(env, napi_set_named_property(env, result, "tensors", fromNumber(env, static_cast<double>(handles().count()))));
  check(env, napi_set_named_property(env, result, "bytes", fromNumber(env, static_cast<double>(bytes))));
  return result;
}

napi_value threads(napi_env env, const Arguments& args) {
  if (args.count > 0 && !isAbsent(env, args[0])) at::set_num_threads(static_cast<int>(toNumber(env, args[0])));
  return fromNumber(env, at::get_num_threads());
}

napi_value build(napi_env env, const Arguments&) {
  napi_value result;
  check(env, napi_create_object(env, &result));
  const auto set = [&](const char* name, napi_value value) { check(env, napi_set_named_property(env, result, name, value)); };
  set("version", fromString(env, TORCH_VERSION));
  set("config", fromString(env, at::show_config()));
  set("parallel", fromString(env, at::get_parallel_info()));
  set("cpuCapability", fromString(env, at::get_cpu_capability()));
  set("cuda", fromBool(env, at::hasCUDA()));
  set("cudaDevices", fromNumber(env, static_cast<double>(at::detail::getCUDAHooks().deviceCount())));
  return result;
}

napi_value initialise(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
#define KEEL_ENTRY(name) {#name, nullptr, entry<name>, nullptr, nullptr, nullptr, napi_enumerable, nullptr}
      {"call", nullptr, call, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      KEEL_ENTRY(findOperator), KEEL_ENTRY(schemas), KEEL_ENTRY(dispose), KEEL_ENTRY(disposeAll), KEEL_ENTRY(alive),
      KEEL_ENTRY(shape), KEEL_ENTRY(strides), KEEL_ENTRY(scalarType), KEEL_ENTRY(device), KEEL_ENTRY(requiresGrad),
      KEEL_ENTRY(setRequiresGrad), KEEL_ENTRY(gradient), KEEL_ENTRY(setGradient), KEEL_ENTRY(backward),
      KEEL_ENTRY(gradients), KEEL_ENTRY(setGradEnabled), KEEL_ENTRY(fromBytes), KEEL_ENTRY(toBytes), KEEL_ENTRY(item),
      KEEL_ENTRY(seed), KEEL_ENTRY(randomState), KEEL_ENTRY(setRandomState), KEEL_ENTRY(memory), KEEL_ENTRY(threads),
      KEEL_ENTRY(build),
#undef KEEL_ENTRY
  };
  napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]), properties);
  return exports;
}

}  // namespace
}  // namespace keel

NAPI_MODULE(keel_torch, keel::initialise)
