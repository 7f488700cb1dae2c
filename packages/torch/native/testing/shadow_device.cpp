// A device for tests. Its tensors are in host memory and LibTorch's CPU kernels compute them, but
// LibTorch takes them for another device's. So whatever a GPU would refuse raises an error here: an
// operator on tensors of two devices, or a kernel that only the CPU has. Its addresses are moved,
// so that code that reads its memory as if it were the host's ends the process, as with a GPU's. It
// also counts what a GPU would have to wait for. Loading this addon adds the device to the process.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <node_api.h>
#include <torch/library.h>

#include <atomic>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

constexpr auto kType = c10::DeviceType::PrivateUse1;
const c10::Device kDevice(kType, 0);
const char* const kName = "shadow";

// What a host would wait for until a GPU has computed all that it was asked for.
struct Counts {
  std::atomic<int64_t> scalars{0}, toHost{0}, fromHost{0}, sizes{0};
} counts;

bool isHere(const at::Tensor& tensor) { return tensor.device().type() == kType; }

// No program has memory there.
constexpr uintptr_t kMoved = uintptr_t{1} << 62;

void* toDevice(void* host) {
  return host == nullptr ? nullptr
                         : reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(host) + kMoved);
}
void* toMemory(void* device) {
  return device == nullptr ? nullptr
                           : reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(device) - kMoved);
}

void freeStorage(void* storage) { delete static_cast<c10::Storage*>(storage); }

// The same memory, as that of the other device; the data pointer keeps the storage alive.
c10::Storage relabelled(const c10::Storage& storage, c10::Device device,
                        c10::Allocator* allocator) {
  auto* kept = new c10::Storage(storage);
  void* data = storage.mutable_data();
  data = device.type() == kType ? toDevice(data) : toMemory(data);
  return c10::Storage(c10::Storage::use_byte_size_t(), storage.nbytes(),
                      at::DataPtr(data, kept, freeStorage, device), allocator, true);
}

class ShadowAllocator final : public c10::DeviceAllocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    at::DataPtr host = c10::GetCPUAllocator()->allocate(bytes);
    void* data = host.get();
    auto* kept = new at::DataPtr(std::move(host));
    const auto free = [](void* held) { delete static_cast<at::DataPtr*>(held); };
    return {toDevice(data), kept, free, kDevice};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(toMemory(to), toMemory(const_cast<void*>(from)), bytes);
  }
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const at::DataPtr&, c10::Stream) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override { return {}; }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override {}
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override {
    return {size_t{8} << 30, size_t{8} << 30};
  }
};
ShadowAllocator allocator;

at::Tensor withStorage(c10::Storage storage, c10::DispatchKey key, const at::Tensor& like) {
  auto made = at::detail::make_tensor<c10::TensorImpl>(std::move(storage), c10::DispatchKeySet(key),
                                                       like.dtype());
  made.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(),
                                                    like.storage_offset());
  return made;
}

// The tensors of one call: what is passed in as a host tensor, and comes back as one of the device.
class Call {
 public:
  explicit Call(const c10::OperatorHandle& op) : op_(op) {}

  at::Tensor toHost(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    if (!isHere(tensor)) {
      // A number, which LibTorch passes as a tensor.
      if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) return tensor;
      TORCH_CHECK(false, "Expected all tensors to be on the same device, but ", op_.operator_name(),
                  " got one on ", tensor.device(), ", of shape ", tensor.sizes(), ", and one on ",
                  kDevice);
    }
    auto& storage = storages_[tensor.storage().unsafeGetStorageImpl()];
    if (!storage)
      storage = relabelled(tensor.storage(), c10::Device(c10::kCPU), c10::GetCPUAllocator());
    const at::Tensor host = withStorage(storage, c10::DispatchKey::CPU, tensor);
    passed_.push_back({tensor, host, storage.mutable_data()});
    return host;
  }

  at::Tensor fromHost(const at::Tensor& host) {
    if (!host.defined()) return host;
    for (const auto& one : passed_)
      if (host.is_same(one.host)) return one.here;
    for (const auto& one : passed_)
      if (host.storage().unsafeGetStorageImpl() == one.host.storage().unsafeGetStorageImpl())
        return withStorage(one.here.storage(), c10::DispatchKey::PrivateUse1, host);
    return withStorage(relabelled(host.storage(), kDevice, &allocator),
                       c10::DispatchKey::PrivateUse1, host);
  }

  // What an operator resized in place.
  void takeOver() {
    for (const auto& [here, host, data] : passed_) {
      auto* impl = here.unsafeGetTensorImpl();
      if (host.storage().mutable_data() != data)
        impl->set_storage_keep_dtype(relabelled(host.storage(), kDevice, &allocator));
      if (host.sizes() != here.sizes() || host.strides() != here.strides() ||
          host.storage_offset() != here.storage_offset())
        impl->set_sizes_and_strides(host.sizes(), host.strides(), host.storage_offset());
    }
  }

 private:
  struct Passed {
    at::Tensor here, host;
    void* data;
  };
  const c10::OperatorHandle& op_;
  std::vector<Passed> passed_;
  std::unordered_map<c10::StorageImpl*, c10::Storage> storages_;
};

