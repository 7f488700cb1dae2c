#pragma once

namespace keel {

// From now on the memory of large CPU tensors is kept for the next ones. Safe to call more than
// once.
void keepLargeTensors();

// Gives what is kept and not in use back to the system.
void releaseKeptMemory();

}  // namespace keel
