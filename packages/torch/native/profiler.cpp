// Profiles: every operator with its inputs, the caller's ranges, and memory, from LibTorch's own
// hooks (RecordFunction and the allocator's reports). Kineto uses the same hooks, but takes about
// 10 microseconds and 3 KB per event, and a training step has hundreds of thousands. TypeScript
// evaluates the events.
#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <torch/csrc/profiler/orchestration/observer.h>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "surface.h"

namespace keel {
namespace {

namespace impl = torch::profiler::impl;

// Numbers and names as in profiler.ts.
enum Kind { kOperator = 0, kRange = 1, kMemory = 2 };
constexpr size_t kColumns = 7;

struct Event {
  Kind kind;
  uint32_t name, inputs;
  int64_t start, end;
  uint64_t thread;
  int64_t bytes;
};

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Gives each distinct string a number.
struct Texts {
  std::vector<std::string> all;
  std::unordered_map<std::string, uint32_t> places;
  uint32_t place(const std::string& text) {
    const auto [found, added] = places.try_emplace(text, static_cast<uint32_t>(all.size()));
    if (added) all.push_back(text);
    return found->second;
  }
};

// The recorded events. Operators may come from several threads, including autograd's.
struct Recording {
  std::mutex mutex;
  std::deque<Event> events;
  size_t most, operators = 0, missed = 0;
  int64_t began = now();
  Texts names;
  // Inputs are formatted once for each combination of types and shapes, found by these numbers.
  std::unordered_map<std::string, uint32_t> signatures;
  Texts inputs;
  explicit Recording(size_t most) : most(most) { inputs.place(""); }

  uint32_t inputsOf(const at::RecordFunction& record) {
    std::string signature;
    const auto add = [&](int64_t number) {
      signature.append(reinterpret_cast<const char*>(&number), sizeof(number));
    };
    for (const c10::IValue& value : record.inputs()) {
      if (!value.isTensor() || !value.toTensor().defined() ||
          value.toTensor().layout() != at::kStrided)
        continue;
      const at::Tensor& tensor = value.toTensor();
      add(static_cast<int64_t>(tensor.scalar_type()));
      add(tensor.dim());
      for (const int64_t size : tensor.sizes()) add(size);
    }
    if (signature.empty()) return 0;
    const auto found = signatures.find(signature);
    if (found != signatures.end()) return found->second;
    std::string text;
    for (const c10::IValue& value : record.inputs()) {
      if (!value.isTensor() || !value.toTensor().defined() ||
          value.toTensor().layout() != at::kStrided)
        continue;
      text += (text.empty() ? "" : ", ") + describe(value.toTensor());
    }
    return signatures[signature] = inputs.place(text);
  }

  // -> the event, for setting its end; null if there are already too many. Ranges are few and
  // always recorded.
  Event* begin(const at::RecordFunction& record) {
    const bool range = record.scope() == at::RecordScope::USER_SCOPE;
    std::lock_guard<std::mutex> lock(mutex);
    if (!range && operators >= most) {
      ++missed;
      return nullptr;
    }
    operators += !range;
    events.push_back({range ? kRange : kOperator, names.place(record.name()),
                      range ? 0 : inputsOf(record), 0, 0, record.threadId(), 0});
    // A deque does not move its elements.
    Event* event = &events.back();
    event->start = now();
    return event;
  }

  void memory(int64_t bytes, c10::Device device) {
    std::lock_guard<std::mutex> lock(mutex);
    // At most as many again.
    if (operators >= most || events.size() >= 3 * most) return;
    const int64_t at = now();
    events.push_back(
        {kMemory, names.place(c10::DeviceTypeName(device.type(), true)), 0, at, at, 0, bytes});
  }
};

struct Place : at::ObserverContext {
  std::shared_ptr<Recording> recording;
  Event* event;
  Place(std::shared_ptr<Recording> its, Event* event) : recording(std::move(its)), event(event) {}
};

// A process takes one profile at a time. It follows the thread that started it and, through
// LibTorch's thread-local state, autograd's threads.
std::mutex taking;
std::shared_ptr<Recording> current;

std::shared_ptr<Recording> currentRecording() {
  std::lock_guard<std::mutex> lock(taking);
  return current;
}

std::unique_ptr<at::ObserverContext> onStart(const at::RecordFunction& record) {
  auto recording = currentRecording();
  Event* event = recording ? recording->begin(record) : nullptr;
  if (event == nullptr) return nullptr;
  return std::make_unique<Place>(std::move(recording), event);
}

void onEnd(const at::RecordFunction&, at::ObserverContext* context) {
  if (context != nullptr) static_cast<Place*>(context)->event->end = now();
}

// LibTorch's allocators report to the profiler of the thread.
struct MemoryWatch : impl::ProfilerStateBase {
  std::shared_ptr<Recording> recording;
  explicit MemoryWatch(std::shared_ptr<Recording> its)
      : ProfilerStateBase(
            impl::ProfilerConfig(impl::ProfilerState::CPU, false, /*profile_memory=*/true)),
        recording(std::move(its)) {}
  impl::ActiveProfilerType profilerType() override { return impl::ActiveProfilerType::NONE; }
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device device) override {
    recording->memory(bytes, device);
  }
};

struct Range {
  std::string name;
  at::RecordFunction record{at::RecordScope::USER_SCOPE};
  explicit Range(std::string its) : name(std::move(its)) {
    if (record.isActive()) record.before(std::string_view(name));
  }
};

// State of the thread that takes the profile.
struct Taken {
  std::shared_ptr<Recording> recording;
  at::CallbackHandle callback;
  std::vector<std::unique_ptr<Range>> ranges;
};
thread_local std::unique_ptr<Taken> taken;

Taken& ofThisThread() {
  if (!taken) throw std::runtime_error("this thread is not taking a profile");
  return *taken;
}

napi_value texts(napi_env env, const std::vector<std::string>& all) {
  napi_value list;
  check(env, napi_create_array_with_length(env, all.size(), &list));
  for (size_t i = 0; i < all.size(); ++i)
    check(env, napi_set_element(env, list, static_cast<uint32_t>(i), fromString(env, all[i])));
  return list;
}

}  // namespace

