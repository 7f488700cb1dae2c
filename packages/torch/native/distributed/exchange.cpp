// Adds up the gradients of all ranks while backward still runs. Parameters report when their
// gradients are whole, and a thread sends one bucket after the other, in the same order on all
// ranks. Who takes part in which bucket, and when, is up to TypeScript: src/distributed.
//
// That thread looks at no parameter's gradient, only at those that a bucket took when it began:
// backward and JavaScript may replace a parameter's gradient at any time.
#include <ATen/Dispatch.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "../surface.h"
#include "groups.h"
#include "later.h"

namespace keel {

#ifdef KEEL_DISTRIBUTED
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Bucket {
  std::vector<at::Tensor> parameters;
  // First element of each in the bucket: [ranks * part].
  std::vector<int64_t> offsets;
  int64_t part = 0;
  // Parameters whose gradients are not whole yet.
  size_t missing = 0;
  bool begun = false;
  // Since it began; undefined where this rank has none.
  std::vector<at::Tensor> gradients;
  // [part]: the sum of this rank's part.
  at::Tensor sum;
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  // parts: ranks keep the sums of their parts, and parameters lose their gradients. Otherwise,
  // gradients become the sums of all ranks.
  Exchange(GroupPointer group, std::vector<Bucket> buckets, bool parts, milliseconds timeout)
      : group_(std::move(group)), buckets_(std::move(buckets)), parts_(parts), timeout_(timeout) {
    for (size_t i = 0; i < buckets_.size(); ++i) {
      order_.push_back(i);
      for (size_t j = 0; j < buckets_[i].parameters.size(); ++j) places_.push_back(i);
    }
    reset();
  }

  // Throws std::runtime_error, before it changes anything, if another exchange has a parameter.
  void start() {
    for (const Bucket& bucket : buckets_)
      for (const at::Tensor& one : bucket.parameters) {
        const auto* meta = torch::autograd::impl::get_autograd_meta(one);
        if (meta == nullptr || meta->hooks_.empty()) continue;
        throw std::runtime_error(c10::str("another gradient exchange has a parameter of shape ",
                                          one.sizes(), ": close that exchange first"));
      }
    size_t place = 0;
    for (const Bucket& bucket : buckets_)
      for (const at::Tensor& one : bucket.parameters) {
        torch::autograd::impl::add_hook(one, std::make_unique<Before>(weak_from_this(), place));
        torch::autograd::impl::set_post_acc_grad_hooks(
            one, std::make_unique<After>(weak_from_this(), place++));
      }
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
  }

  // From now on, each gradient that is added is whole.
  void begin() {
    const std::lock_guard lock(mutex_);
    armed_ = true;
  }

  struct Ended {
    // Buckets that were begun.
    size_t begun;
    // Places of the parameters in the order in which their gradients were whole.
    std::vector<size_t> whole;
    // Whether a gradient was refused before.
    bool refused;
  };

  // No gradient is added from now on until `next`.
  Ended end() {
    const std::lock_guard lock(mutex_);
    armed_ = false;
    ended_ = true;
    return {next_, whole_, refused_};
  }

  void launch(const std::vector<size_t>& buckets) {
    const std::lock_guard lock(mutex_);
    for (const size_t at : buckets) enqueue(at);
  }

  // Another step, with this order of buckets.
  void next(std::vector<size_t> order) {
    const std::lock_guard lock(mutex_);
    order_ = std::move(order);
    reset();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closing_ || (queue_.empty() && !busy_); });
    if (!failure_.empty()) throw std::runtime_error(failure_);
  }

  // What failed, and after how many milliseconds.
  std::pair<std::string, double> failure() {
    const std::lock_guard lock(mutex_);
    return {failed_, failedAfter_};
  }

  // The sum of this rank's part; undefined where the bucket was not sent.
  at::Tensor takeSum(size_t bucket) {
    const std::lock_guard lock(mutex_);
    return std::exchange(buckets_.at(bucket).sum, at::Tensor());
  }

  void close() {
    for (const Bucket& bucket : buckets_)
      for (const at::Tensor& one : bucket.parameters) {
        std::erase_if(torch::autograd::impl::hooks(one), [this](const auto& hook) {
          const auto* own = dynamic_cast<const Before*>(hook.get());
          return own != nullptr && own->exchange.lock().get() == this;
        });
        torch::autograd::impl::set_post_acc_grad_hooks(one, nullptr);
      }
    bool waits;
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      waits = busy_;
      if (failure_.empty() && (busy_ || !queue_.empty()))
        failure_ = "the gradient exchange was closed while it sent gradients";
      changed_.notify_all();
    }
    // After a failure, it may wait for other ranks up to the deadline.
    if (waits)
      thread_.detach();
    else
      thread_.join();
  }

 private:
  struct Before : torch::autograd::FunctionPreHook {
    Before(std::weak_ptr<Exchange> exchange, size_t place)
        : exchange(std::move(exchange)), place(place) {}
    torch::autograd::variable_list operator()(
        const torch::autograd::variable_list& gradients) override {
      if (const auto owner = exchange.lock()) owner->refuseLate(place);
      return gradients;
    }
    std::weak_ptr<Exchange> exchange;
    size_t place;
  };

  struct After : torch::autograd::PostAccumulateGradHook {
    After(std::weak_ptr<Exchange> exchange, size_t place)
        : exchange(std::move(exchange)), place(place) {}
    void operator()(const at::Tensor&) override {
      if (const auto owner = exchange.lock()) owner->isWhole(place);
    }
    std::weak_ptr<Exchange> exchange;
    size_t place;
  };

  void reset() {
    for (Bucket& bucket : buckets_) {
      bucket.missing = bucket.parameters.size();
      bucket.begun = false;
      bucket.gradients.clear();
    }
    seen_.assign(places_.size(), false);
    whole_.clear();
    next_ = 0;
    ended_ = refused_ = false;
    failure_.clear();
  }

  // Throws before autograd adds a gradient to one that is on its way or sent.
  void refuseLate(size_t place) {
    const std::lock_guard lock(mutex_);
    const Bucket& bucket = buckets_[places_[place]];
    if (!bucket.begun && !ended_) return;
    // The pass may have added to gradients that are not on their way yet.
    if (!ended_) refused_ = true;
    const size_t first = static_cast<size_t>(
        std::find(places_.begin(), places_.end(), places_[place]) - places_.begin());
    throw std::runtime_error(c10::str(
        "a parameter of shape ", bucket.parameters[place - first].sizes(),
        " got another gradient after the last pass of the step, whose gradients are sent to the "
        "other processes. Call begin() only before the last pass, and await finish() or abandon() "
        "before the next step"));
  }

  void isWhole(size_t place) {
    const std::lock_guard lock(mutex_);
    if (!armed_) return;
    if (seen_[place]) return;
    seen_[place] = true;
    whole_.push_back(place);
    --buckets_[places_[place]].missing;
    while (next_ < order_.size() && buckets_[order_[next_]].missing == 0) enqueue(order_[next_++]);
  }

  // On the thread of backward or of JavaScript, as all that touches parameters.
  void enqueue(size_t bucket) {
    Bucket& own = buckets_.at(bucket);
    own.begun = true;
    for (at::Tensor& one : own.parameters)
      own.gradients.push_back(parts_ ? std::exchange(one.mutable_grad(), at::Tensor())
                                     : one.grad());
    queue_.push_back(bucket);
    changed_.notify_all();
  }

  void run() {
    const at::NoGradGuard noGrad;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      Bucket& bucket = buckets_[queue_.front()];
      queue_.pop_front();
      if (failure_.empty()) {
        busy_ = true;
        lock.unlock();
        const auto began = steady_clock::now();
        const char* collective = "allToAll";
        std::string error;
        at::Tensor sum;
        try {
          sum = send(bucket, collective);
        } catch (const c10::Error& caught) {
          error = caught.what_without_backtrace();
        } catch (const std::exception& caught) {
          error = caught.what();
        } catch (...) {
        }
        lock.lock();
        busy_ = false;
        if (sum.defined()) {
          if (parts_) bucket.sum = std::move(sum);
        } else {
          failure_ = error.empty() ? "unknown C++ exception" : error;
          failed_ = collective;
          failedAfter_ =
              std::chrono::duration<double, std::milli>(steady_clock::now() - began).count();
        }
      }
      changed_.notify_all();
    }
  }

  // The sum is added in the order of ranks: all ranks have the same bits. No operator of ATen that
  // could use more threads: those of backward compute. -> [part]
  at::Tensor send(Bucket& bucket, const char*& collective) {
    const auto options = bucket.parameters.front().options().requires_grad(false);
    const int64_t ranks = group_->getSize();
    at::Tensor flat = at::empty({ranks * bucket.part}, options);
    auto* bytes = static_cast<char*>(flat.mutable_data_ptr());
    const auto width = static_cast<int64_t>(flat.element_size());
    std::memset(bytes, 0, flat.nbytes());
    for (size_t i = 0; i < bucket.gradients.size(); ++i) {
      if (!bucket.gradients[i].defined()) continue;
      const at::Tensor rows = bucket.gradients[i].contiguous();
      std::memcpy(bytes + bucket.offsets[i] * width, rows.const_data_ptr(), rows.nbytes());
    }
    if (parts_) bucket.gradients.clear();
    at::Tensor sum = at::empty({bucket.part}, options);
    {
      at::Tensor found = at::empty_like(flat);
      std::vector<int64_t> even;
      c10d::AllToAllOptions how;
      how.timeout = timeout_;
      group_->alltoall_base(found, flat, even, even, how)->wait(timeout_);
      addRows(found, sum, ranks);
    }
    if (parts_) return sum;
    collective = "allGather";
    c10d::AllgatherOptions how;
    how.timeout = timeout_;
    group_->_allgather_base(flat, sum, how)->wait(timeout_);
    for (size_t i = 0; i < bucket.gradients.size(); ++i) {
      const at::Tensor& gradient = bucket.gradients[i];
      if (!gradient.defined()) continue;
      const char* from = bytes + bucket.offsets[i] * width;
      if (gradient.is_contiguous())
        std::memcpy(gradient.mutable_data_ptr(), from, gradient.nbytes());
      else
        gradient.copy_(flat.narrow(0, bucket.offsets[i], gradient.numel()).view(gradient.sizes()));
    }
    return sum;
  }

  // [ranks * part] -> [part]
  static void addRows(const at::Tensor& rows, at::Tensor& sum, int64_t ranks) {
    AT_DISPATCH_FLOATING_TYPES_AND2(
        at::kHalf, at::kBFloat16, sum.scalar_type(), "addRows", [&] {
          const int64_t part = sum.numel();
          const auto* from = rows.const_data_ptr<scalar_t>();
          auto* into = sum.mutable_data_ptr<scalar_t>();
          std::memcpy(into, from, sum.nbytes());
          for (int64_t rank = 1; rank < ranks; ++rank) {
            const auto* row = from + rank * part;
            for (int64_t i = 0; i < part; ++i) into[i] = into[i] + row[i];
          }
        });
  }

  GroupPointer group_;
  std::vector<Bucket> buckets_;
  const bool parts_;
  const milliseconds timeout_;
  // By the place of a parameter, its bucket.
  std::vector<size_t> places_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Buckets in the order in which all ranks send them, and the number of those begun in backward.
  std::vector<size_t> order_;
  size_t next_ = 0;
  std::vector<bool> seen_;
  std::vector<size_t> whole_;
  std::deque<size_t> queue_;
  // ended_, refused_: of the step that `next` ends.
  bool armed_ = false, ended_ = false, refused_ = false, busy_ = false, closing_ = false;
  std::string failure_, failed_;
  double failedAfter_ = 0;
};

