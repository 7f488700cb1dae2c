// Groups of processes, for the other files here.
#pragma once

#ifdef KEEL_DISTRIBUTED
#include <torch/csrc/distributed/c10d/Backend.hpp>

namespace keel {

using GroupPointer = c10::intrusive_ptr<c10d::Backend>;

// Throws std::runtime_error if the group is closed.
GroupPointer groupAt(double index);

}  // namespace keel
#endif
