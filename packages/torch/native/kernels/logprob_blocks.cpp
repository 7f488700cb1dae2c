#include "logprob_blocks.h"

#include "blocks/blocks.h"
#include "dispatch.h"
#include "quantised/quantised.h"
#include "units.h"

namespace keel {
namespace {

using blocks::bf16;

// Rows in a unit of work; columns whose logits exist at a time; columns packed at a time, which fit
// in the last-level cache.
constexpr int64_t kRows = 32, kColumns = 2 * blocks::kPanel, kPacked = 32 * kColumns;

// The part [first, first + columns) of a vocabulary as second factor: for logits [H, columns], and
// for weighted sums [columns, H].
class PackedVocabulary {
 public:
  PackedVocabulary(const at::Tensor& weight, bool turned)
      : table_(*blocks::table()),
        blocks_(isQuantised(weight) ? &quantisedParts(weight) : nullptr),
        weight_(blocks_ == nullptr ? readOnly<bf16>(weight) : nullptr),
        stride_(blocks_ == nullptr ? weight.stride(0) : weight.size(1)),
        size_(weight.size(1)),
        logits_(kPacked / blocks::kPanel * blocks::panelSize(size_)),
        sums_(turned ? kPacked / kColumns * sumPanels() * blocks::panelSize(kColumns) : 0) {}

  int64_t sumPanels() const { return blocks::panels(size_); }
  const bf16* logits(int64_t panel) const {
    return logits_.data() + panel * blocks::panelSize(size_);
  }
  const bf16* sums(int64_t group, int64_t panel) const {
    return sums_.data() + (group * sumPanels() + panel) * blocks::panelSize(kColumns);
  }

  void pack(int64_t first, int64_t columns) {
    forUnits((columns + kColumns - 1) / kColumns, [&](int64_t group) {
      const int64_t from = group * kColumns, count = std::min(kColumns, columns - from);
      thread_local std::vector<bf16> tile;
      const bf16* rows = nullptr;
      if (blocks_ == nullptr) {
        rows = weight_ + (first + from) * stride_;
      } else {
        tile.resize(kColumns * size_);
        blocks_->expandRows(first + from, count, tile.data());
        rows = tile.data();
      }
      for (int64_t c = 0; c < count; c += blocks::kPanel)
        table_.pack(rows + c * stride_, 1, stride_, size_, std::min(blocks::kPanel, count - c),
                    const_cast<bf16*>(logits((from + c) / blocks::kPanel)));
      for (int64_t panel = 0; !sums_.empty() && panel < sumPanels(); ++panel) {
        const int64_t at = panel * blocks::kPanel;
        table_.pack(rows + at, stride_, 1, count, std::min(blocks::kPanel, size_ - at),
                    const_cast<bf16*>(sums(group, panel)));
      }
    });
  }