// Calls `change` with every tensor of a value, and puts what it returns in its place.
template <typename Change>
void mapTensors(c10::IValue& value, Change change) {
  if (value.isTensor()) {
    value = change(value.toTensor());
  } else if (value.isTensorList()) {
    c10::List<at::Tensor> mapped;
    for (const at::Tensor& one : value.toTensorVector()) mapped.push_back(change(one));
    value = std::move(mapped);
  } else if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> mapped;
    for (const auto& one : value.toOptionalTensorVector())
      mapped.push_back(one ? std::optional<at::Tensor>(change(*one)) : std::nullopt);
    value = std::move(mapped);
  }
}

// Operators whose result's shape depends on values: a GPU's would wait.
bool readsSizes(const std::string& name) {
  for (const char* one : {"aten::nonzero", "aten::masked_select", "aten::repeat_interleave",
                          "aten::_unique2", "aten::equal", "aten::is_nonzero"})
    if (name == one) return true;
  return false;
}

// Any operator without a kernel for the device: the CPU's, on the same memory.
void onHost(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  if (readsSizes(op.schema().name())) ++counts.sizes;
  Call call(op);
  for (size_t i = stack->size() - op.schema().arguments().size(); i < stack->size(); ++i) {
    c10::IValue& value = (*stack)[i];
    if (value.isDevice() && value.toDevice().type() == kType) value = c10::Device(c10::kCPU);
    mapTensors(value, [&](const at::Tensor& one) { return call.toHost(one); });
  }
  op.callBoxed(stack);
  call.takeOver();
  const size_t results = op.schema().returns().size();
  for (size_t i = stack->size() - results; i < stack->size(); ++i)
    mapTensors((*stack)[i], [&](const at::Tensor& one) { return call.fromHost(one); });
}

at::Tensor empty(c10::SymIntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  const at::Tensor host =
      at::empty(C10_AS_INTARRAYREF_SLOW(size), at::TensorOptions().dtype(type), format);
  return withStorage(relabelled(host.storage(), kDevice, &allocator),
                     c10::DispatchKey::PrivateUse1, host);
}

at::Tensor emptyStrided(c10::SymIntArrayRef size, c10::SymIntArrayRef stride,
                        std::optional<at::ScalarType> type, std::optional<at::Layout>,
                        std::optional<at::Device>, std::optional<bool>) {
  const at::Tensor host =
      at::empty_strided(C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
                        at::TensorOptions().dtype(type));
  return withStorage(relabelled(host.storage(), kDevice, &allocator),
                     c10::DispatchKey::PrivateUse1, host);
}

at::Tensor asHost(const at::Tensor& tensor) {
  return isHere(tensor)
             ? withStorage(relabelled(tensor.storage(), c10::Device(c10::kCPU),
                                      c10::GetCPUAllocator()),
                           c10::DispatchKey::CPU, tensor)
             : tensor;
}

at::Tensor copyFrom(const at::Tensor& from, const at::Tensor& to, bool nonBlocking) {
  TORCH_CHECK(isHere(to) || !nonBlocking, "a copy to the host must be waited for");
  if (!isHere(to)) ++counts.toHost;
  if (!isHere(from) && !nonBlocking) ++counts.fromHost;
  asHost(to).copy_(asHost(from));
  return to;
}