// They belong to the process; an entry is empty once it is closed.
std::mutex& tableMutex() {
  static std::mutex mutex;
  return mutex;
}
std::vector<std::shared_ptr<Exchange>>& table() {
  static auto* entries = new std::vector<std::shared_ptr<Exchange>>();
  return *entries;
}

std::shared_ptr<Exchange> exchangeAt(napi_env env, const Arguments& args) {
  const double index = toNumber(env, args[0]);
  const std::lock_guard lock(tableMutex());
  if (index >= 0 && index < static_cast<double>(table().size())) {
    if (const auto& found = table()[static_cast<size_t>(index)]) return found;
  }
  throw std::runtime_error("the gradient exchange is closed");
}

std::vector<napi_value> elementsOf(napi_env env, napi_value list) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, list, &length));
  std::vector<napi_value> elements(length);
  for (uint32_t i = 0; i < length; ++i) check(env, napi_get_element(env, list, i, &elements[i]));
  return elements;
}

std::vector<size_t> indicesOf(napi_env env, napi_value list) {
  std::vector<size_t> indices;
  for (const napi_value one : elementsOf(env, list))
    indices.push_back(static_cast<size_t>(toInteger(env, one)));
  return indices;
}

}  // namespace

// exchangeOpen(group, tensors of each bucket, their offsets, parts, keeps parts, timeout) -> index
napi_value exchangeOpen(napi_env env, const Arguments& args) {
  const auto group = groupAt(toNumber(env, args[0]));
  const auto tensors = elementsOf(env, args[1]);
  const auto offsets = elementsOf(env, args[2]);
  const auto parts = elementsOf(env, args[3]);
  bool keepsParts = false;
  check(env, napi_get_value_bool(env, args[4], &keepsParts));
  std::vector<Bucket> buckets;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Bucket bucket;
    for (const napi_value one : elementsOf(env, tensors[i]))
      bucket.parameters.push_back(instance(env).handles.get(toNumber(env, one)));
    for (const napi_value one : elementsOf(env, offsets.at(i)))
      bucket.offsets.push_back(toInteger(env, one));
    bucket.part = toInteger(env, parts.at(i));
    buckets.push_back(std::move(bucket));
  }
  const auto exchange = std::make_shared<Exchange>(group, std::move(buckets), keepsParts,
                                                   milliseconds(toInteger(env, args[5])));
  exchange->start();
  const std::lock_guard lock(tableMutex());
  table().push_back(exchange);
  return fromNumber(env, static_cast<double>(table().size() - 1));
}

