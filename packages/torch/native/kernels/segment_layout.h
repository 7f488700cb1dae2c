// What segment attention is given, checked, and its composed form.
#pragma once
#include <limits>

#include "dispatch.h"

namespace keel {

// How many tokens stand before each segment in its sequence, and which runs of the batch they are.
struct Layout {
  struct Run {
    int64_t start, length;
  };
  struct Segment {
    std::vector<Run> keys;  // of its chain, itself last
    int64_t start, length, past;
    int64_t total() const { return past + length; }
  };
  std::vector<Segment> segments;

  // table [segments * 3]: start, length, prefix
  Layout(c10::IntArrayRef table, int64_t tokens) {
    TORCH_CHECK(table.size() % 3 == 0, "segment_attention: the table has start, length and prefix of each segment");
    int64_t expected = 0;
    for (size_t i = 0; i < table.size() / 3; ++i) {
      const int64_t start = table[3 * i], length = table[3 * i + 1], prefix = table[3 * i + 2];
      TORCH_CHECK(start == expected && length > 0 && start + length <= tokens && prefix >= -1 && prefix < static_cast<int64_t>(i),
                  "segment_attention: segment ", i, " (start ", start, ", length ", length, ", prefix ", prefix, ") does not fit the batch");
      expected = start + length;
      Segment segment{{}, start, length, 0};
      if (prefix >= 0) {
        segment.keys = segments[prefix].keys;
        segment.past = segments[prefix].total();
      }
      segment.keys.push_back({start, length});
      segments.push_back(std::move(segment));
    }
    TORCH_CHECK(expected == tokens, "segment_attention: the segments cover ", expected, " of ", tokens, " tokens");
  }
};

struct Options {
  double scale;
  int64_t window;  // 0: none
  double softcap;  // 0: none
  // Keys [first, last) that the query at this place of its sequence sees.
  int64_t first(int64_t place) const { return window > 0 ? std::max<int64_t>(0, place - window + 1) : 0; }
  // Queries before this place see the key at `key`.
  int64_t end(int64_t key, int64_t total) const { return window > 0 ? std::min(total, key + window) : total; }
};

struct Sizes {
  int64_t tokens, heads, keyHeads, size, groups;
};

inline Sizes sizesOf(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  checkKind("segment_attention", q, {k, v});
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes() && q.size(0) == k.size(0) && q.size(2) == k.size(2) && k.size(1) > 0 && q.size(1) % k.size(1) == 0,
              "segment_attention takes query [T, heads, size], key and value [T, keyHeads, size]; got ", q.sizes(), ", ", k.sizes(), ", ", v.sizes());
  return {q.size(0), q.size(1), k.size(1), q.size(2), q.size(1) / k.size(1)};
}

// Scores with the mask, [heads, length, total] in float32 or wider: the composed form, for other devices and types.
inline at::Tensor composedScores(const at::Tensor& q, const at::Tensor& k, const Layout::Segment& segment, const Options& options) {
  at::Tensor scores = at::matmul(q, k.transpose(1, 2)) * options.scale;
  if (options.softcap > 0) scores = at::tanh(scores / options.softcap) * options.softcap;
  const auto whole = at::TensorOptions().dtype(at::kLong).device(q.device());
  const at::Tensor places = at::arange(segment.past, segment.total(), whole).unsqueeze(1), keys = at::arange(segment.total(), whole).unsqueeze(0);
  at::Tensor hidden = keys > places;
  if (options.window > 0) hidden = at::logical_or(hidden, keys <= places - options.window);
  return scores.masked_fill(hidden, -INFINITY);
}

inline at::Tensor composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& layout, const Options& options, const Sizes& s) {
  std::vector<at::Tensor> parts;
  const auto wide = wideType(q);
  for (const auto& segment : layout.segments) {
    std::vector<at::Tensor> keys, values;
    for (const auto& run : segment.keys) {
      keys.push_back(k.narrow(0, run.start, run.length));
      values.push_back(v.narrow(0, run.start, run.length));
    }
    const auto byHead = [&](const at::Tensor& x) { return x.to(wide).transpose(0, 1); };  // [heads, tokens, size]
    const auto shared = [&](const std::vector<at::Tensor>& list) { return byHead(at::cat(list)).repeat_interleave(s.groups, 0); };
    const at::Tensor scores = composedScores(byHead(q.narrow(0, segment.start, segment.length)), shared(keys), segment, options);
    parts.push_back(at::matmul(at::softmax(scores, -1), shared(values)).transpose(0, 1));
  }
  return at::cat(parts).to(q.scalar_type());
}

}  // namespace keel