// profileStart(most): records from here on, at most that many operators
napi_value profileStart(napi_env env, const Arguments& args) {
  auto recording = std::make_shared<Recording>(static_cast<size_t>(toInteger(env, args[0])));
  {
    std::lock_guard<std::mutex> lock(taking);
    if (current)
      throw std::runtime_error("a profile is being taken already: a process takes one at a time");
    current = recording;
  }
  impl::ProfilerStateBase::push(std::make_shared<MemoryWatch>(recording));
  const auto callback = at::RecordFunctionCallback(onStart, onEnd)
                            .needsInputs(true)
                            .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION,
                                     at::RecordScope::USER_SCOPE});
  taken = std::make_unique<Taken>(Taken{recording, at::addThreadLocalCallback(callback), {}});
  return undefinedValue(env);
}

// profileRange(name): a named range of this thread, until profileRangeEnd()
napi_value profileRange(napi_env env, const Arguments& args) {
  Taken& profile = ofThisThread();
  profile.ranges.push_back(std::make_unique<Range>(toString(env, args[0])));
  return undefinedValue(env);
}

napi_value profileRangeEnd(napi_env env, const Arguments&) {
  Taken& profile = ofThisThread();
  if (profile.ranges.empty()) throw std::runtime_error("no range is open");
  profile.ranges.pop_back();
  return undefinedValue(env);
}

// profileStop() -> {names, inputs, events, missed}: each event's kind, name, inputs, start and
// duration in nanoseconds, thread and bytes; ends all open ranges
napi_value profileStop(napi_env env, const Arguments&) {
  Taken& profile = ofThisThread();
  while (!profile.ranges.empty()) profile.ranges.pop_back();
  at::removeCallback(profile.callback);
  impl::ProfilerStateBase::pop();
  const auto recording = profile.recording;
  taken.reset();
  {
    std::lock_guard<std::mutex> lock(taking);
    current.reset();
  }
  std::lock_guard<std::mutex> lock(recording->mutex);
  const auto& events = recording->events;
  void* data = nullptr;
  napi_value buffer, table;
  check(env,
        napi_create_arraybuffer(env, events.size() * kColumns * sizeof(double), &data, &buffer));
  auto* row = static_cast<double*>(data);
  for (const Event& event : events) {
    // The clock's nanoseconds exceed what a double holds exactly, so they are counted from the
    // start of the profile.
    const int64_t start = event.start - recording->began;
    const double columns[kColumns] = {
        static_cast<double>(event.kind),
        static_cast<double>(event.name),
        static_cast<double>(event.inputs),
        static_cast<double>(start),
        static_cast<double>(std::max<int64_t>(0, event.end - event.start)),
        static_cast<double>(event.thread),
        static_cast<double>(event.bytes)};
    row = std::copy(columns, columns + kColumns, row);
  }
  check(env, napi_create_typedarray(env, napi_float64_array, events.size() * kColumns, buffer, 0,
                                    &table));
  napi_value answer;
  check(env, napi_create_object(env, &answer));
  check(env, napi_set_named_property(env, answer, "names", texts(env, recording->names.all)));
  check(env, napi_set_named_property(env, answer, "inputs", texts(env, recording->inputs.all)));
  check(env, napi_set_named_property(env, answer, "events", table));
  check(env, napi_set_named_property(env, answer, "missed",
                                     fromNumber(env, static_cast<double>(recording->missed))));
  return answer;
}

}  // namespace keel
