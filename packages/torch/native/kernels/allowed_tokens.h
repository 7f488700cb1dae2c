// Masks of tokens: allowed [N, ceil(V / 32)] int32, in which bit t % 32 of word t / 32 says whether
// row n may be token t. Other tokens have no probability and no gradient, as if their logits after
// scale and softcap were -inf.
#pragma once
#include <ATen/ATen.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace keel {

// Absent: all tokens are allowed.
using AllowedTokens = std::optional<at::Tensor>;

constexpr int64_t kWordBits = 32;
constexpr int64_t wordsFor(int64_t vocabulary) { return (vocabulary + kWordBits - 1) / kWordBits; }

// Throws unless the mask fits, and on the CPU allows each of the rows at least one token.
void checkAllowed(const char* name, const at::Tensor& hidden, int64_t vocabulary,
                  const AllowedTokens& allowed);

// Rows [start, start + size) of a mask.
AllowedTokens allowedRows(const AllowedTokens& allowed, int64_t start, int64_t size);

// [N, vocabulary] bool: the tokens that are not allowed, on any device.
at::Tensor ruledOut(const at::Tensor& allowed, int64_t vocabulary);

// A mask's words on the CPU; null: all tokens are allowed.
struct AllowedWords {
  const int32_t* first = nullptr;
  int64_t stride = 0;

  AllowedWords() = default;
  explicit AllowedWords(const AllowedTokens& allowed)
      : first(allowed ? allowed->const_data_ptr<int32_t>() : nullptr),
        stride(allowed ? allowed->stride(0) : 0) {}

  explicit operator bool() const { return first != nullptr; }
  const int32_t* row(int64_t row) const { return first + row * stride; }
  bool allows(int64_t at, int64_t token) const {
    return (static_cast<uint32_t>(row(at)[token / kWordBits]) >> (token % kWordBits) & 1u) != 0;
  }
};

// Number of tokens that a row of a mask allows; the bits above the vocabulary do not count.
inline int64_t allowedCount(const int32_t* words, int64_t vocabulary) {
  int64_t count = 0;
  for (int64_t at = 0; at < vocabulary; at += kWordBits) {
    uint32_t word = static_cast<uint32_t>(words[at / kWordBits]);
    if (vocabulary - at < kWordBits) word &= (1u << (vocabulary - at)) - 1;
    count += std::popcount(word);
  }
  return count;
}

// The allowed tokens of one row of logits, side by side, so that the loops over whole rows work on
// them.
template <typename T>
class AllowedRow {
 public:
  void gather(const T* logits, int64_t size, const int32_t* words) {
    logits_.clear();
    tokens_.clear();
    for (int64_t at = 0; at < size; at += kWordBits) {
      for (uint32_t left = static_cast<uint32_t>(words[at / kWordBits]); left != 0;
           left &= left - 1) {
        const int64_t token = at + std::countr_zero(left);
        if (token >= size) break;
        tokens_.push_back(token);
        logits_.push_back(logits[token]);
      }
    }
  }
  // Writes the values back to their tokens, and zeros to all others.
  void scatter(T* logits, int64_t size) const {
    std::fill_n(logits, size, T{});
    for (size_t place = 0; place < tokens_.size(); ++place) logits[tokens_[place]] = logits_[place];
  }

  T* logits() { return logits_.data(); }
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  int64_t token(int64_t place) const { return tokens_[place]; }
  // Negative if the token is not allowed.
  int64_t place(int64_t token) const {
    const auto found = std::lower_bound(tokens_.begin(), tokens_.end(), token);
    return found == tokens_.end() || *found != token ? -1 : found - tokens_.begin();
  }

 private:
  std::vector<T> logits_;
  std::vector<int64_t> tokens_;
};

}  // namespace keel
