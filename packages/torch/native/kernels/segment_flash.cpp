#include "segment_flash.h"

#include <ATen/ops/_flash_attention_forward.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/library.h>

#include <cmath>
#include <list>
#include <mutex>
#include <string>

namespace keel {
namespace {

// Where each segment's queries and keys begin, as the kernel takes it. The keys of a segment are
// those of its chain, one after the other; the kernel's causal mask is aligned to their end.
struct Lengths {
  at::Tensor queries, keys;  // int32 [segments + 1]
  at::Tensor places;         // int64 [all keys]: their tokens in the batch; undefined: as they are
  int64_t longestQuery, longestKey;
};

at::Tensor sent(at::ArrayRef<int64_t> numbers, at::ScalarType type, const c10::Device& device) {
  return at::tensor(numbers, type).to(device, /*non_blocking=*/true);
}

Lengths lengthsOf(const Layout& layout, const c10::Device& device) {
  std::vector<int64_t> queries{0}, keys{0}, places;
  int64_t longestQuery = 0, longestKey = 0;
  bool chained = false;
  for (const auto& segment : layout.segments) {
    queries.push_back(queries.back() + segment.length);
    keys.push_back(keys.back() + segment.total());
    longestQuery = std::max(longestQuery, segment.length);
    longestKey = std::max(longestKey, segment.total());
    chained = chained || segment.past > 0;
    for (const auto& run : segment.keys)
      for (int64_t i = 0; i < run.length; ++i) places.push_back(run.start + i);
  }
  return {sent(queries, at::kInt, device), sent(keys, at::kInt, device),
          chained ? sent(places, at::kLong, device) : at::Tensor(), longestQuery, longestKey};
}

// All layers of a pass have the same segments: the last few are kept on their device.
Lengths keptLengths(c10::IntArrayRef table, const Layout& layout, const c10::Device& device) {
  struct Kept {
    std::vector<int64_t> table;
    c10::Device device;
    Lengths lengths;
  };
  constexpr size_t kMost = 4;
  static std::mutex mutex;
  static auto* const all = new std::list<Kept>();
  const std::lock_guard<std::mutex> lock(mutex);
  for (auto it = all->begin(); it != all->end(); ++it) {
    if (it->device != device || c10::IntArrayRef(it->table) != table) continue;
    all->splice(all->begin(), *all, it);
    return it->lengths;
  }
  all->push_front({table.vec(), device, lengthsOf(layout, device)});
  if (all->size() > kMost) all->pop_back();
  return all->front().lengths;
}

at::Tensor flash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                 const Lengths& lengths, const Options& options) {
  const auto chained = [&](const at::Tensor& x) {
    return lengths.places.defined() ? at::index_select(x, 0, lengths.places) : x.contiguous();
  };
  const auto left = options.window > 0 ? std::optional<int64_t>(options.window - 1) : std::nullopt;
  const auto right = options.window > 0 ? std::optional<int64_t>(0) : std::nullopt;
  return std::get<0>(at::_flash_attention_forward(
      q.contiguous(), chained(k), chained(v), lengths.queries, lengths.keys, lengths.longestQuery,
      lengths.longestKey, /*dropout_p=*/0.0, /*is_causal=*/true, /*return_debug_mask=*/false,
      options.scale, left, right));
}

// Results and gradients of a small batch with shared beginnings, in float32 on the host.
std::vector<at::Tensor> tried(const at::Tensor& like, int64_t size, int64_t window, bool byFlash) {
  constexpr int64_t heads = 4, keyHeads = 2, tokens = 90;
  const std::vector<int64_t> table{0, 40, -1, 40, 17, 0, 57, 3, 0, 60, 30, -1};
  // Numbers without a random generator: a run's are not touched.
  const auto made = [&](int64_t count, double phase) {
    const at::Tensor places = at::arange(tokens * count * size, at::kDouble);
    return (at::sin(places * 0.7 + phase) * 0.5)
        .reshape({tokens, count, size})
        .to(like.device(), like.scalar_type())
        .requires_grad_();
  };
  const at::AutoGradMode recording(true);
  const at::Tensor q = made(heads, 0), k = made(keyHeads, 1), v = made(keyHeads, 2);
  const Layout layout(table, tokens);
  const Options options{1 / std::sqrt(static_cast<double>(size)), window, 0};
  const at::Tensor out = byFlash ? flash(q, k, v, lengthsOf(layout, like.device()), options)
                                 : composed(q, k, v, layout, options,
                                            {tokens, heads, keyHeads, size, heads / keyHeads});
  const auto gradients = torch::autograd::grad({out}, {q, k, v}, {at::cos(out.detach() * 3)});
  std::vector<at::Tensor> all{out.detach()};
  all.insert(all.end(), gradients.begin(), gradients.end());
  for (at::Tensor& one : all) one = one.to(at::kCPU, at::kFloat);
  return all;
}

// The kernel exists, and its results and gradients are those of the composed form but for rounding.
bool isRight(const at::Tensor& like, int64_t size, int64_t window) {
  try {
    const auto found = tried(like, size, window, true), expected = tried(like, size, window, false);
    for (size_t i = 0; i < found.size(); ++i) {
      const double apart = at::norm(found[i] - expected[i]).item<double>();
      // bfloat16 rounds to 0.4%, probabilities and results too.
      if (!(apart < 0.03 * at::norm(expected[i]).item<double>())) return false;
    }
    return true;
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

bool attendsByFlash(const at::Tensor& q, const Options& options, const Sizes& sizes) {
  const auto type = q.scalar_type();
  if (q.is_cpu() || (type != at::kBFloat16 && type != at::kHalf)) return false;
  // The kernel has no softcap.
  if (options.softcap > 0 || sizes.size % 8 != 0 || sizes.size > 256) return false;
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, bool>();
  const int64_t window = options.window > 0 ? 5 : 0;
  const std::string key = q.device().str() + " " + c10::toString(type) + " " +
                          std::to_string(sizes.size) + " " + std::to_string(window);
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = known->find(key);
  if (found != known->end()) return found->second;
  return (*known)[key] = isRight(q, sizes.size, window);
}

at::Tensor attendByFlash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         c10::IntArrayRef table, const Options& options, const Sizes& sizes) {
  const Layout layout(table, sizes.tokens);
  return flash(q, k, v, keptLengths(table, layout, q.device()), options);
}

namespace {

// Whether attention over packed rows on this tensor's device, of its type, is flash attention.
bool attendsFast(const at::Tensor& like, int64_t size) {
  return attendsByFlash(like, {1, 0, 0}, {1, 1, 1, size, 1});
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("attends_by_flash(Tensor like, int size) -> bool");
}
TORCH_LIBRARY_IMPL(keel, CompositeImplicitAutograd, library) {
  library.impl("attends_by_flash", attendsFast);
}

}  // namespace keel