napi_value exchangeBegin(napi_env env, const Arguments& args) {
  exchangeAt(env, args)->begin();
  return undefinedValue(env);
}

// exchangeEnd(exchange) -> {begun, whole, refused}
napi_value exchangeEnd(napi_env env, const Arguments& args) {
  const auto [begun, whole, refused] = exchangeAt(env, args)->end();
  napi_value result, list;
  check(env, napi_create_object(env, &result));
  check(env, napi_create_array_with_length(env, whole.size(), &list));
  for (size_t i = 0; i < whole.size(); ++i)
    check(env, napi_set_element(env, list, static_cast<uint32_t>(i),
                                fromNumber(env, static_cast<double>(whole[i]))));
  check(env, napi_set_named_property(env, result, "whole", list));
  check(env, napi_set_named_property(env, result, "begun",
                                     fromNumber(env, static_cast<double>(begun))));
  check(env, napi_set_named_property(env, result, "refused", fromBool(env, refused)));
  return result;
}

// exchangeLaunch(exchange, buckets)
napi_value exchangeLaunch(napi_env env, const Arguments& args) {
  exchangeAt(env, args)->launch(indicesOf(env, args[1]));
  return undefinedValue(env);
}

// exchangeNext(exchange, buckets): another step, with this order
napi_value exchangeNext(napi_env env, const Arguments& args) {
  exchangeAt(env, args)->next(indicesOf(env, args[1]));
  return undefinedValue(env);
}

