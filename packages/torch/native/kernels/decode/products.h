// Products of the decoder's matrices and their adapters with one token of each sequence, by a team.
#pragma once
#include <algorithm>
#include <vector>

#include "../small_linear.h"
#include "team.h"

namespace keel::decode {

using rows::bf16;

// An adapter's change of a matrix: x A^T B^T, with the scale in B. a [rank, inner], b [features,
// rank]; null: no adapter.
struct LowRank {
  const bf16 *a = nullptr, *b = nullptr;
  int64_t rank = 0;
};

// Rows as they are and from `arrange`.
struct Input {
  const bf16 *plain, *turned;
};

struct Products {
  SmallFactor matrix;
  int64_t features;
  const float* bias;
  LowRank change = {};

  // to[row * stride + n] of the features [begin, end). lowered: x A^T, from `arrange`
  void multiply(Input x, const bf16* lowered, int64_t count, int64_t begin, int64_t end, float* to,
                int64_t stride) const {
    const SmallFactor terms[] = {matrix.times(x.plain, x.turned),
                                 {nullptr, lowered, change.b, change.rank}};
    smallProduct(terms, change.b == nullptr ? 1 : 2, count, begin, end, to, stride);
    if (bias == nullptr) return;
    for (int64_t row = 0; row < count; ++row)
      rows::decodeLoops().addRow(bias + begin, to + row * stride + begin, end - begin);
  }

  // The features from `first` on.
  Products from(int64_t first) const {
    Products rest = *this;
    if (rest.matrix.weight != nullptr) rest.matrix.weight += first * matrix.inner;
    rest.matrix.start += first;
    if (rest.change.b != nullptr) rest.change.b += first * change.rank;
    rest.features -= first;
    return rest;
  }
};

// Matrices with the same input, whose features follow each other.
using Matrices = std::vector<Products>;

inline int64_t featuresOf(const Matrices& matrices) {
  int64_t sum = 0;
  for (const Products& one : matrices) sum += one.features;
  return sum;
}
inline int64_t ranksOf(const Matrices& matrices) {
  int64_t sum = 0;
  for (const Products& one : matrices) sum += one.change.rank;
  return sum;
}

// Features that a thread computes together.
constexpr int64_t kTile = 16;

// This thread's range of features.
inline std::pair<int64_t, int64_t> shareOf(const Team& team, int64_t features) {
  const auto [begin, end] = team.share((features + kTile - 1) / kTile);
  return {std::min(features, begin * kTile), std::min(features, end * kTile)};
}

// Prefetches what this thread reads first in the next phase, so that memory is read while it waits
// for the others.
inline void prefetchFirst(const Products& one, int64_t begin) {
  constexpr int64_t kLine = 64, kMost = 48 * 1024;  // bytes
  if (one.matrix.weight == nullptr || begin >= one.features) return;
  const auto* from = reinterpret_cast<const char*>(one.matrix.weight + begin * one.matrix.inner);
  const int64_t rows = std::min(kTile, one.features - begin),
                size = std::min<int64_t>(kMost, rows * one.matrix.inner * sizeof(bf16));
  for (int64_t i = 0; i < size; i += kLine) __builtin_prefetch(from + i, 0, 2);
}
inline void prefetchFirst(const Team& team, const Matrices& matrices) {
  int64_t place = shareOf(team, featuresOf(matrices)).first;
  for (const Products& one : matrices) {
    if (place < one.features) return prefetchFirst(one, place);
    place -= one.features;
  }
}

// Calls body(matrix, index, begin, end, place) for this thread's features of each matrix; `place`
// is that of the matrix's first feature among all.
template <typename Body>
void eachShare(const Team& team, const Matrices& matrices, Body body) {
  const auto [begin, end] = shareOf(team, featuresOf(matrices));
  int64_t place = 0;
  for (size_t i = 0; i < matrices.size(); place += matrices[i++].features) {
    const int64_t first = std::max(begin, place) - place,
                  last = std::min(end, place + matrices[i].features) - place;
    if (first < last) body(matrices[i], i, first, last, place);
  }
}

// One thread's part in all products. The results of `lower` are in memory of its own.
class Multiplier {
 public:
  // lowered: memory of the team for x A^T of the adapters, [count, all ranks of an input]
  Multiplier(const Team& team, int64_t count, float* lowered)
      : team_(team), count_(count), sums_(lowered) {}

  // to[row * stride + place] for this thread's features
  void multiply(const Matrices& matrices, Input x, float* to, int64_t stride) const {
    eachShare(team_, matrices,
              [&](const Products& one, size_t index, int64_t begin, int64_t end, int64_t place) {
                one.multiply(x, lowered(index), count_, begin, end, to + place, stride);
              });
  }

  // x A^T of the adapters on matrices with the same input, in one product, rounded as separate
  // layers would. The team meets if there are any.
  void lower(const Matrices& matrices, Input x, int64_t inner) {
    lowered_.assign(matrices.size(), nullptr);
    const int64_t ranks = ranksOf(matrices);
    if (ranks == 0) return;
    Matrices factors;
    for (const Products& one : matrices)
      if (one.change.a != nullptr)
        factors.push_back({{nullptr, nullptr, one.change.a, inner}, one.change.rank, nullptr});
    eachShare(team_, factors,
              [&](const Products& one, size_t, int64_t begin, int64_t end, int64_t place) {
                one.multiply(x, nullptr, count_, begin, end, sums_ + place, ranks);
              });
    team_.meet();
    int64_t elements = 0, place = 0;
    for (const Products& one : factors) elements += rows::arrangedSize(count_, one.features);
    turned_.resize(elements);
    narrow_.resize(count_ * ranks);
    bf16 *to = turned_.data(), *narrow = narrow_.data();
    for (size_t i = 0; i < matrices.size(); ++i) {
      const int64_t rank = matrices[i].change.rank;
      if (rank == 0) continue;
      for (int64_t row = 0; row < count_; ++row)
        table<bf16>().narrowRow(sums_ + row * ranks + place, narrow + row * rank, rank);
      lowered_[i] = rows::decodeLoops().arrange(narrow, count_, rank, 0, rank, to);
      to += rows::arrangedSize(count_, rank);
      narrow += count_ * rank;
      place += rank;
    }
  }

  // x A^T of the matrix at this index in the last `lower`; null: no adapter
  const bf16* lowered(size_t index) const { return lowered_[index]; }

 private:
  const Team team_;
  const int64_t count_;
  float* const sums_;
  std::vector<const bf16*> lowered_;
  std::vector<bf16> turned_, narrow_;
};

}  // namespace keel::decode
