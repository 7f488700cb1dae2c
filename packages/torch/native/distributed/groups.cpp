// Processes that train together: a store in which they find each other, and groups of them whose
// tensors are reduced and exchanged. Both are LibTorch's (c10d). Which rank is missing, and what a
// caller sees of it, is up to TypeScript: src/distributed.
#include <thread>

#include "groups.h"

#include "../surface.h"
#include "later.h"

#ifdef KEEL_DISTRIBUTED
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef KEEL_NCCL
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

namespace keel {

#ifdef KEEL_DISTRIBUTED
namespace {

using std::chrono::milliseconds;
using StorePointer = c10::intrusive_ptr<c10d::Store>;

// They belong to the process. A store is never freed, and a group only by its close function: that
// waits for its pending work, which a process that ends after a failure must not do.
template <typename Pointer>
class Table {
 public:
  double add(Pointer pointer) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::move(pointer));
    return static_cast<double>(entries_.size() - 1);
  }
  Pointer get(double index) {
    const std::lock_guard lock(mutex_);
    if (index >= 0 && index < static_cast<double>(entries_.size())) {
      const Pointer& found = entries_[static_cast<size_t>(index)];
      if (found) return found;
    }
    throw std::runtime_error("it is closed");
  }
  Pointer take(double index) {
    Pointer found = get(index);
    const std::lock_guard lock(mutex_);
    entries_[static_cast<size_t>(index)] = Pointer();
    return found;
  }

 private:
  std::mutex mutex_;
  std::vector<Pointer> entries_;
};

Table<StorePointer>& stores() {
  static auto* table = new Table<StorePointer>();
  return *table;
}
Table<GroupPointer>& groups() {
  static auto* table = new Table<GroupPointer>();
  return *table;
}

milliseconds millisecondsAt(napi_env env, const Arguments& args, size_t i) {
  return milliseconds(toInteger(env, args[i]));
}

std::vector<uint8_t> bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

GroupPointer openGroup(const std::string& backend, const StorePointer& store, int rank, int size,
                       milliseconds timeout) {
  if (backend == "gloo") {
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(
        interface != nullptr && *interface != '\0'
            ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
            : c10d::ProcessGroupGloo::createDefaultDevice());
    return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
  }
#ifdef KEEL_NCCL
  if (backend == "nccl") {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout;
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
  }
#endif
  throw std::runtime_error("this LibTorch has no " + backend);
}

c10d::ReduceOp::RedOpType operationOf(const std::string& name) {
  if (name == "sum") return c10d::ReduceOp::SUM;
  if (name == "max") return c10d::ReduceOp::MAX;
  if (name == "min") return c10d::ReduceOp::MIN;
  throw std::runtime_error("no such reduction: " + name);
}

std::vector<at::Tensor> tensorsOf(napi_env env, napi_value value) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, value, &length));
  std::vector<at::Tensor> tensors;
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    check(env, napi_get_element(env, value, i, &element));
    tensors.push_back(allocated(instance(env).handles.get(toNumber(env, element))).detach());
  }
  return tensors;
}

struct Call {
  std::string collective, operation;
  std::vector<at::Tensor> tensors, into;
  int64_t root = 0;
  milliseconds timeout;
};

template <typename Options>
Options timed(const Call& call) {
  Options options;
  options.timeout = call.timeout;
  return options;
}

c10::intrusive_ptr<c10d::Work> launch(c10d::Backend& group, Call& call) {
  if (call.collective == "allReduce") {
    auto options = timed<c10d::AllreduceOptions>(call);
    options.reduceOp = operationOf(call.operation);
    return group.allreduce(call.tensors, options);
  }
  if (call.collective == "broadcast") {
    auto options = timed<c10d::BroadcastOptions>(call);
    options.rootRank = call.root;
    return group.broadcast(call.tensors, options);
  }
  if (call.collective == "barrier") return group.barrier(timed<c10d::BarrierOptions>(call));
  // [n] from each rank -> [ranks * n]
  if (call.collective == "allGather")
    return group._allgather_base(call.into.at(0), call.tensors.at(0),
                                 timed<c10d::AllgatherOptions>(call));
  // [ranks * n] of each rank -> [n], the sum of one part
  if (call.collective == "reduceScatter") {
    auto options = timed<c10d::ReduceScatterOptions>(call);
    options.reduceOp = operationOf(call.operation);
    return group._reduce_scatter_base(call.into.at(0), call.tensors.at(0), options);
  }
  // [ranks * n]: part r of each rank goes to rank r
  if (call.collective == "allToAll") {
    std::vector<int64_t> even;
    return group.alltoall_base(call.into.at(0), call.tensors.at(0), even, even,
                               timed<c10d::AllToAllOptions>(call));
  }
  throw std::runtime_error("no such collective: " + call.collective);
}

// Gloo's threads report the end of a collective. NCCL's work ends on the device, and its wait()
// would hold the device's stream of the waiting thread.
void awaitWork(const c10::intrusive_ptr<c10d::Work>& work, bool polled, milliseconds timeout) {
  if (!polled) {
    work->wait(timeout);
    return;
  }
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!work->isCompleted()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("Operation timed out!");
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  if (!work->isSuccess() && work->exception()) std::rethrow_exception(work->exception());
}

}  // namespace

GroupPointer groupAt(double index) { return groups().get(index); }

