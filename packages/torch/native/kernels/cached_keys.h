// Location of a sequence's keys and values: those of its prompt (the prefix), which its samples
// share, are in a pool, and the others in its own row of the cache.
#pragma once
#include <ATen/ATen.h>

#include <algorithm>

#include "rows/decode.h"

namespace keel {

// Cache tensors of one layer; the prefix's are undefined if there is none. Indices are int64 [B].
struct CacheTensors {
  at::Tensor keys, values, rows, lengths;  // keys and values [R, capacity, keyValueHeads, size]
  at::Tensor prefixKeys, prefixValues, prefixStarts, prefixLengths;  // [P, keyValueHeads, size]
  int64_t window;                                                    // 0: no window
};

// The same as pointers, with all indices checked.
template <typename T>
class CachedKeys {
 public:
  CachedKeys(const char* name, const CacheTensors& given)
      : keys_(static_cast<const T*>(given.keys.const_data_ptr())),
        values_(static_cast<const T*>(given.values.const_data_ptr())),
        rows_(given.rows.const_data_ptr<int64_t>()),
        lengths_(given.lengths.const_data_ptr<int64_t>()),
        capacity_(given.keys.size(1)),
        size_(given.keys.size(3)),
        stride_(given.keys.size(2) * given.keys.size(3)),
        window_(given.window) {
    const bool prefixed = given.prefixKeys.defined();
    if (prefixed) {
      prefixKeys_ = static_cast<const T*>(given.prefixKeys.const_data_ptr());
      prefixValues_ = static_cast<const T*>(given.prefixValues.const_data_ptr());
      starts_ = given.prefixStarts.const_data_ptr<int64_t>();
      befores_ = given.prefixLengths.const_data_ptr<int64_t>();
    }
    for (int64_t b = 0; b < given.lengths.size(0); ++b) {
      TORCH_CHECK(rows_[b] >= 0 && rows_[b] < given.keys.size(0), name, ": row ", rows_[b],
                  " of a cache of ", given.keys.size(0));
      TORCH_CHECK(lengths_[b] >= 0 && lengths_[b] <= capacity_, name, ": length ", lengths_[b],
                  " in a cache of capacity ", capacity_);
      TORCH_CHECK(!prefixed || (befores_[b] >= 0 && starts_[b] >= 0 &&
                                starts_[b] + befores_[b] <= given.prefixKeys.size(0)),
                  name, ": a prefix of ", before(b), " at ", prefixed ? starts_[b] : 0,
                  " is outside the pool");
      TORCH_CHECK(before(b) + lengths_[b] > 0, name, ": sequence ", b, " has no keys");
      total_ += before(b) + lengths_[b];
      longest_ = std::max(longest_, before(b) + lengths_[b]);
    }
  }

  // Total number of keys of all sequences, and of the longest one.
  int64_t total() const { return total_; }
  int64_t longest() const { return longest_; }
  int64_t stride() const { return stride_; }
  // Offset of the last token of sequence b in keys and values.
  int64_t last(int64_t b) const { return (rows_[b] * capacity_ + lengths_[b] - 1) * stride_; }

  // The keys and values of one key-value head that the last token of sequence b sees.
  void see(int64_t b, int64_t head, rows::Reach<T>* runs) const {
    const int64_t prompt = before(b), length = prompt + lengths_[b];
    const int64_t first = window_ > 0 ? std::max<int64_t>(0, length - window_) : 0;
    const int64_t skipPrefix = std::min(first, prompt), skipOwn = first - skipPrefix;
    const int64_t own = (rows_[b] * capacity_ + skipOwn) * stride_ + head * size_;
    runs[0] = {nullptr, nullptr, 0};
    if (prompt > skipPrefix) {
      const int64_t shared = (starts_[b] + skipPrefix) * stride_ + head * size_;
      runs[0] = {prefixKeys_ + shared, prefixValues_ + shared, prompt - skipPrefix};
    }
    runs[1] = {keys_ + own, values_ + own, lengths_[b] - skipOwn};
  }

  // The same for the sequence after it, up to `end`; nothing if there is none.
  void seeNext(int64_t b, int64_t end, int64_t head, rows::Reach<T>* runs) const {
    if (b + 1 < end) return see(b + 1, head, runs);
    runs[0] = runs[1] = {nullptr, nullptr, 0};
  }

 private:
  int64_t before(int64_t b) const { return befores_ == nullptr ? 0 : befores_[b]; }

  const T *keys_, *values_, *prefixKeys_ = nullptr, *prefixValues_ = nullptr;
  const int64_t *rows_, *lengths_, *starts_ = nullptr, *befores_ = nullptr;
  int64_t capacity_, size_, stride_, window_, total_ = 0, longest_ = 0;
};

}  // namespace keel
