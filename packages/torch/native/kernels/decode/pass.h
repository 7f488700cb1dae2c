// One new token of each sequence through all layers, by a team.
#pragma once
#include <vector>

#include "layers.h"

namespace keel::decode {

// Memory that the team shares. With a single row, each thread has its own state and normed row, and
// computes what concerns the whole row itself: that costs less than waiting for another thread.
struct Space {
  float *state, *update, *sums, *lowered;
  bf16 *normed, *narrow, *turned;
};

// One thread's part in all layers.
class Pass {
 public:
  Pass(const Team& team, const Sizes& sizes, const Space& space)
      : team_(team),
        sizes_(sizes),
        single_(sizes.count == 1),
        state_(space.state + (single_ ? team.index * sizes.hidden : 0)),
        update_(space.update),
        sums_(space.sums),
        normed_(space.normed + (single_ ? team.index * sizes.hidden : 0)),
        narrow_(space.narrow),
        turned_(space.turned),
        products_(team, sizes.count, space.lowered) {}

  void run(const bf16* input, const std::vector<Layer>& layers, bf16* result) {
    eachRow([&](int64_t at) {
      rows::decodeLoops().widenRow(input + at, state_ + at, sizes_.hidden);
      normalise(at, layers.front().attentionNorm);
    });
    for (size_t i = 0; i < layers.size(); ++i) {
      const Layer& layer = layers[i];
      attend(layer);
      eachRow([&](int64_t at) {
        add(at, layer.postAttentionNorm);
        normalise(at, layer.mlpNorm);
      });
      mlp(layer);
      const Layer* const next = i + 1 < layers.size() ? &layers[i + 1] : nullptr;
      if (next != nullptr) prefetchFirst(team_, next->projections);
      team_.meet();
      eachRow([&](int64_t at) {
        add(at, layer.postMlpNorm);
        if (next != nullptr) normalise(at, next->attentionNorm);
      });
    }
    if (single_ && team_.index > 0) return;
    eachRow([&](int64_t at) { table<bf16>().narrowRow(state_ + at, result + at, sizes_.hidden); });
  }

 private:
  // normed -> update, complete after the next meeting
  void attend(const Layer& layer) {
    const Heads& attention = layer.attention;
    attention.prefetch(team_, layer.cache, sizes_.count);
    multiply(layer.projections, arranged(normed_, sizes_.hidden), sizes_.hidden, sums_,
             attention.width());
    team_.meet();
    attention.attend(team_, sums_, layer.cache, layer.keys, layer.values, narrow_, sizes_.count);
    prefetchFirst(team_, layer.output);
    team_.meet();
    multiply(layer.output, arranged(narrow_, sizes_.attended), sizes_.attended, update_,
             sizes_.hidden);
    prefetchFirst(layer.gate, shareOf(team_, sizes_.intermediate).first);
    team_.meet();
  }

  // normed -> update, complete after the next meeting
  void mlp(const Layer& layer) {
    const int64_t intermediate = sizes_.intermediate;
    const Input x = arranged(normed_, sizes_.hidden);
    products_.lower(layer.gates, x, sizes_.hidden);
    const auto [first, last] = shareOf(team_, intermediate);
    const size_t up = layer.gates.size() - 1;
    for (int64_t n = first; n < last; n += kFeatures) {
      const int64_t end = std::min(last, n + kFeatures);
      layer.gate.multiply(x, products_.lowered(0), sizes_.count, n, end, sums_, 2 * intermediate);
      layer.up.multiply(x, products_.lowered(up), sizes_.count, n, end, sums_ + intermediate,
                        2 * intermediate);
      for (int64_t row = 0; row < sizes_.count; ++row) {
        const float* const own = sums_ + row * 2 * intermediate + n;
        rows::decodeLoops().gateRow(own, own + intermediate, narrow_ + row * intermediate + n,
                                    end - n, sizes_.activation);
      }
    }
    prefetchFirst(team_, layer.down);
    team_.meet();
    multiply(layer.down, arranged(narrow_, intermediate), intermediate, update_, sizes_.hidden);
  }

  void multiply(const Matrices& matrices, Input x, int64_t inner, float* to, int64_t stride) {
    products_.lower(matrices, x, inner);
    products_.multiply(matrices, x, to, stride);
  }

  // Calls body(offset) for this thread's rows.
  template <typename Body>
  void eachRow(Body body) const {
    if (single_) return body(0);
    const auto [begin, end] = team_.share(sizes_.count);
    for (int64_t row = begin; row < end; ++row) body(row * sizes_.hidden);
    team_.meet();
  }

  Input arranged(const bf16* x, int64_t inner) const {
    const auto [begin, end] = single_
                                  ? std::pair<int64_t, int64_t>{0, 1}
                                  : team_.share((inner + rows::kArranged - 1) / rows::kArranged);
    const bf16* const found =
        rows::decodeLoops().arrange(x, sizes_.count, inner, begin * rows::kArranged,
                                    std::min(inner, end * rows::kArranged), turned_);
    if (found != x) team_.meet();
    return {x, found};
  }

  // state = state + update, with the update's own norm if there is one
  void add(int64_t at, const bf16* norm) const {
    const auto& loops = rows::decodeLoops();
    const float* update = update_ + at;
    if (norm != nullptr) {
      aside_.resize(sizes_.hidden);
      loops.normRow(update, norm, aside_.data(), sizes_.hidden, sizes_.epsilon, sizes_.offset);
      update = aside_.data();
    }
    loops.addRow(update, state_ + at, sizes_.hidden);
  }
  void normalise(int64_t at, const bf16* norm) const {
    rows::decodeLoops().normRowNarrow(state_ + at, norm, normed_ + at, sizes_.hidden,
                                      sizes_.epsilon, sizes_.offset);
  }

  const Team team_;
  const Sizes& sizes_;
  const bool single_;
  float *const state_, *const update_, *const sums_;
  bf16 *const normed_, *const narrow_, *const turned_;
  Multiplier products_;
  mutable std::vector<float> aside_;
};

}  // namespace keel::decode
