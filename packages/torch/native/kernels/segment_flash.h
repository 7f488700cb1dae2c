// Attention over a packed batch by LibTorch's flash attention, on devices that have it.
#pragma once
#include "segment_layout.h"

namespace keel {

// Whether `attendByFlash` serves queries of this type, device and size. The first call for a type
// and a device compares its results and gradients with the composed form's, and so waits for the
// device.
bool attendsByFlash(const at::Tensor& q, const Options& options, const Sizes& sizes);

// As `composed`, with gradients. table [segments * 3]: start, length, prefix
at::Tensor attendByFlash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         c10::IntArrayRef table, const Options& options, const Sizes& sizes);

}  // namespace keel
