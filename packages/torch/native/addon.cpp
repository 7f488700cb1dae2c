// The addon's interface: the boxed operator call (call.cpp), tensors (tensors.cpp) and, here,
// autograd, random state, memory, and loading. The rest (modules, optimisers, scopes) is
// TypeScript.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/GradMode.h>
#include <c10/util/Logging.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <mutex>

#include "allocator.h"
#include "surface.h"

namespace keel {
namespace {

// gradient(handle) -> handle of its gradient, or null
napi_value gradient(napi_env env, const Arguments& args) {
  return fromIValue(env, tensorAt(env, args, 0).grad());
}

// setGradient(handle, handle | null)
napi_value setGradient(napi_env env, const Arguments& args) {
  const at::Tensor& tensor = tensorAt(env, args, 0);
  const at::Tensor gradient = isAbsent(env, args[1]) ? at::Tensor() : tensorAt(env, args, 1);
  // LibTorch accepts any tensor here and fails later.
  if (gradient.defined() &&
      (gradient.sizes() != tensor.sizes() || gradient.scalar_type() != tensor.scalar_type() ||
       gradient.device() != tensor.device() || gradient.is_same(tensor)))
    throw std::runtime_error("the gradient of " + describe(tensor) + " cannot be " +
                             (gradient.is_same(tensor) ? "the tensor itself" : describe(gradient)));
  tensor.mutable_grad() = gradient;
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

// Not `toIValue`: the memory of a leaf may be freed.
std::vector<at::Tensor> tensorList(napi_env env, napi_value value) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, value, &length));
  std::vector<at::Tensor> tensors;
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    check(env, napi_get_element(env, value, i, &element));
    tensors.push_back(instance(env).handles.get(toNumber(env, element)));
  }
  return tensors;
}

// backwardAll(roots, seeds): one backward pass from several tensors
napi_value backwardAll(napi_env env, const Arguments& args) {
  torch::autograd::backward(tensorList(env, args[0]), tensorList(env, args[1]));
  return undefinedValue(env);
}

// gradients(outputs, inputs, seeds) -> handles or null, one per input
napi_value gradients(napi_env env, const Arguments& args) {
  const auto results = torch::autograd::grad(tensorList(env, args[0]), tensorList(env, args[1]),
                                             tensorList(env, args[2]), std::nullopt, false, true);
  napi_value list;
  check(env, napi_create_array_with_length(env, results.size(), &list));
  for (size_t i = 0; i < results.size(); ++i)
    check(env, napi_set_element(env, list, static_cast<uint32_t>(i), fromIValue(env, results[i])));
  return list;
}

// setGradEnabled(flag) -> the previous value
napi_value setGradEnabled(napi_env env, const Arguments& args) {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(toNumber(env, args[0]) != 0);
  return fromBool(env, before);
}

at::Generator generatorOf(const std::string& name) {
  return at::globalContext().defaultGenerator(c10::Device(name));
}

// A whole number, or a BigInt for values that a number cannot represent exactly.
uint64_t toSeed(napi_env env, napi_value value) {
  uint64_t big = 0;
  bool lossless = false;
  const napi_status status = napi_get_value_bigint_uint64(env, value, &big, &lossless);
  if (status == napi_ok) {
    if (!lossless) throw std::runtime_error("a seed must be from 0 to 2^64 - 1");
    return big;
  }
  const int64_t number = toInteger(env, value);
  if (number < 0)
    throw std::runtime_error("a seed must be from 0 to 2^64 - 1, got " + std::to_string(number));
  return static_cast<uint64_t>(number);
}

