// Tensor handles: JavaScript holds a number, C++ holds the tensor.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace keel {

// Slot index in the low 24 bits, generation above: a stale handle never refers to another tensor.
using Handle = double;

// One per JavaScript thread, so it needs no locks.
class HandleTable {
 public:
  HandleTable();
  Handle add(at::Tensor tensor);
  // Throws std::runtime_error if the handle was disposed. The reference is valid until the next
  // add.
  const at::Tensor& get(Handle handle) const;
  bool alive(Handle handle) const;
  // Returns false if it was already disposed.
  bool dispose(Handle handle);
  size_t count() const { return live_; }
  // Bytes of all distinct storages that live handles refer to.
  size_t bytes() const;

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation;
    bool used = false;
  };
  const Slot* find(Handle handle) const;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t live_ = 0;
  uint32_t firstGeneration_;
};

}  // namespace keel
