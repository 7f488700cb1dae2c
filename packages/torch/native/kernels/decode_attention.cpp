// keel::decode_attention: one new query per sequence over its cached keys and values, for
// generation. A sequence's keys are those of its prompt (the prefix), which its samples share,
// followed by its own row of the cache.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "cached_keys.h"
#include "dispatch.h"

namespace keel {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

struct Arguments {
  int64_t batch, heads, size, keyValueHeads, group, capacity;
  at::Tensor query, keys, values, rows, lengths;
  // Undefined if there is no prefix.
  at::Tensor prefixKeys, prefixValues, prefixStarts, prefixLengths;
  double scale, softcap;
  int64_t window;
  // The largest of lengths and of prefixLengths; -1: not known to the caller.
  int64_t longest = -1, longestPrefix = -1;
};

Arguments checked(const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values,
                  const at::Tensor& rows, const at::Tensor& lengths, double scale, double softcap,
                  int64_t window, const OptionalTensor& prefixKeys,
                  const OptionalTensor& prefixValues, const OptionalTensor& prefixStarts,
                  const OptionalTensor& prefixLengths) {
  TORCH_CHECK(query.dim() == 3 && keys.dim() == 4 && values.sizes() == keys.sizes(),
              "decode_attention takes query [B, heads, size] and keys and values [R, capacity, "
              "keyValueHeads, size], got ",
              query.sizes(), ", ", keys.sizes(), ", ", values.sizes());
  const int64_t batch = query.size(0), heads = query.size(1), size = query.size(2),
                keyValueHeads = keys.size(2);
  TORCH_CHECK(keys.size(3) == size && keyValueHeads > 0 && heads % keyValueHeads == 0,
              "decode_attention: ", heads, " query heads of size ", size, " do not fit ",
              keyValueHeads, " key-value heads of size ", keys.size(3));
  TORCH_CHECK(
      keys.scalar_type() == query.scalar_type() && values.scalar_type() == query.scalar_type(),
      "decode_attention: query, keys and values must have one type");
  TORCH_CHECK(window >= 0, "decode_attention: window is ", window,
              ", expected at least 0 (0: no window)");
  const auto perSequence = [&](const at::Tensor& index, const char* name) {
    TORCH_CHECK(index.dim() == 1 && index.size(0) == batch && index.scalar_type() == at::kLong,
                "decode_attention: ", name, " must be int64 [", batch, "], got ", index.sizes(),
                " ", index.scalar_type());
    return index.contiguous();
  };
  Arguments given{batch,
                  heads,
                  size,
                  keyValueHeads,
                  heads / keyValueHeads,
                  keys.size(1),
                  query.contiguous(),
                  keys.contiguous(),
                  values.contiguous(),
                  perSequence(rows, "rows"),
                  perSequence(lengths, "lengths"),
                  {},
                  {},
                  {},
                  {},
                  scale,
                  softcap,
                  window};
  if (!prefixKeys.has_value()) return given;
  TORCH_CHECK(prefixValues.has_value() && prefixStarts.has_value() && prefixLengths.has_value(),
              "decode_attention: a prefix needs keys, values, starts and lengths");
  TORCH_CHECK(prefixKeys->dim() == 3 && prefixKeys->size(1) == keyValueHeads &&
                  prefixKeys->size(2) == size && prefixValues->sizes() == prefixKeys->sizes(),
              "decode_attention: prefix keys and values must be [P, ", keyValueHeads, ", ", size,
              "], got ", prefixKeys->sizes(), ", ", prefixValues->sizes());
  TORCH_CHECK(prefixKeys->scalar_type() == query.scalar_type() &&
                  prefixValues->scalar_type() == query.scalar_type(),
              "decode_attention: the prefix must have the type of the query");
  given.prefixKeys = prefixKeys->contiguous();
  given.prefixValues = prefixValues->contiguous();
  given.prefixStarts = perSequence(*prefixStarts, "prefix_starts");
  given.prefixLengths = perSequence(*prefixLengths, "prefix_lengths");
  return given;
}

// The largest length. If the caller does not know it, a device has to be waited for.
int64_t largest(const at::Tensor& lengths, int64_t known) {
  if (known >= 0) return known;
  return lengths.numel() == 0 ? 0 : lengths.max().item<int64_t>();
}

// The composed form, on any device: keys gathered to [B, S, keyValueHeads, size], invisible ones
// masked.
at::Tensor composed(const Arguments& a) {
  const auto wide = a.query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto steps = [&](int64_t count) {
    return at::arange(count, a.rows.options()).unsqueeze(0);
  };  // [1, count]
  const int64_t own = largest(a.lengths, a.longest);
  at::Tensor keys =
      a.keys.index_select(0, a.rows).narrow(1, 0, own);  // [B, own, keyValueHeads, size]
  at::Tensor values = a.values.index_select(0, a.rows).narrow(1, 0, own);
  at::Tensor places = steps(own).expand({a.batch, own});  // [B, S]: position in the sequence
  at::Tensor seen = places.lt(a.lengths.unsqueeze(1));
  at::Tensor total = a.lengths;
  if (a.prefixKeys.defined()) {
    const int64_t before = largest(a.prefixLengths, a.longestPrefix);
    const at::Tensor offsets = steps(before).expand({a.batch, before});
    const at::Tensor inside = offsets.lt(a.prefixLengths.unsqueeze(1));
    const at::Tensor index =
        (a.prefixStarts.unsqueeze(1) + offsets).masked_fill(inside.logical_not(), 0).reshape({-1});
    const std::vector<int64_t> shape{a.batch, before, a.keyValueHeads, a.size};
    keys = at::cat({a.prefixKeys.index_select(0, index).view(shape), keys}, 1);
    values = at::cat({a.prefixValues.index_select(0, index).view(shape), values}, 1);
    places = at::cat({offsets, places + a.prefixLengths.unsqueeze(1)}, 1);
    seen = at::cat({inside, seen}, 1);
    total = total + a.prefixLengths;
  }
  if (a.window > 0) seen = seen.logical_and(places.ge(total.unsqueeze(1) - a.window));
  const at::Tensor query = a.query.to(wide).view({a.batch, a.keyValueHeads, a.group, a.size});
  at::Tensor scores = at::matmul(query, keys.to(wide).permute({0, 2, 3, 1})) *
                      a.scale;  // [B, keyValueHeads, group, S]
  if (a.softcap > 0) scores = at::tanh(scores / a.softcap) * a.softcap;
  scores = scores.masked_fill(seen.logical_not().unsqueeze(1).unsqueeze(1),
                              -std::numeric_limits<double>::infinity());
  const at::Tensor attended =
      at::matmul(at::softmax(scores, -1), values.to(wide).permute({0, 2, 1, 3}));
  return attended.reshape({a.batch, a.heads, a.size}).to(a.query.scalar_type());
}

template <typename T>
void attendAll(const Arguments& a, at::Tensor& result) {
  const CachedKeys<T> cache("decode_attention",
                            {a.keys, a.values, a.rows, a.lengths, a.prefixKeys, a.prefixValues,
                             a.prefixStarts, a.prefixLengths, a.window});
  const T* query = readOnly<T>(a.query);
  T* out = writable<T>(result);
  const auto attendOne = rows::attend<T>();
  // It takes about 32,768 products to make another thread worthwhile.
  const int64_t products =
      std::max<int64_t>(1, cache.total() / std::max<int64_t>(1, a.batch) * a.group * a.size * 2);
  at::parallel_for(
      0, a.batch * a.keyValueHeads, std::max<int64_t>(1, 32768 / products),
      [&](int64_t begin, int64_t end) {
        std::vector<rows::Wide<T>> scratch(rows::attendScratch(cache.longest(), a.group, a.size));
        for (int64_t task = begin; task < end; ++task) {
          const int64_t b = task / a.keyValueHeads, head = task % a.keyValueHeads;
          const int64_t place = (b * a.heads + head * a.group) * a.size;
          rows::Reach<T> runs[2], next[2];
          cache.see(b, head, runs);
          cache.seeNext(b, a.batch, head, next);
          attendOne(query + place, out + place, runs, next, a.group, a.size, cache.stride(),
                    a.scale, a.softcap, scratch.data());
        }
      });
}

at::Tensor onCpu(const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values,
                 const at::Tensor& rows, const at::Tensor& lengths, double scale, double softcap,
                 int64_t window, const OptionalTensor& prefixKeys,
                 const OptionalTensor& prefixValues, const OptionalTensor& prefixStarts,
                 const OptionalTensor& prefixLengths, int64_t, int64_t) {
  const Arguments a = checked(query, keys, values, rows, lengths, scale, softcap, window,
                              prefixKeys, prefixValues, prefixStarts, prefixLengths);
  at::Tensor result = at::empty_like(a.query);
  switch (a.query.scalar_type()) {
    case at::kFloat:
      attendAll<float>(a, result);
      return result;
    case at::kDouble:
      attendAll<double>(a, result);
      return result;
    case at::kBFloat16:
      attendAll<rows::bf16>(a, result);
      return result;
    default:
      return composed(a);
  }
}

at::Tensor onAnyDevice(const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values,
                       const at::Tensor& rows, const at::Tensor& lengths, double scale,
                       double softcap, int64_t window, const OptionalTensor& prefixKeys,
                       const OptionalTensor& prefixValues, const OptionalTensor& prefixStarts,
                       const OptionalTensor& prefixLengths, int64_t longest,
                       int64_t longestPrefix) {
  Arguments a = checked(query, keys, values, rows, lengths, scale, softcap, window, prefixKeys,
                        prefixValues, prefixStarts, prefixLengths);
  a.longest = longest;
  a.longestPrefix = longestPrefix;
  return composed(a);
}

const char* const kSignature =
    "(Tensor query, Tensor keys, Tensor values, Tensor rows, Tensor lengths, float scale, float "
    "softcap=0.0, "
    "int window=0, Tensor? prefix_keys=None, Tensor? prefix_values=None, Tensor? "
    "prefix_starts=None, "
    "Tensor? prefix_lengths=None, int longest=-1, int longest_prefix=-1) -> Tensor";

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def((std::string("decode_attention") + kSignature).c_str());
  library.def((std::string("decode_attention_composed") + kSignature).c_str());
}
TORCH_LIBRARY_IMPL(keel, CPU, library) { library.impl("decode_attention", onCpu); }
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) {
  library.impl("decode_attention", onAnyDevice);
  library.impl("decode_attention_composed", onAnyDevice);
}

}  // namespace keel