napi_value seed(napi_env env, const Arguments& args) {
  const uint64_t number = toSeed(env, args[1]);
  at::Generator generator = generatorOf(toString(env, args[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(number);
  return undefinedValue(env);
}

// randomState(device) -> handle of a uint8 tensor
napi_value randomState(napi_env env, const Arguments& args) {
  at::Generator generator = generatorOf(toString(env, args[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  return fromNumber(env, instance(env).handles.add(generator.get_state()));
}

napi_value setRandomState(napi_env env, const Arguments& args) {
  at::Generator generator = generatorOf(toString(env, args[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(tensorAt(env, args, 1));
  return undefinedValue(env);
}

// memory() -> {tensors, bytes}; also reports memory outside V8's heap to V8
napi_value memory(napi_env env, const Arguments&) {
  int64_t& reported = instance(env).reportedBytes;
  const auto bytes = static_cast<int64_t>(instance(env).handles.bytes());
  int64_t total = 0;
  check(env, napi_adjust_external_memory(env, bytes - reported, &total));
  reported = bytes;
  napi_value result;
  check(env, napi_create_object(env, &result));
  check(env, napi_set_named_property(
                 env, result, "tensors",
                 fromNumber(env, static_cast<double>(instance(env).handles.count()))));
  check(env,
        napi_set_named_property(env, result, "bytes", fromNumber(env, static_cast<double>(bytes))));
  return result;
}

// deviceMemory(device) -> free bytes on an accelerator
napi_value deviceMemory(napi_env env, const Arguments& args) {
  const c10::Device device(toString(env, args[0]));
  const auto [free, total] =
      at::getDeviceAllocator(device.type())->getMemoryInfo(device.has_index() ? device.index() : 0);
  return fromNumber(env, static_cast<double>(free));
}

// Returns unused pages to the system.
napi_value trimMemory(napi_env env, const Arguments&) {
  releaseKeptMemory();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return undefinedValue(env);
}

napi_value threads(napi_env env, const Arguments& args) {
  if (args.count > 0 && !isAbsent(env, args[0]))
    at::set_num_threads(static_cast<int>(toNumber(env, args[0])));
  return fromNumber(env, at::get_num_threads());
}

napi_value build(napi_env env, const Arguments&) {
  napi_value result;
  check(env, napi_create_object(env, &result));
  const auto set = [&](const char* name, napi_value value) {
    check(env, napi_set_named_property(env, result, name, value));
  };
  set("version", fromString(env, TORCH_VERSION));
  set("config", fromString(env, at::show_config()));
  set("parallel", fromString(env, at::get_parallel_info()));
  set("cpuCapability", fromString(env, at::get_cpu_capability()));
  set("cuda", fromBool(env, at::hasCUDA()));
  set("cudaDevices",
      fromNumber(env, static_cast<double>(at::detail::getCUDAHooks().deviceCount())));
  return result;
}

void releaseInstance(napi_env, void* data, void*) { delete static_cast<Instance*>(data); }

// Runs once per JavaScript thread. LibTorch itself, its random state and its thread count belong to
// the process.
napi_value initialise(napi_env env, napi_value exports) {
  return guarded(
      env,
      [&] {
        keepLargeTensors();
        c10::initLogging();  // reads TORCH_CPP_LOG_LEVEL
        check(env, napi_set_instance_data(env, new Instance(), releaseInstance, nullptr));
        const napi_property_descriptor properties[] = {
#define KEEL_PROPERTY(name, function) \
  {name, nullptr, function, nullptr, nullptr, nullptr, napi_enumerable, const_cast<char*>(name)}
#define KEEL_ENTRY(name) KEEL_PROPERTY(#name, entry<name>)
            KEEL_PROPERTY("call", call),
            KEEL_PROPERTY("timeCall", timeCall),
            KEEL_ENTRY(findOperator),
            KEEL_ENTRY(schemas),
            KEEL_ENTRY(dispose),
            KEEL_ENTRY(disposeAll),
            KEEL_ENTRY(alive),
            KEEL_ENTRY(shape),
            KEEL_ENTRY(strides),
            KEEL_ENTRY(scalarType),
            KEEL_ENTRY(device),
            KEEL_ENTRY(requiresGrad),
            KEEL_ENTRY(setRequiresGrad),
            KEEL_ENTRY(setAllocated),
            KEEL_ENTRY(gradient),
            KEEL_ENTRY(setGradient),
            KEEL_ENTRY(backward),
            KEEL_ENTRY(backwardAll),
            KEEL_ENTRY(gradients),
            KEEL_ENTRY(setGradEnabled),
            KEEL_ENTRY(fromBytes),
            KEEL_ENTRY(toBytes),
            KEEL_ENTRY(item),
            KEEL_ENTRY(seed),
            KEEL_ENTRY(randomState),
            KEEL_ENTRY(setRandomState),
            KEEL_ENTRY(memory),
            KEEL_ENTRY(deviceMemory),
            KEEL_ENTRY(trimMemory),
            KEEL_ENTRY(nameMapping), KEEL_ENTRY(dropPages),
            KEEL_ENTRY(threads),
            KEEL_ENTRY(build),
            KEEL_ENTRY(distributedBackends),
            KEEL_ENTRY(storeOpen),
            KEEL_ENTRY(storeSet),
            KEEL_ENTRY(storeGet),
            KEEL_ENTRY(storeHas),
            KEEL_ENTRY(groupOpen),
            KEEL_ENTRY(groupCall),
            KEEL_ENTRY(groupCallNow),
            KEEL_ENTRY(groupClose),
            KEEL_ENTRY(exchangeOpen),
            KEEL_ENTRY(exchangeBegin),
            KEEL_ENTRY(exchangeEnd),
            KEEL_ENTRY(exchangeLaunch),
            KEEL_ENTRY(exchangeNext),
            KEEL_ENTRY(exchangeWait),
            KEEL_ENTRY(exchangeFailure),
            KEEL_ENTRY(exchangeTake),
            KEEL_ENTRY(exchangeClose),
            KEEL_ENTRY(profileStart),
            KEEL_ENTRY(profileRange),
            KEEL_ENTRY(profileRangeEnd),
            KEEL_ENTRY(profileStop),
#undef KEEL_ENTRY
#undef KEEL_PROPERTY
        };
        check(env, napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]),
                                          properties));
        return exports;
      },
      [] { return std::string("loading the addon: "); });
}

}  // namespace
}  // namespace keel

NAPI_MODULE(keel_torch, keel::initialise)
