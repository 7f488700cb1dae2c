// keel::linear_logprob: log softmax(hidden @ weight^T)[token, target] for scored tokens, token by chunk,
// so that no [tokens, vocabulary] array of the whole batch ever exists. Its backward computes the chunk's logits again.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Logits of one chunk in float32 or wider: [chunk, vocabulary].
at::Tensor chunkLogits(const at::Tensor& hidden, const at::Tensor& weight, double scale, double softcap) {
  const auto wide = hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  at::Tensor logits = at::linear(hidden, weight).to(wide);
  if (scale != 1.0) logits = logits * scale;
  if (softcap > 0) logits = at::tanh(logits / softcap).mul_(softcap);
  return logits;
}

// hidden [N, H], weight [V, H], targets [N] -> logprob [N], logsumexp [N], entropy [N], argmax [N]
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> forwardPass(
    const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets, double scale, double softcap, int64_t chunk) {
  TORCH_CHECK(hidden.dim() == 2 && weight.dim() == 2 && targets.dim() == 1, "linear_logprob takes hidden [N, H], weight [V, H], targets [N]");
  TORCH_CHECK(hidden.size(0) == targets.size(0), "linear_logprob: ", hidden.size(0), " rows of hidden, ", targets.size(0), " targets");
  TORCH_CHECK(hidden.size(1) == weight.size(1), "linear_logprob: hidden has ", hidden.size(1), " features, weight ", weight.size(1));
  TORCH_CHECK(chunk > 0, "linear_logprob: chunk must be positive");
  const int64_t count = hidden.size(0);
  const auto wide = hidden.options().dtype(hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  at::Tensor logprob = at::empty({count}, wide), normaliser = at::empty({count}, wide), entropy = at::empty({count}, wide);
  at::Tensor best = at::empty({count}, targets.options());
  for (int64_t start = 0; start < count; start += chunk) {
    const int64_t size = std::min(chunk, count - start);
    const at::Tensor logits = chunkLogits(hidden.narrow(0, start, size), weight, scale, softcap);  // [size, V]
    const at::Tensor target = targets.narrow(0, start, size).unsqueeze(1);
    best.narrow(0, start, size).copy_(logits.argmax(1));
    const at::Tensor chosen = logits.gather(1, target).squeeze(1);
    const at::Tensor logs = at::log_softmax(logits, 1);  // [size, V]
    logprob.narrow(0, start, size).copy_(logs.gather(1, target).squeeze(1));
    normaliser.narrow(0, start, size).copy_(chosen - logprob.narrow(0, start, size));
    entropy.narrow(0, start, size).copy_(at::exp(logs).mul_(logs).sum(1).neg_());
  }
  return {logprob, normaliser, entropy, best};
}

class LinearLogprob : public torch::autograd::Function<LinearLogprob> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hidden, const at::Tensor& weight,
                               const at::Tensor& targets, double scale, double softcap, int64_t chunk) {
    auto [logprob, normaliser, entropy, best] = forwardPass(hidden, weight, targets, scale, softcap, chunk);
    ctx->save_for_backward({hidden, weight, targets, normaliser});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["softcap"] = softcap;
    ctx->saved_data["chunk"] = chunk;
    ctx->mark_non_differentiable({normaliser, entropy, best});
    return {logprob, normaliser, entropy, best};
  }

  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &normaliser = saved[3];
    const double scale = ctx->saved_data["scale"].toDouble(), softcap = ctx->saved_data["softcap"].toDouble();
    const int64_t chunk = ctx->saved_data["chunk"].toInt(), count = hidden.size(0);
    const bool wantsHidden = ctx->needs_input_grad(0), wantsWeight = ctx->needs_input_grad(1);
    at::Tensor gradHidden, gradWeight;
    if (wantsHidden) gradHidden = at::empty_like(hidden);
    const auto wide = normaliser.scalar_type();
    if (wantsWeight) gradWeight = at::zeros(weight.sizes(), weight.options().dtype(wide));
    for (int64_t start = 0; start < count; start += chunk) {
      const int64_t size = std::min(chunk, count - start);
      const at::Tensor rows = hidden.narrow(0, start, size);
      const at::Tensor logits = chunkLogits(rows, weight, scale, softcap);
      const at::Tensor seed = outer[0].narrow(0, start, size).to(wide).unsqueeze(1);  // [size, 1]
      // d logprob / d logits = onehot - softmax
      at::Tensor slope = at::exp(logits - normaliser.narrow(0, start, size).unsqueeze(1)).mul_(-seed);
      slope.scatter_add_(1, targets.narrow(0, start, size).unsqueeze(1), seed);
      if (softcap > 0) slope.mul_(1 - at::square(logits / softcap));
      if (scale != 1.0) slope.mul_(scale);
      const at::Tensor narrow = slope.to(hidden.scalar_type());
      if (wantsHidden) gradHidden.narrow(0, start, size).copy_(at::mm(narrow, weight));
      if (wantsWeight) gradWeight.add_(at::mm(narrow.t(), rows));
    }
    if (wantsWeight) gradWeight = gradWeight.to(weight.scalar_type());
    return {gradHidden, gradWeight, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> withGradient(
    const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets, double scale, double softcap, int64_t chunk) {
  auto outputs = LinearLogprob::apply(hidden, weight, targets, scale, softcap, chunk);
  return {outputs[0], outputs[1], outputs[2], outputs[3]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "linear_logprob(Tensor hidden, Tensor weight, Tensor targets, float scale=1.0, float softcap=0.0, int chunk=256) "
      "-> (Tensor logprob, Tensor logsumexp, Tensor entropy, Tensor argmax)");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("linear_logprob", forwardPass); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("linear_logprob", withGradient); }

}  // namespace keel