// exchangeWait(exchange) -> promise
napi_value exchangeWait(napi_env env, const Arguments& args) {
  return later(env, "exchangeWait", [exchange = exchangeAt(env, args)]() -> LaterResult {
    exchange->wait();
    return {};
  });
}

// exchangeFailure(exchange) -> {collective, milliseconds}
napi_value exchangeFailure(napi_env env, const Arguments& args) {
  const auto [collective, after] = exchangeAt(env, args)->failure();
  napi_value result;
  check(env, napi_create_object(env, &result));
  check(env, napi_set_named_property(env, result, "collective", fromString(env, collective)));
  check(env, napi_set_named_property(env, result, "milliseconds", fromNumber(env, after)));
  return result;
}

// exchangeTake(exchange, bucket) -> handle of the sum of this rank's part, or null
napi_value exchangeTake(napi_env env, const Arguments& args) {
  const auto bucket = static_cast<size_t>(toInteger(env, args[1]));
  return fromIValue(env, exchangeAt(env, args)->takeSum(bucket));
}

napi_value exchangeClose(napi_env env, const Arguments& args) {
  const auto exchange = exchangeAt(env, args);
  exchange->close();
  const std::lock_guard lock(tableMutex());
  table()[static_cast<size_t>(toNumber(env, args[0]))].reset();
  return undefinedValue(env);
}

#else

namespace {
napi_value absent() {
  throw std::runtime_error("this LibTorch is built without process groups (torch.distributed)");
}
}  // namespace

napi_value exchangeOpen(napi_env, const Arguments&) { return absent(); }
napi_value exchangeBegin(napi_env, const Arguments&) { return absent(); }
napi_value exchangeEnd(napi_env, const Arguments&) { return absent(); }
napi_value exchangeLaunch(napi_env, const Arguments&) { return absent(); }
napi_value exchangeNext(napi_env, const Arguments&) { return absent(); }
napi_value exchangeWait(napi_env, const Arguments&) { return absent(); }
napi_value exchangeFailure(napi_env, const Arguments&) { return absent(); }
napi_value exchangeTake(napi_env, const Arguments&) { return absent(); }
napi_value exchangeClose(napi_env, const Arguments&) { return absent(); }

#endif

}  // namespace keel
