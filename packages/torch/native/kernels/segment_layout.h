// The inputs of segment attention, checked, and its composed form.
#pragma once
#include <limits>
#include <map>

#include "dispatch.h"

namespace keel {

// Number of tokens before each segment in its sequence, and the runs of the batch that hold them.
struct Layout {
  struct Run {
    int64_t start, length;
  };
  struct Segment {
    std::vector<Run> keys;  // runs of its chain, itself last
    int64_t start, length, past;
    int64_t total() const { return past + length; }
  };
  std::vector<Segment> segments;

  // table [segments * 3]: start, length, prefix
  Layout(c10::IntArrayRef table, int64_t tokens) {
    TORCH_CHECK(table.size() % 3 == 0,
                "segment_attention: the table must have start, length and prefix of each segment");
    int64_t expected = 0;
    for (size_t i = 0; i < table.size() / 3; ++i) {
      const int64_t start = table[3 * i], length = table[3 * i + 1], prefix = table[3 * i + 2];
      TORCH_CHECK(start == expected && length > 0 && start + length <= tokens && prefix >= -1 &&
                      prefix < static_cast<int64_t>(i),
                  "segment_attention: segment ", i, " (start ", start, ", length ", length,
                  ", prefix ", prefix, ") does not fit the batch");
      expected = start + length;
      Segment segment{{}, start, length, 0};
      if (prefix >= 0) {
        segment.keys = segments[prefix].keys;
        segment.past = segments[prefix].total();
      }
      segment.keys.push_back({start, length});
      segments.push_back(std::move(segment));
    }
    TORCH_CHECK(expected == tokens, "segment_attention: the segments cover ", expected, " of ",
                tokens, " tokens");
  }
};

struct Options {
  double scale;
  int64_t window;  // 0: no window
  double softcap;  // 0: no cap
  // Keys [first, last) that the query at this position of its sequence sees.
  int64_t first(int64_t place) const {
    return window > 0 ? std::max<int64_t>(0, place - window + 1) : 0;
  }
  // Queries before this position see the key at `key`.
  int64_t end(int64_t key, int64_t total) const {
    return window > 0 ? std::min(total, key + window) : total;
  }
};

struct Sizes {
  int64_t tokens, heads, keyHeads, size, groups;
};

inline Sizes sizesOf(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  checkKind("segment_attention", q, {k, v});
  TORCH_CHECK(
      q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes() && q.size(0) == k.size(0) &&
          q.size(2) == k.size(2) && k.size(1) > 0 && q.size(1) % k.size(1) == 0,
      "segment_attention takes query [T, heads, size], key and value [T, keyHeads, size]; got ",
      q.sizes(), ", ", k.sizes(), ", ", v.sizes());
  return {q.size(0), q.size(1), k.size(1), q.size(2), q.size(1) / k.size(1)};
}

// Gradients of the keys and values that some queries of a segment see, in the order of its chain:
// [seen, stride] each.
struct KeyPart {
  int64_t segment, keyHead, from;
  const std::vector<float>*keys, *values;
};

// Sums each token's key gradients over its own segment and all that continue it, in the order of
// the parts.
template <typename T>
void collectKeyParts(const std::vector<KeyPart>& parts, const Layout& layout, const Sizes& s,
                     int64_t stride, const at::Tensor& gKey, const at::Tensor& gValue) {
  struct Source {
    const KeyPart* part;
    int64_t offset;  // offset of the segment's first key in the part
  };
  const auto count = static_cast<int64_t>(layout.segments.size());
  std::vector<std::vector<Source>> sources(count * s.keyHeads);
  std::map<int64_t, int64_t> owners;  // first token -> segment
  for (int64_t i = 0; i < count; ++i) owners[layout.segments[i].start] = i;
  for (const auto& part : parts) {
    int64_t offset = 0;
    for (const auto& run : layout.segments[part.segment].keys) {
      sources[owners.at(run.start) * s.keyHeads + part.keyHead].push_back({&part, offset});
      offset += run.length;
    }
  }
  T *toKey = writable<T>(gKey), *toValue = writable<T>(gValue);
  at::parallel_for(0, count * s.keyHeads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> total(s.size);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t keyHead = unit % s.keyHeads;
      const auto& segment = layout.segments[unit / s.keyHeads];
      const auto collect = [&](bool keys, T* to) {
        for (int64_t i = 0; i < segment.length; ++i) {
          std::fill(total.begin(), total.end(), 0.f);
          for (const auto& [part, offset] : sources[unit]) {
            const auto& values = keys ? *part->keys : *part->values;
            // The queries in the first part of a long segment do not see its last keys.
            if ((offset + i) * stride >= static_cast<int64_t>(values.size())) continue;
            const float* from = values.data() + (offset + i) * stride;
            for (int64_t d = 0; d < s.size; ++d) total[d] += from[d];
          }
          table<T>().narrowRow(total.data(),
                               to + ((segment.start + i) * s.keyHeads + keyHead) * s.size, s.size);
        }
      };
      collect(true, toKey);
      collect(false, toValue);
    }
  });
}

// Masked scores, [heads, length, total] in float32 or wider: the composed form, for other devices
// and types.
inline at::Tensor composedScores(const at::Tensor& q, const at::Tensor& k,
                                 const Layout::Segment& segment, const Options& options) {
  at::Tensor scores = at::matmul(q, k.transpose(1, 2)) * options.scale;
  if (options.softcap > 0) scores = at::tanh(scores / options.softcap) * options.softcap;
  const auto whole = at::TensorOptions().dtype(at::kLong).device(q.device());
  const at::Tensor places = at::arange(segment.past, segment.total(), whole).unsqueeze(1),
                   keys = at::arange(segment.total(), whole).unsqueeze(0);
  at::Tensor hidden = keys > places;
  if (options.window > 0) hidden = at::logical_or(hidden, keys <= places - options.window);
  return scores.masked_fill(hidden, -INFINITY);
}

inline at::Tensor composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const Layout& layout, const Options& options, const Sizes& s) {
  std::vector<at::Tensor> parts;
  const auto wide = wideType(q);
  for (const auto& segment : layout.segments) {
    std::vector<at::Tensor> keys, values;
    for (const auto& run : segment.keys) {
      keys.push_back(k.narrow(0, run.start, run.length));
      values.push_back(v.narrow(0, run.start, run.length));
    }
    const auto byHead = [&](const at::Tensor& x) {
      return x.to(wide).transpose(0, 1);
    };  // [heads, tokens, size]
    const auto shared = [&](const std::vector<at::Tensor>& list) {
      return byHead(at::cat(list)).repeat_interleave(s.groups, 0);
    };
    const at::Tensor scores = composedScores(byHead(q.narrow(0, segment.start, segment.length)),
                                             shared(keys), segment, options);
    parts.push_back(at::matmul(at::softmax(scores, -1), shared(values)).transpose(0, 1));
  }
  return at::cat(parts).to(q.scalar_type());
}

}  // namespace keel
