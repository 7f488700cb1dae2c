// A unit of work is some queries of a segment with one head of keys and the query heads that share
// it. The backward works on transposed scores, keys by queries, so that sums over queries need no
// transposition; only the queries' own gradient does.
#include "segment_blocks.h"

#include <cmath>
#include <tuple>

#include "blocks/blocks.h"
#include "units.h"

namespace keel {
namespace {

using blocks::bf16;
using blocks::kPanel;
using blocks::Term;

// Queries in a block in the forward, where a block is a panel in the backward. Keys whose scores
// exist at a time in the backward.
constexpr int64_t kQueries = 64, kKeys = 10 * kPanel;
// Queries whose values are summed up to the last key that one of them sees.
constexpr int64_t kTile = 12;
// Query heads whose contributions to their keys are summed in registers.
constexpr int64_t kGroups = 4;
// Longer segments are distributed among threads.
constexpr int64_t kLongest = 1024;

int64_t evened(int64_t count) { return (count + 1) / 2 * 2; }

// A thread's memory, which grows on demand and is reused.
template <typename T>
class Kept {
 public:
  T* of(int64_t count) {
    if (static_cast<int64_t>(values_.size()) < count) values_.resize(count);
    return values_.data();
  }

 private:
  std::vector<T> values_;
};

struct Unit {
  int64_t segment, keyHead, from, to;  // query range, relative to the segment
};

// The most expensive first, so that threads finish at about the same time.
std::vector<Unit> unitsOf(const Layout& layout, const Sizes& s) {
  std::vector<Unit> units;
  for (size_t i = 0; i < layout.segments.size(); ++i) {
    const int64_t length = layout.segments[i].length,
                  parts = std::min<int64_t>(4, (length + kLongest - 1) / kLongest);
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t head = 0; head < s.keyHeads; ++head)
        units.push_back(
            {static_cast<int64_t>(i), head, length * part / parts, length * (part + 1) / parts});
  }
  const auto cost = [&](const Unit& unit) {
    return (unit.to - unit.from) * (2 * layout.segments[unit.segment].past + unit.from + unit.to);
  };
  std::stable_sort(units.begin(), units.end(),
                   [&](const Unit& a, const Unit& b) { return cost(a) > cost(b); });
  return units;
}

// Copies rows of one head of a chain's first `total` keys or values, one after the other: [total,
// size].
void gather(const bf16* from, const Layout::Segment& segment, const Sizes& s, int64_t head,
            int64_t total, bf16* to) {
  for (const auto& run : segment.keys) {
    for (int64_t i = 0; i < run.length && total > 0; ++i, --total, to += s.size)
      std::copy_n(from + ((run.start + i) * s.keyHeads + head) * s.size, s.size, to);
  }
}

// Columns in each panel of a factor that is as wide as a head: a head of 64 gets two panels of 32,
// since one of 48 and one of 16 would take longer.
int64_t evenWidth(int64_t columns) {
  const int64_t panels = blocks::panels(columns),
                vectors = (columns + blocks::kVector - 1) / blocks::kVector;
  return (vectors + panels - 1) / panels * blocks::kVector;
}

// Packs all panels of a factor [depth, columns].
void packAll(const bf16* from, int64_t rowStride, int64_t columnStride, int64_t depth,
             int64_t columns, int64_t width, bf16* to) {
  for (int64_t c = 0; c < columns; c += width, to += blocks::panelSize(depth))
    blocks::table()->pack(from + c * columnStride, rowStride, columnStride, depth,
                          std::min(width, columns - c), to);
}

}  // namespace

bool attendsByBlocks(const at::Tensor& q, const Sizes& sizes) {
  return blocks::table() != nullptr && q.is_cpu() && q.scalar_type() == at::kBFloat16 &&
         sizes.size % 2 == 0;
}

