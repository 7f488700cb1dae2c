#pragma once

namespace keel {

// From now on the memory of large CPU tensors is kept for the next ones. Safe to call more than once.
void keepLargeTensors();

}  // namespace keel
