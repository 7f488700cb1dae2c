// Segment attention by block products (blocks/), forward and backward, in bfloat16.
#pragma once
#include "segment_layout.h"

namespace keel {

bool attendsByBlocks(const at::Tensor& q, const Sizes& sizes);

// q [T, heads, size], k and v [T, keyHeads, size], contiguous -> out like q, logsumexp [T, heads]
// in float32
void attendByBlocks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const Layout& layout, const Options& options, const Sizes& s,
                    const at::Tensor& out, const at::Tensor& logsumexp);

void attendBackwardByBlocks(const at::Tensor& g, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const at::Tensor& out, const at::Tensor& logsumexp,
                            const Layout& layout, const Options& options, const Sizes& s,
                            const at::Tensor& gQuery, const at::Tensor& gKey,
                            const at::Tensor& gValue);

}  // namespace keel
