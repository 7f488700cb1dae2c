// Memory of large CPU tensors is kept and used again. Activations come and go by the megabyte; given back to the system each
// time, every page of them is faulted in anew, which costs as much as the arithmetic of all but the largest products
// (docs/results/engine.md).
#include "allocator.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <unordered_map>

namespace keel {
namespace {

// Smaller tensors are malloc's.
constexpr size_t kLarge = size_t{1} << 16;
constexpr size_t kPage = 4096;

// Sizes are rounded up to an eighth of a power of two, so that batches of about the same size find each other's memory.
size_t roundedUp(size_t bytes) {
  const size_t step = std::max(kPage, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

class KeepingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* at = bytes < kLarge ? small(bytes) : large(roundedUp(bytes));
    return {at, at, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  void releaseKept() {
    const std::lock_guard<std::mutex> lock(mutex_);
    shrink(0);
  }

  c10::Device device() const { return c10::Device(c10::DeviceType::CPU); }

 private:
  struct Block {
    void* at;
    uint64_t freed;  // when, to tell the one that nobody has wanted for longest
  };

  std::mutex mutex_;
  std::unordered_map<void*, size_t> taken_;
  std::multimap<size_t, Block> kept_;
  size_t takenBytes_ = 0, keptBytes_ = 0, mostTaken_ = 0;
  uint64_t clock_ = 0;

  static void* small(size_t bytes) {
    void* at = c10::alloc_cpu(bytes);
    c10::profiledCPUMemoryReporter().New(at, bytes);
    return at;
  }

  void* large(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    void* at = nullptr;
    const auto found = kept_.lower_bound(bytes);
    size_t size = bytes;
    if (found != kept_.end() && found->first <= bytes + bytes / 4) {
      size = found->first;
      at = found->second.at;
      keptBytes_ -= size;
      kept_.erase(found);
    }
    takenBytes_ += size;
    mostTaken_ = std::max(mostTaken_, takenBytes_);
    if (at == nullptr) {
      // With what is kept the process grows little beyond what it was with all that was in use at once; that little lets
      // sizes that come in turn find each other's memory.
      shrink(mostTaken_ + mostTaken_ / 8 - takenBytes_);
      at = mapped(size);
    }
    taken_.emplace(at, size);
    report(at, static_cast<int64_t>(size));
    return at;
  }

  void* mapped(size_t bytes) {
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED && keptBytes_ > 0) {
      shrink(0);
      at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (at == MAP_FAILED) {
      takenBytes_ -= bytes;
      TORCH_CHECK_WITH(OutOfMemoryError, false, "the system has no memory for a tensor of ", bytes, " bytes");
    }
    return at;
  }

  // Gives memory back, the longest unused first, until no more than this is kept.
  void shrink(size_t most) {
    while (keptBytes_ > most) {
      const auto oldest = std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) { return a.second.freed < b.second.freed; });
      munmap(oldest->second.at, oldest->first);
      keptBytes_ -= oldest->first;
      kept_.erase(oldest);
    }
  }

  bool takeBack(void* at) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = taken_.find(at);
    if (found == taken_.end()) return false;
    const size_t size = found->second;
    taken_.erase(found);
    takenBytes_ -= size;
    keptBytes_ += size;
    kept_.emplace(size, Block{at, ++clock_});
    report(at, -static_cast<int64_t>(size));
    return true;
  }

  void report(void* at, int64_t change) const {
    if (c10::memoryProfilingEnabled()) c10::reportMemoryUsageToProfiler(at, change, takenBytes_, takenBytes_ + keptBytes_, device());
  }

  static KeepingAllocator& instance();
  static void release(void* at) {
    if (at == nullptr) return;
    // Only whole pages are handed out as large blocks.
    if (reinterpret_cast<uintptr_t>(at) % kPage == 0 && instance().takeBack(at)) return;
    c10::profiledCPUMemoryReporter().Delete(at);
    c10::free_cpu(at);
  }

  friend void keel::keepLargeTensors();
  friend void keel::releaseKeptMemory();
};

// Never destroyed: tensors may outlive everything else.
KeepingAllocator& KeepingAllocator::instance() {
  static auto* const one = new KeepingAllocator();
  return *one;
}

}  // namespace

void keepLargeTensors() { c10::SetCPUAllocator(&KeepingAllocator::instance()); }

void releaseKeptMemory() { KeepingAllocator::instance().releaseKept(); }

}  // namespace keel
