#include "handles.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace keel {

namespace {
constexpr uint64_t kSlotBits = 24;
constexpr uint64_t kSlotMask = (1ull << kSlotBits) - 1;
constexpr uint32_t kGenerationMask = (1u << 28) - 1;
constexpr double kHandleLimit = 4503599627370496.0;  // 2^52: slot and generation

// 0 is skipped, so that no handle is 0.
uint32_t following(uint32_t generation) {
  const uint32_t next = (generation + 1) & kGenerationMask;
  return next == 0 ? 1 : next;
}
}  // namespace

HandleTable::HandleTable() {
  // Tables of different threads start far apart, so that a handle from another thread is an error
  // instead of a wrong tensor.
  static std::atomic<uint32_t> tables{0};
  const uint32_t spread = (tables.fetch_add(1) * 0x9E3779Bu) & kGenerationMask;
  firstGeneration_ = spread == 0 ? 1 : spread;
}

Handle HandleTable::add(at::Tensor tensor) {
  uint32_t index;
  if (free_.empty()) {
    if (slots_.size() > kSlotMask)
      throw std::runtime_error("more than 16 million live tensors: some are never disposed");
    index = static_cast<uint32_t>(slots_.size());
    slots_.push_back({at::Tensor(), firstGeneration_});
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.tensor = std::move(tensor);
  slot.used = true;
  ++live_;
  return static_cast<double>((static_cast<uint64_t>(slot.generation) << kSlotBits) | index);
}

const HandleTable::Slot* HandleTable::find(Handle handle) const {
  if (!(handle > 0 && handle < kHandleLimit)) return nullptr;
  const auto bits = static_cast<uint64_t>(handle);
  const uint64_t index = bits & kSlotMask;
  if (index >= slots_.size()) return nullptr;
  const Slot& slot = slots_[index];
  return slot.used && slot.generation == (bits >> kSlotBits) ? &slot : nullptr;
}

const at::Tensor& HandleTable::get(Handle handle) const {
  const Slot* slot = find(handle);
  if (slot == nullptr) throw std::runtime_error("the tensor was disposed");
  return slot->tensor;
}

bool HandleTable::alive(Handle handle) const { return find(handle) != nullptr; }

bool HandleTable::dispose(Handle handle) {
  auto* slot = const_cast<Slot*>(find(handle));
  if (slot == nullptr) return false;
  slot->used = false;
  slot->generation = following(slot->generation);
  // A slot whose generations are used up is retired, because its handles would repeat.
  if (slot->generation != firstGeneration_)
    free_.push_back(static_cast<uint32_t>(static_cast<uint64_t>(handle) & kSlotMask));
  --live_;
  // Last, because freeing may run destructors of an autograd graph.
  at::Tensor released = std::move(slot->tensor);
  return true;
}

size_t HandleTable::bytes() const {
  // A sorted vector, because a set's many small nodes would fragment malloc's memory.
  std::vector<const c10::StorageImpl*> storages;
  storages.reserve(live_);
  for (const Slot& slot : slots_)
    if (slot.used && slot.tensor.defined() && slot.tensor.has_storage())
      storages.push_back(slot.tensor.storage().unsafeGetStorageImpl());
  std::sort(storages.begin(), storages.end());
  size_t total = 0;
  const c10::StorageImpl* last = nullptr;
  for (const auto* storage : storages) {
    if (storage != last) total += storage->nbytes();
    last = storage;
  }
  return total;
}

}  // namespace keel