// distributed() -> backends, for example ["gloo"]
napi_value distributedBackends(napi_env env, const Arguments&) {
  std::vector<std::string> names{"gloo"};
#ifdef KEEL_NCCL
  names.push_back("nccl");
#endif
  napi_value list;
  check(env, napi_create_array(env, &list));
  for (size_t i = 0; i < names.size(); ++i)
    check(env, napi_set_element(env, list, static_cast<uint32_t>(i), fromString(env, names[i])));
  return list;
}

// storeOpen(host, port, serves, timeout) -> promise of its index
napi_value storeOpen(napi_env env, const Arguments& args) {
  c10d::TCPStoreOptions options;
  const std::string host = toString(env, args[0]);
  options.port = static_cast<uint16_t>(toInteger(env, args[1]));
  check(env, napi_get_value_bool(env, args[2], &options.isServer));
  options.timeout = millisecondsAt(env, args, 3);
  options.waitWorkers = false;
  return later(env, "storeOpen", [host, options]() -> LaterResult {
    return stores().add(c10::make_intrusive<c10d::TCPStore>(host, options));
  });
}

// storeSet(store, key, value) -> promise
napi_value storeSet(napi_env env, const Arguments& args) {
  auto store = stores().get(toNumber(env, args[0]));
  return later(env, "storeSet",
               [store, key = toString(env, args[1]),
                value = bytesOf(toString(env, args[2]))]() -> LaterResult {
                 store->set(key, value);
                 return {};
               });
}

// storeGet(store, key, timeout) -> promise of the value, once it is set
napi_value storeGet(napi_env env, const Arguments& args) {
  auto store = stores().get(toNumber(env, args[0]));
  return later(env, "storeGet",
               [store, key = toString(env, args[1]),
                timeout = millisecondsAt(env, args, 2)]() -> LaterResult {
                 store->wait({key}, timeout);
                 const auto value = store->get(key);
                 return std::string(value.begin(), value.end());
               });
}

// storeHas(store, key) -> promise of whether it is set
napi_value storeHas(napi_env env, const Arguments& args) {
  auto store = stores().get(toNumber(env, args[0]));
  return later(env, "storeHas", [store, key = toString(env, args[1])]() -> LaterResult {
    return store->check({key});
  });
}

// groupOpen(store, backend, name, rank, size, timeout) -> promise of its index
napi_value groupOpen(napi_env env, const Arguments& args) {
  auto store = stores().get(toNumber(env, args[0]));
  const auto rank = static_cast<int>(toInteger(env, args[3]));
  const auto size = static_cast<int>(toInteger(env, args[4]));
  return later(env, "groupOpen",
               [store, rank, size, backend = toString(env, args[1]), name = toString(env, args[2]),
                timeout = millisecondsAt(env, args, 5)]() -> LaterResult {
                 auto own = c10::make_intrusive<c10d::PrefixStore>(name, store);
                 own->setTimeout(timeout);
                 return groups().add(openGroup(backend, own, rank, size, timeout));
               });
}

namespace {
Call callOf(napi_env env, const Arguments& args) {
  Call call;
  call.collective = toString(env, args[1]);
  call.tensors = tensorsOf(env, args[2]);
  call.into = tensorsOf(env, args[3]);
  call.operation = toString(env, args[4]);
  call.root = toInteger(env, args[5]);
  call.timeout = millisecondsAt(env, args, 6);
  return call;
}
}  // namespace

// groupCall(group, collective, tensors, into, operation, root, timeout) -> promise
napi_value groupCall(napi_env env, const Arguments& args) {
  auto group = groups().get(toNumber(env, args[0]));
  Call call = callOf(env, args);
  const bool polled = group->getBackendName() != "gloo";
  auto work = launch(*group, call);
  return later(
      env, "groupCall",
      [work, polled, timeout = call.timeout]() -> LaterResult {
        awaitWork(work, polled, timeout);
        return {};
      },
      [work] { work->synchronize(); });
}

// groupCallNow: as groupCall, but it returns when the collective has ended
napi_value groupCallNow(napi_env env, const Arguments& args) {
  auto group = groups().get(toNumber(env, args[0]));
  Call call = callOf(env, args);
  auto work = launch(*group, call);
  awaitWork(work, group->getBackendName() != "gloo", call.timeout);
  work->synchronize();
  return undefinedValue(env);
}

napi_value groupClose(napi_env env, const Arguments& args) {
  auto group = groups().take(toNumber(env, args[0]));
  return later(env, "groupClose", [group]() mutable -> LaterResult {
    group.reset();
    return {};
  });
}

#else

namespace {
napi_value absent() {
  throw std::runtime_error("this LibTorch is built without process groups (torch.distributed)");
}
}  // namespace

napi_value distributedBackends(napi_env env, const Arguments&) {
  napi_value list;
  check(env, napi_create_array(env, &list));
  return list;
}
napi_value storeOpen(napi_env, const Arguments&) { return absent(); }
napi_value storeSet(napi_env, const Arguments&) { return absent(); }
napi_value storeGet(napi_env, const Arguments&) { return absent(); }
napi_value storeHas(napi_env, const Arguments&) { return absent(); }
napi_value groupOpen(napi_env, const Arguments&) { return absent(); }
napi_value groupCall(napi_env, const Arguments&) { return absent(); }
napi_value groupCallNow(napi_env, const Arguments&) { return absent(); }
napi_value groupClose(napi_env, const Arguments&) { return absent(); }

#endif

}  // namespace keel
