// Memory of large CPU tensors is cached for reuse. Activations are allocated and freed by the
// megabyte. If their memory were returned to the system each time, every page would be faulted in
// again, which costs as much as the arithmetic of all but the largest products
// (docs/results/engine.md). Sizes change with every batch, so the cache is one range of addresses,
// split into pieces of any size. A freed tensor leaves a hole, adjacent holes are joined, and a new
// tensor takes the smallest hole that fits.
#include "allocator.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

namespace keel {
namespace {

// Smaller tensors use malloc.
constexpr size_t kLarge = size_t{1} << 16;
constexpr size_t kPage = 4096;
// Addresses reserved at a time. Pages cost nothing until they are written.
constexpr size_t kRange = size_t{1} << 36;

using Address = uintptr_t;

// Holes below the highest address ever used in a range.
class Holes {
 public:
  size_t bytes() const { return bytes_; }

  void add(Address at, size_t size) {
    bytes_ += size;
    auto next = byAddress_.lower_bound(at);
    if (next != byAddress_.end() && next->first == at + size) {
      size += next->second;
      next = drop(next);
    }
    if (next != byAddress_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == at) {
        at = before->first;
        size += before->second;
        drop(before);
      }
    }
    put(at, size);
  }

  // The smallest hole that is large enough, the lowest among equal ones; 0 if there is none.
  Address take(size_t size) {
    const auto found = bySize_.lower_bound({size, 0});
    if (found == bySize_.end()) return 0;
    const auto [whole, at] = *found;
    drop(byAddress_.find(at));
    if (whole > size) put(at + size, whole - size);
    bytes_ -= size;
    return at;
  }

  // Removes the hole that ends at `end`; -> where it started, or `end`
  Address takeBefore(Address end) {
    if (byAddress_.empty()) return end;
    // If other ranges lie above, the end of a range is not the end of its highest hole.
    auto next = byAddress_.lower_bound(end);
    if (next == byAddress_.begin()) return end;
    const auto last = std::prev(next);
    if (last->first + last->second != end) return end;
    const Address at = last->first;
    bytes_ -= last->second;
    drop(last);
    return at;
  }

  template <typename Body>
  void forEach(Body body) const {
    for (const auto& [at, size] : byAddress_) body(at, size);
  }

 private:
  std::map<Address, size_t> byAddress_;
  std::set<std::pair<size_t, Address>> bySize_;
  size_t bytes_ = 0;

  void put(Address at, size_t size) {
    byAddress_.emplace(at, size);
    bySize_.emplace(size, at);
  }
  std::map<Address, size_t>::iterator drop(std::map<Address, size_t>::iterator hole) {
    bySize_.erase({hole->second, hole->first});
    return byAddress_.erase(hole);
  }
};

class KeepingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* at = bytes < kLarge ? small(bytes) : large((bytes + kPage - 1) / kPage * kPage);
    return {at, at, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  void releaseKept() {
    const std::lock_guard<std::mutex> lock(mutex_);
    top_ = holes_.takeBefore(top_);
    if (top_ < highest_) madvise(reinterpret_cast<void*>(top_), highest_ - top_, MADV_DONTNEED);
    highest_ = top_;
    holes_.forEach(
        [](Address at, size_t size) { madvise(reinterpret_cast<void*>(at), size, MADV_DONTNEED); });
  }

  c10::Device device() const { return c10::Device(c10::DeviceType::CPU); }

 private:
  std::mutex mutex_;
  std::unordered_map<void*, size_t> taken_;
  Holes holes_;
  // The unused part of the newest range of addresses, and the highest address that may have been
  // written.
  Address top_ = 0, end_ = 0, highest_ = 0;
  size_t takenBytes_ = 0;

  static void* small(size_t bytes) {
    void* at = c10::alloc_cpu(bytes);
    c10::profiledCPUMemoryReporter().New(at, bytes);
    return at;
  }

  void* large(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Address at = holes_.take(bytes);
    if (at == 0) at = beyondTop(bytes);
    auto* const start = reinterpret_cast<void*>(at);
    takenBytes_ += bytes;
    taken_.emplace(start, bytes);
    report(start, static_cast<int64_t>(bytes));
    return start;
  }

  // Start of the last hole, if it reaches the top.
  Address beyondTop(size_t bytes) {
    const Address low = holes_.takeBefore(top_);
    if (end_ - low < bytes) {
      if (top_ > low) holes_.add(low, top_ - low);
      newRange(bytes);
      return beyondTop(bytes);
    }
    top_ = low + bytes;
    highest_ = std::max(highest_, top_);
    return low;
  }

  void newRange(size_t bytes) {
    if (end_ > top_) holes_.add(top_, end_ - top_);
    for (size_t size = std::max(bytes, kRange); size >= bytes;
         size = size == bytes ? 0 : std::max(bytes, size / 2)) {
      void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (at == MAP_FAILED) continue;
      top_ = highest_ = reinterpret_cast<Address>(at);
      end_ = top_ + size;
      return;
    }
    top_ = end_ = highest_ = 0;
    TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory: cannot allocate a tensor of ", bytes,
                     " bytes");
  }

  bool takeBack(void* at) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = taken_.find(at);
    if (found == taken_.end()) return false;
    const size_t size = found->second;
    taken_.erase(found);
    takenBytes_ -= size;
    holes_.add(reinterpret_cast<Address>(at), size);
    report(at, -static_cast<int64_t>(size));
    return true;
  }

  void report(void* at, int64_t change) const {
    if (c10::memoryProfilingEnabled())
      c10::reportMemoryUsageToProfiler(at, change, takenBytes_, takenBytes_ + holes_.bytes(),
                                       device());
  }

  static KeepingAllocator& instance();
  static void release(void* at) {
    if (at == nullptr) return;
    // Only whole pages are allocated as large blocks.
    if (reinterpret_cast<uintptr_t>(at) % kPage == 0 && instance().takeBack(at)) return;
    c10::profiledCPUMemoryReporter().Delete(at);
    c10::free_cpu(at);
  }

  friend void keel::keepLargeTensors();
  friend void keel::releaseKeptMemory();
};

// Never destroyed, because tensors may outlive everything else.
KeepingAllocator& KeepingAllocator::instance() {
  static auto* const one = new KeepingAllocator();
  return *one;
}

}  // namespace

void keepLargeTensors() { c10::SetCPUAllocator(&KeepingAllocator::instance()); }

void releaseKeptMemory() { KeepingAllocator::instance().releaseKept(); }

}  // namespace keel