void attendByBlocks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const Layout& layout, const Options& options, const Sizes& s,
                    const at::Tensor& out, const at::Tensor& logsumexp) {
  const auto& table = *blocks::table();
  const bf16 *query = readOnly<bf16>(q), *key = readOnly<bf16>(k), *value = readOnly<bf16>(v);
  bf16* result = writable<bf16>(out);
  float* logs = writable<float>(logsumexp);
  const int64_t row = s.heads * s.size, wide = evenWidth(s.size);
  const blocks::Finish finish = {static_cast<float>(options.scale),
                                 static_cast<float>(options.softcap)};
  const auto units = unitsOf(layout, s);
  forUnits(static_cast<int64_t>(units.size()), [&](int64_t index) {
    const auto [at, keyHead, begin, end] = units[index];
    const auto& segment = layout.segments[at];
    const int64_t total = segment.past + end, stride = blocks::panels(total) * kPanel;
    thread_local Kept<bf16> keptRows, keptKeys, keptValues, keptWeights;
    thread_local Kept<float> keptScores, keptBlock;
    bf16 *rows = keptRows.of(total * s.size),
         *keys = keptKeys.of(blocks::panels(total) * blocks::panelSize(s.size)),
         *values = keptValues.of(blocks::panels(s.size) * blocks::panelSize(total)),
         *weights = keptWeights.of(kQueries * stride);
    float *scores = keptScores.of(kQueries * stride), *block = keptBlock.of(kQueries * s.size);
    gather(key, segment, s, keyHead, total, rows);
    packAll(rows, 1, s.size, s.size, total, kPanel, keys);
    gather(value, segment, s, keyHead, total, rows);
    packAll(rows, s.size, 1, total, s.size, wide, values);
    int64_t firsts[kQueries], lasts[kQueries];
    float tops[kQueries], sums[kQueries];
    for (int64_t from = begin; from < end; from += kQueries) {
      const int64_t size = std::min(kQueries, end - from), place = segment.past + from,
                    seen = place + size;
      const int64_t start = options.first(place) / kPanel * kPanel,
                    width = blocks::panels(seen) * kPanel - start;
      for (int64_t i = 0; i < size; ++i)
        firsts[i] = options.first(place + i) - start, lasts[i] = place + i + 1 - start;
      for (int64_t group = 0; group < s.groups; ++group) {
        const int64_t head = keyHead * s.groups + group,
                      first = (segment.start + from) * row + head * s.size;
        for (int64_t c = start; c < seen; c += kPanel) {
          // The queries that see keys of this panel.
          const int64_t hidden = std::clamp<int64_t>(c - place, 0, size);
          const Term term = {query + first + hidden * row, row,
                             keys + c / kPanel * blocks::panelSize(s.size), s.size};
          table.multiply(size - hidden, std::min(kPanel, seen - c), &term, 1,
                         scores + hidden * stride + c - start, stride, false);
        }
        table.weigh(scores, stride, size, width, finish, firsts, lasts, weights, stride, tops,
                    sums);
        for (int64_t i = 0; i < size; i += kTile) {
          // The keys that these queries see.
          const int64_t height = std::min(kTile, size - i),
                        depth = evened(place + i + height - start);
          for (int64_t c = 0, panel = 0; c < s.size; c += wide, ++panel) {
            const Term term = {weights + i * stride, stride,
                               values + panel * blocks::panelSize(total) + start * kPanel, depth};
            table.multiply(height, std::min(wide, s.size - c), &term, 1, block + i * s.size + c,
                           s.size, false);
          }
        }
        for (int64_t i = 0; i < size; ++i) {
          logs[(segment.start + from + i) * s.heads + head] = tops[i] + std::log(sums[i]);
          sums[i] = 1.f / sums[i];
        }
        table.narrowRows(block, s.size, size, s.size, sums, result + first, row);
      }
    }
  });
}

