// Log-probabilities of targets by block products: logits exist only a few columns at a time, in
// float32, in registers and caches.
#pragma once
#include <ATen/ATen.h>

#include "allowed_tokens.h"

namespace keel {

struct LogprobShape {
  double scale, softcap;
  int64_t chunk;
};

// Each [N]: log-probability, log-sum-exp and entropy in float32, the most likely token in int64.
struct LogprobScores {
  at::Tensor logprob, logsumexp, entropy, argmax;
};

// Whether block products support these operands: hidden [N, H], weight [V, H].
bool scoresByBlocks(const at::Tensor& hidden, const at::Tensor& weight);

// With `pull`, also computes d logprob / d hidden [N, H] of every token. The backward then only has
// to scale it by the incoming gradient.
void scoreByBlocks(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                   const LogprobShape& shape, const AllowedWords& allowed,
                   const LogprobScores& into, const at::Tensor* pull);

}  // namespace keel
