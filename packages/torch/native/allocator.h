#pragma once

namespace keel {

// From now on, memory of large CPU tensors is cached for reuse. May be called more than once.
void keepLargeTensors();

// Returns cached memory that is not in use to the system.
void releaseKeptMemory();

}  // namespace keel