void attendBackwardByBlocks(const at::Tensor& g, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const at::Tensor& out, const at::Tensor& logsumexp,
                            const Layout& layout, const Options& options, const Sizes& s,
                            const at::Tensor& gQuery, const at::Tensor& gKey,
                            const at::Tensor& gValue) {
  const auto& table = *blocks::table();
  const bf16 *outer = readOnly<bf16>(g), *query = readOnly<bf16>(q), *key = readOnly<bf16>(k),
             *value = readOnly<bf16>(v), *result = readOnly<bf16>(out);
  const float* logs = readOnly<float>(logsumexp);
  bf16* toQuery = writable<bf16>(gQuery);
  const int64_t row = s.heads * s.size, panels = blocks::panels(s.size), wide = evenWidth(s.size);
  const blocks::Finish finish = {static_cast<float>(options.scale),
                                 static_cast<float>(options.softcap)};
  const auto units = unitsOf(layout, s);
  // Gradients of all keys and values that a unit sees, summed over its queries.
  std::vector<std::vector<float>> keyParts(units.size()), valueParts(units.size());
  forUnits(static_cast<int64_t>(units.size()), [&](int64_t index) {
    const auto [at, keyHead, begin, end] = units[index];
    const auto& segment = layout.segments[at];
    const int64_t total = segment.past + end;
    auto &keyPart = keyParts[index], &valuePart = valueParts[index];
    keyPart.assign(total * s.size, 0.f);
    valuePart.assign(total * s.size, 0.f);
    const int64_t factor = panels * blocks::panelSize(kPanel),
                  turnedFactor = blocks::panelSize(s.size);
    thread_local Kept<bf16> keptKeys, keptValues, keptPacked, keptFactors, keptWeights, keptTurned;
    thread_local Kept<float> keptScores, keptBlock;
    bf16 *keys = keptKeys.of(total * s.size), *values = keptValues.of(total * s.size),
         *packed = keptPacked.of(panels * blocks::panelSize(total));
    // For each group: queries and outer gradients, as they are and transposed.
    bf16* factors = keptFactors.of(kGroups * 2 * (factor + turnedFactor));
    bf16 *weights = keptWeights.of(kGroups * 2 * kKeys * kPanel),
         *turned = keptTurned.of(kPanel * kKeys);
    float *scores = keptScores.of(2 * kKeys * kPanel),
          *block = keptBlock.of(kGroups * kPanel * s.size);
    gather(key, segment, s, keyHead, total, keys);
    gather(value, segment, s, keyHead, total, values);
    packAll(keys, s.size, 1, total, s.size, wide, packed);
    const auto queriesOf = [&](int64_t group) {
      return factors + group * 2 * (factor + turnedFactor);
    };
    const auto weightsOf = [&](int64_t group) { return weights + group * 2 * kKeys * kPanel; };
    int64_t firsts[kKeys], lasts[kKeys];
    float sums[kGroups][kPanel] = {}, deltas[kGroups][kPanel] = {};
    for (int64_t from = begin; from < end; from += kPanel) {
      const int64_t size = std::min(kPanel, end - from), place = segment.past + from,
                    seen = place + size;
      for (int64_t most = 0; most < s.groups; most += kGroups) {
        const int64_t groups = std::min(kGroups, s.groups - most);
        const auto firstOf = [&](int64_t group) {
          return (segment.start + from) * row + (keyHead * s.groups + most + group) * s.size;
        };
        for (int64_t group = 0; group < groups; ++group) {
          const int64_t first = firstOf(group);
          bf16* to = queriesOf(group);
          packAll(query + first, row, 1, size, s.size, wide, to);
          packAll(outer + first, row, 1, size, s.size, wide, to + factor);
          packAll(query + first, 1, row, s.size, size, kPanel, to + 2 * factor);
          packAll(outer + first, 1, row, s.size, size, kPanel, to + 2 * factor + turnedFactor);
          for (int64_t i = 0; i < size; ++i) {
            sums[group][i] =
                logs[(segment.start + from + i) * s.heads + keyHead * s.groups + most + group];
            deltas[group][i] = keel::table<bf16>().dotRow(outer + first + i * row,
                                                          result + first + i * row, s.size);
          }
        }
        const int64_t lowest = options.first(place) / 2 * 2;
        for (int64_t start = lowest; start < seen; start += kKeys) {
          const int64_t height = std::min(kKeys, seen - start), even = evened(height);
          for (int64_t i = 0; i < height; ++i) {
            // A key is seen by queries from its own position on.
            firsts[i] = std::clamp<int64_t>(start + i - place, 0, size);
            lasts[i] = std::clamp<int64_t>(options.end(start + i, total) - place, firsts[i], size);
          }
          for (int64_t group = 0; group < groups; ++group) {
            const bf16* from = queriesOf(group) + 2 * factor;
            const Term forScores = {keys + start * s.size, s.size, from, s.size},
                       forWeights = {values + start * s.size, s.size, from + turnedFactor, s.size};
            float* gWeights = scores + kKeys * kPanel;
            table.multiply(height, kPanel, &forScores, 1, scores, kPanel, false);
            table.multiply(height, kPanel, &forWeights, 1, gWeights, kPanel, false);
            bf16 *to = weightsOf(group), *gScores = to + kKeys * kPanel;
            table.slope(scores, gWeights, height, finish, sums[group], deltas[group], firsts, lasts,
                        to, gScores);
            table.transpose(gScores, kPanel, height, kPanel, turned, kKeys);
            for (int64_t panel = 0; panel < panels; ++panel) {
              const Term term = {turned, kKeys,
                                 packed + panel * blocks::panelSize(total) + start * kPanel, even};
              table.multiply(size, std::min(wide, s.size - panel * wide), &term, 1,
                             block + group * kPanel * s.size + panel * wide, s.size,
                             start > lowest);
            }
          }
          for (int64_t panel = 0; panel < panels; ++panel) {
            Term forKeys[kGroups], forValues[kGroups];
            for (int64_t group = 0; group < groups; ++group) {
              const bf16* second = queriesOf(group) + panel * blocks::panelSize(size);
              forKeys[group] = {weightsOf(group) + kKeys * kPanel, kPanel, second, evened(size)};
              forValues[group] = {weightsOf(group), kPanel, second + factor, evened(size)};
            }
            const int64_t columns = std::min(wide, s.size - panel * wide),
                          to = start * s.size + panel * wide;
            table.multiply(height, columns, forKeys, groups, keyPart.data() + to, s.size, true);
            table.multiply(height, columns, forValues, groups, valuePart.data() + to, s.size, true);
          }
        }
        for (int64_t group = 0; group < groups; ++group)
          table.narrowRows(block + group * kPanel * s.size, s.size, size, s.size, nullptr,
                           toQuery + firstOf(group), row);
      }
    }
  });
  std::vector<KeyPart> parts;
  for (size_t i = 0; i < units.size(); ++i)
    parts.push_back(
        {units[i].segment, units[i].keyHead, units[i].from, &keyParts[i], &valueParts[i]});
  std::sort(parts.begin(), parts.end(), [](const KeyPart& a, const KeyPart& b) {
    return std::tie(a.segment, a.from) < std::tie(b.segment, b.from);
  });
  collectKeyParts<bf16>(parts, layout, s, s.size, gKey, gValue);
}

}  // namespace keel