at::Scalar readScalar(const at::Tensor& tensor) {
  ++counts.scalars;
  return asHost(tensor).item();
}

// Random numbers are the CPU's, so that both devices draw the same ones.
struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    return at::detail::getDefaultCPUGenerator();
  }
  at::Generator getNewGenerator(c10::DeviceIndex) const override {
    return at::detail::createCPUGenerator();
  }
};

struct Guard final : c10::impl::NoOpDeviceGuardImpl<kType> {
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  c10::Stream getStream(c10::Device) const noexcept override { return stream(); }
  c10::Stream getNewStream(c10::Device, int) const override { return stream(); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream(); }

 private:
  static c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
};
const c10::impl::DeviceGuardImplRegistrar guard(kType, new Guard());

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&onHost>());
}
TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", empty);
  library.impl("empty_strided", emptyStrided);
  library.impl("_copy_from", copyFrom);
  library.impl("_local_scalar_dense", readScalar);
}

// Flash attention, for packed sequences: as LibTorch documents its CUDA kernel, in plain operators.
// Query i of n sees the keys up to i + m - n of its sequence's m, and `left` before that.
struct Flash {
  std::atomic<bool> exists{false}, wrong{false};
  std::atomic<int64_t> calls{0};
} flash;

struct FlashSequence {
  at::Tensor q, k, v, hidden;  // [heads, n or m, size] in float32; [n, m]
  int64_t start, length, keyStart, keyLength;
};

// Calls body for each sequence; keys and values are repeated for the query heads that share them.
template <typename Body>
void forSequences(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const at::Tensor& starts, const at::Tensor& keyStarts, bool causal,
                  std::optional<int64_t> left, Body body) {
  TORCH_CHECK(flash.exists, "FlashAttention is not available on this device");
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && causal && starts.scalar_type() == at::kInt &&
                  q.is_contiguous() && k.is_contiguous() && v.is_contiguous(),
              "flash attention takes packed sequences and a causal mask here");
  const int64_t groups = q.size(1) / k.size(1);
  const int *from = starts.const_data_ptr<int>(), *keysFrom = keyStarts.const_data_ptr<int>();
  const auto byHead = [](const at::Tensor& x, int64_t start, int64_t length, int64_t times) {
    return x.narrow(0, start, length).to(at::kFloat).transpose(0, 1).repeat_interleave(times, 0);
  };
  for (int64_t i = 0; i + 1 < starts.size(0); ++i) {
    const int64_t n = from[i + 1] - from[i], m = keysFrom[i + 1] - keysFrom[i];
    const at::Tensor last = at::arange(n).unsqueeze(1) + (m - n), keys = at::arange(m).unsqueeze(0);
    at::Tensor hidden = keys > last;
    if (left.has_value() && *left >= 0) hidden = at::logical_or(hidden, keys < last - *left);
    body(FlashSequence{byHead(q, from[i], n, 1), byHead(k, keysFrom[i], m, groups),
                       byHead(v, keysFrom[i], m, groups), hidden, from[i], n, keysFrom[i], m});
  }
}

