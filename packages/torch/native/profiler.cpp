// LibTorch's own profiler (Kineto): operators with shapes, the caller's ranges, and memory. What is made of the events is
// TypeScript's. One profile at a time in a process; it follows the thread that began it and autograd's threads.
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <atomic>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <unordered_map>

#include "surface.h"

namespace keel {
namespace {

namespace kineto = torch::autograd::profiler;
namespace impl = torch::profiler::impl;

struct Range {
  std::string name;
  at::RecordFunction record{at::RecordScope::USER_SCOPE};
  explicit Range(std::string its) : name(std::move(its)) {
    if (record.isActive()) record.before(std::string_view(name));
  }
};

struct Profile {
  std::thread::id thread = std::this_thread::get_id();
  at::CallbackHandle counter = at::INVALID_CALLBACK_HANDLE;
  std::vector<std::unique_ptr<Range>> ranges;
};

std::optional<Profile> active;
std::atomic<bool> taken{false};
std::atomic<int64_t> counted{0};

Profile& ofThisThread() {
  if (!taken || !active || active->thread != std::this_thread::get_id())
    throw std::runtime_error("no profile is being taken in this thread");
  return *active;
}

std::set<impl::ActivityType> activities() {
  std::set<impl::ActivityType> all{impl::ActivityType::CPU};
  if (at::hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0) all.insert(impl::ActivityType::CUDA);
  return all;
}

// Kinds of events, as profiler.ts numbers them.
enum Kind { kOperator = 0, kRange = 1, kMemory = 2, kDevice = 3 };
constexpr size_t kColumns = 7;

// Gives each distinct text a number.
struct Texts {
  std::vector<std::string> all;
  std::unordered_map<std::string, size_t> places;
  double place(const std::string& text) {
    const auto [found, added] = places.try_emplace(text, all.size());
    if (added) all.push_back(text);
    return static_cast<double>(found->second);
  }
};

// "[1720, 576] bfloat16, [], [576, 576] bfloat16": what the operator was called with, tensors first.
std::string inputsOf(const kineto::KinetoEvent& event) {
  std::ostringstream text;
  const auto shapes = event.shapes();
  const auto types = event.dtypes();
  bool first = true;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const bool tensor = i < types.size() && !types[i].empty() && types[i] != "Scalar" && types[i] != "ScalarList";
    if (!tensor) continue;
    text << (first ? "[" : ", [");
    first = false;
    for (size_t k = 0; k < shapes[i].size(); ++k) text << (k ? ", " : "") << shapes[i][k];
    text << "] " << types[i];
  }
  return text.str();
}

napi_value texts(napi_env env, const std::vector<std::string>& all) {
  napi_value list;
  check(env, napi_create_array_with_length(env, all.size(), &list));
  for (size_t i = 0; i < all.size(); ++i) check(env, napi_set_element(env, list, static_cast<uint32_t>(i), fromString(env, all[i])));
  return list;
}

}  // namespace

// profileStart(): records from here on
napi_value profileStart(napi_env env, const Arguments&) {
  if (taken.exchange(true)) throw std::runtime_error("a profile is being taken already, and a process has one at a time");
  try {
    const impl::ProfilerConfig config(impl::ProfilerState::KINETO, /*report_input_shapes=*/true, /*profile_memory=*/true);
    kineto::prepareProfiler(config, activities());
    kineto::enableProfiler(config, activities(), {});
    counted = 0;
    active.emplace();
    active->counter = at::addGlobalCallback(at::RecordFunctionCallback([](const at::RecordFunction&) -> std::unique_ptr<at::ObserverContext> {
      counted.fetch_add(1, std::memory_order_relaxed);
      return nullptr;
    }));
  } catch (...) {
    active.reset();
    taken = false;
    throw;
  }
  return undefinedValue(env);
}

// profileCount() -> operators and ranges recorded so far
napi_value profileCount(napi_env env, const Arguments&) { return fromNumber(env, static_cast<double>(counted.load())); }

// profileRange(name): a named stretch of this thread, until profileRangeEnd()
napi_value profileRange(napi_env env, const Arguments& args) {
  Profile& profile = ofThisThread();
  profile.ranges.push_back(std::make_unique<Range>(toString(env, args[0])));
  return undefinedValue(env);
}

napi_value profileRangeEnd(napi_env env, const Arguments&) {
  Profile& profile = ofThisThread();
  if (profile.ranges.empty()) throw std::runtime_error("no range is open");
  profile.ranges.pop_back();
  return undefinedValue(env);
}

// profileStop() -> {names, inputs, events}: of each event its kind, name, inputs, start and duration in nanoseconds, thread
// (or device stream), and bytes; ranges still open end here
napi_value profileStop(napi_env env, const Arguments&) {
  Profile& profile = ofThisThread();
  while (!profile.ranges.empty()) profile.ranges.pop_back();
  at::removeCallback(profile.counter);
  active.reset();
  std::unique_ptr<kineto::ProfilerResult> result;
  try {
    result = kineto::disableProfiler();
  } catch (...) {
    taken = false;
    throw;
  }
  taken = false;
  const auto& events = result->events();
  Texts names, inputs;
  void* data = nullptr;
  napi_value buffer, table;
  check(env, napi_create_arraybuffer(env, events.size() * kColumns * sizeof(double), &data, &buffer));
  auto* row = static_cast<double*>(data);
  for (const auto& event : events) {
    const std::string name = event.name();
    const bool onDevice = event.deviceType() != c10::DeviceType::CPU;
    const Kind kind = name == "[memory]" ? kMemory
        : onDevice ? kDevice
        : event.scope() == static_cast<uint8_t>(at::RecordScope::USER_SCOPE) ? kRange
                                                                               : kOperator;
    row[0] = kind;
    row[1] = names.place(kind == kMemory ? c10::DeviceTypeName(event.deviceType(), true) : name);
    row[2] = inputs.place(kind == kOperator ? inputsOf(event) : std::string());
    // Nanoseconds since 1970 are more than a double holds exactly: counted from the beginning of the profile.
    row[3] = static_cast<double>(static_cast<int64_t>(event.startNs() - result->trace_start_ns()));
    row[4] = static_cast<double>(event.durationNs());
    row[5] = static_cast<double>(onDevice ? event.deviceResourceId() : static_cast<int64_t>(event.startThreadId()));
    row[6] = static_cast<double>(kind == kMemory ? event.nBytes() : 0);
    row += kColumns;
  }
  check(env, napi_create_typedarray(env, napi_float64_array, events.size() * kColumns, buffer, 0, &table));
  napi_value answer;
  check(env, napi_create_object(env, &answer));
  check(env, napi_set_named_property(env, answer, "names", texts(env, names.all)));
  check(env, napi_set_named_property(env, answer, "inputs", texts(env, inputs.all)));
  check(env, napi_set_named_property(env, answer, "events", table));
  return answer;
}

}  // namespace keel