 private:
  const blocks::Table& table_;
  const Quantised* blocks_;
  const bf16* weight_;
  int64_t stride_, size_;
  std::vector<bf16> logits_, sums_;
};

// Whether any of the rows allows a token of the columns [first, first + count).
bool allowsAny(const AllowedWords& allowed, int64_t row, int64_t rows, int64_t first,
               int64_t count) {
  for (int64_t i = row; i < row + rows; ++i)
    for (int64_t word = first / kWordBits; word < wordsFor(first + count); ++word)
      if (allowed.row(i)[word] != 0) return true;
  return false;
}

}  // namespace

bool scoresByBlocks(const at::Tensor& hidden, const at::Tensor& weight) {
  return blocks::table() != nullptr && hidden.is_cpu() && hidden.scalar_type() == at::kBFloat16 &&
         hidden.size(1) % 2 == 0 && hidden.size(1) > 0 && hidden.stride(1) == 1 &&
         (isQuantised(weight) || weight.stride(1) == 1);
}

void scoreByBlocks(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                   const LogprobShape& shape, const AllowedWords& allowed,
                   const LogprobScores& into, const at::Tensor* pull) {
  static_assert(kColumns % kWordBits == 0, "a group of columns must start with a word of the mask");
  const auto& table = *blocks::table();
  const int64_t count = hidden.size(0), size = hidden.size(1), vocabulary = weight.size(0);
  const blocks::Finish finish = {static_cast<float>(shape.scale),
                                 static_cast<float>(shape.softcap)};
  const at::Tensor wanted = targets.contiguous();
  const auto* target = readOnly<int64_t>(wanted);
  const auto* states = readOnly<bf16>(hidden);
  const at::Tensor sums =
      pull == nullptr ? at::Tensor() : at::zeros({count, size}, hidden.options().dtype(at::kFloat));
  float* sum = pull == nullptr ? nullptr : writable<float>(sums);
  std::vector<blocks::RowScore> scores(count, {-INFINITY, 0, 0, 0, -INFINITY, 0});
  PackedVocabulary packed(weight, pull != nullptr);
  for (int64_t start = 0; start < vocabulary; start += kPacked) {
    const int64_t columns = std::min(kPacked, vocabulary - start);
    packed.pack(start, columns);
    forUnits((count + kRows - 1) / kRows, [&](int64_t unit) {
      const int64_t row = unit * kRows, rows = std::min(kRows, count - row);
      float logits[kRows * kColumns];
      bf16 weights[kRows * kColumns];
      for (int64_t at = 0; at < columns; at += kColumns) {
        const int64_t width = std::min(kColumns, columns - at);
        if (allowed && !allowsAny(allowed, row, rows, start + at, width)) continue;
        for (int64_t c = 0; c < width; c += blocks::kPanel) {
          const blocks::Term term = {states + row * hidden.stride(0), hidden.stride(0),
                                     packed.logits((at + c) / blocks::kPanel), size};
          table.multiply(rows, std::min(blocks::kPanel, width - c), &term, 1, logits + c, kColumns,
                         false);
        }
        table.score(logits, kColumns, rows, start + at, width, finish, target + row,
                    scores.data() + row, pull == nullptr ? nullptr : weights, kColumns,
                    pull == nullptr ? nullptr : sum + row * size, size,
                    allowed ? allowed.row(row) : nullptr, allowed.stride);
        if (pull == nullptr) continue;
        // Depth must be even: an odd last column is padded with a zero.
        if (width % 2 == 1)
          for (int64_t i = 0; i < rows; ++i) weights[i * kColumns + width] = bf16{0};
        const int64_t depth = (width + 1) / 2 * 2;
        for (int64_t panel = 0; panel < packed.sumPanels(); ++panel) {
          const int64_t first = panel * blocks::kPanel;
          const blocks::Term term = {weights, kColumns, packed.sums(at / kColumns, panel), depth};
          table.multiply(rows, std::min(blocks::kPanel, size - first), &term, 1,
                         sum + row * size + first, size, true);
        }
      }
    });
  }
  auto *logprob = writable<float>(into.logprob), *logsumexp = writable<float>(into.logsumexp),
       *entropy = writable<float>(into.entropy);
  auto* best = writable<int64_t>(into.argmax);
  for (int64_t i = 0; i < count; ++i) {
    const auto& row = scores[i];
    logsumexp[i] = row.top + std::log(row.sum);
    logprob[i] = row.target - logsumexp[i];
    entropy[i] = std::log(row.sum) - row.weighted / row.sum;
    best[i] = row.best;
  }
  // The one token that a row allows is certain: differences of two roundings are neither its
  // log-probability nor its gradient.
  std::vector<bool> certain(count, false);
  for (int64_t i = 0; allowed && i < count; ++i) {
    certain[i] = allowedCount(allowed.row(i), vocabulary) == 1;
    if (certain[i]) logprob[i] = entropy[i] = 0;
    if (!allowed.allows(i, target[i])) logprob[i] = -INFINITY;
  }
  if (pull == nullptr) return;
  auto* to = writable<bf16>(*pull);
  const Quantised* blocks = isQuantised(weight) ? &quantisedParts(weight) : nullptr;
  const bf16* head = blocks == nullptr ? readOnly<bf16>(weight) : nullptr;
  at::parallel_for(0, count, grain(size), [&](int64_t begin, int64_t end) {
    std::vector<bf16> kept(blocks == nullptr ? 0 : size);
    for (int64_t i = begin; i < end; ++i) {
      if (certain[i]) {
        std::fill_n(to + i * size, size, bf16{0});
        continue;
      }
      if (blocks != nullptr) blocks->expandRows(target[i], 1, kept.data());
      const bf16* own = blocks == nullptr ? head + target[i] * weight.stride(0) : kept.data();
      const auto& row = scores[i];
      const float inverse = 1.f / row.sum,
                  share = finish.softcap > 0 ? row.target / finish.softcap : 0.f;
      const bool taken = !allowed || allowed.allows(i, target[i]);
      keel::table<bf16>().pullRow(own, sum + i * size,
                                  taken ? finish.scale * (1.f - share * share) : 0.f, inverse,
                                  to + i * size, size);
    }
  });
}

}  // namespace keel