using OptionalTensor = std::optional<at::Tensor>;
using OptionalInt = std::optional<int64_t>;

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> flashForward(
    const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& starts,
    const OptionalTensor& keyStarts, int64_t, int64_t, double, bool causal, bool,
    std::optional<double> scale, OptionalInt left, OptionalInt, const OptionalTensor&,
    const OptionalTensor&, const OptionalTensor&, OptionalInt) {
  ++flash.calls;
  at::Tensor out = at::empty_like(q), logsumexp = at::empty({q.size(1), q.size(0)}, at::kFloat);
  forSequences(q, k, v, *starts, *keyStarts, causal, left, [&](const FlashSequence& one) {
    const at::Tensor scores =
        (at::matmul(one.q, one.k.transpose(1, 2)) * *scale).masked_fill(one.hidden, -INFINITY);
    logsumexp.narrow(1, one.start, one.length).copy_(at::logsumexp(scores, {2}));
    const at::Tensor found = at::matmul(at::softmax(scores, -1), one.v).transpose(0, 1);
    out.narrow(0, one.start, one.length).copy_(found);
  });
  const at::Tensor nothing = at::empty({0});
  if (flash.wrong) out.mul_(1.05);
  return {out, logsumexp, nothing, nothing, nothing};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> flashBackward(
    const at::Tensor& g, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
    const at::Tensor& out, const at::Tensor& logsumexp, const at::Tensor& starts,
    const at::Tensor& keyStarts, int64_t, int64_t, double, bool causal, const at::Tensor&,
    const at::Tensor&, std::optional<double> scale, OptionalInt left, OptionalInt) {
  at::Tensor gQuery = at::empty_like(q), gKey = at::empty_like(k), gValue = at::empty_like(v);
  const int64_t keyHeads = k.size(1), groups = q.size(1) / keyHeads;
  forSequences(q, k, v, starts, keyStarts, causal, left, [&](const FlashSequence& one) {
    const auto own = [&](const at::Tensor& x) {
      return x.narrow(0, one.start, one.length).to(at::kFloat).transpose(0, 1);
    };
    const auto shared = [&](const at::Tensor& x, at::Tensor& to) {
      const at::Tensor sums = x.reshape({keyHeads, groups, x.size(1), x.size(2)}).sum(1);
      to.narrow(0, one.keyStart, one.keyLength).copy_(sums.transpose(0, 1));
    };
    const at::Tensor scores =
        (at::matmul(one.q, one.k.transpose(1, 2)) * *scale).masked_fill(one.hidden, -INFINITY);
    const at::Tensor lse = logsumexp.narrow(1, one.start, one.length).unsqueeze(2);
    const at::Tensor p = at::exp(scores - lse), outer = own(g);
    const at::Tensor delta = (outer * own(out)).sum(2, true);
    const at::Tensor gScores = p * (at::matmul(outer, one.v.transpose(1, 2)) - delta) * *scale;
    gQuery.narrow(0, one.start, one.length).copy_(at::matmul(gScores, one.k).transpose(0, 1));
    shared(at::matmul(gScores.transpose(1, 2), one.q), gKey);
    shared(at::matmul(p.transpose(1, 2), outer), gValue);
  });
  return {gQuery, gKey, gValue};
}

// The device's operators are the CPU's, and LibTorch has none of these there.
TORCH_LIBRARY_IMPL(aten, CPU, library) {
  library.impl("_flash_attention_forward", flashForward);
  library.impl("_flash_attention_backward", flashBackward);
}

// flash(exists, wrong) -> the calls since the last time
napi_value setFlash(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2], calls;
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  bool exists = false, wrong = false;
  napi_get_value_bool(env, given[0], &exists);
  napi_get_value_bool(env, given[1], &wrong);
  flash.exists = exists;
  flash.wrong = wrong;
  napi_create_int64(env, flash.calls.exchange(0), &calls);
  return calls;
}

// counts() -> [scalar reads, copies to the host, blocking copies from it, shapes that depend on
// values] since the last call
napi_value takeCounts(napi_env env, napi_callback_info) {
  const int64_t numbers[] = {counts.scalars.exchange(0), counts.toHost.exchange(0),
                             counts.fromHost.exchange(0), counts.sizes.exchange(0)};
  napi_value list;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < 4; ++i) {
    napi_value one;
    napi_create_int64(env, numbers[i], &one);
    napi_set_element(env, list, i, one);
  }
  return list;
}

}  // namespace

NAPI_MODULE_INIT() {
  static bool added = false;
  if (!added) {
    added = true;
    c10::register_privateuse1_backend(kName);
    c10::SetAllocator(kType, &allocator);
    at::RegisterPrivateUse1HooksInterface(new Hooks());
  }
  napi_value function;
  napi_create_function(env, "counts", NAPI_AUTO_LENGTH, takeCounts, nullptr, &function);
  napi_set_named_property(env, exports, "counts", function);
  napi_create_function(env, "flash", NAPI_AUTO_LENGTH, setFlash, nullptr, &function);
  napi_set_named_property(env, exports, "flash", function);
  return exports;
}
