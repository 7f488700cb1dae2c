// keel::linear_logprob: log softmax(hidden @ weight^T)[token, target] for scored tokens, without
// ever creating [tokens, vocabulary] for the whole batch. With block products (logprob_blocks.h),
// logits are computed some columns at a time. If the weight is frozen, the forward then also
// computes the gradient of each log-probability, since only a factor per token is still unknown.
// Otherwise logits are computed in chunks of tokens, and the backward computes them again.
// With a mask of allowed tokens, the distribution is that over the allowed tokens only.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "allowed_tokens.h"
#include "dispatch.h"
#include "logprob_blocks.h"
#include "products.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Scores = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

using Shape = LogprobShape;

// Logits after scale, softcap and mask in float32 or wider: the composed form, for devices without
// row loops.
at::Tensor finishedLogits(const at::Tensor& logits, const Shape& shape,
                          const AllowedTokens& allowed) {
  at::Tensor wide = logits.to(wideType(logits));
  if (shape.scale != 1.0) wide = wide * shape.scale;
  if (shape.softcap > 0) wide = at::tanh(wide / shape.softcap).mul_(shape.softcap);
  return allowed ? wide.masked_fill(ruledOut(*allowed, wide.size(1)), -INFINITY) : wide;
}

void check(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
           int64_t chunk, const AllowedTokens& allowed) {
  TORCH_CHECK(hidden.dim() == 2 && weight.dim() == 2 && targets.dim() == 1,
              "linear_logprob takes hidden [N, H], weight [V, H], targets [N]");
  TORCH_CHECK(hidden.size(0) == targets.size(0), "linear_logprob: ", hidden.size(0),
              " rows of hidden, ", targets.size(0), " targets");
  TORCH_CHECK(hidden.size(1) == weight.size(1), "linear_logprob: hidden has ", hidden.size(1),
              " features, weight ", weight.size(1));
  TORCH_CHECK(targets.scalar_type() == at::kLong, "linear_logprob: targets must be int64, got ",
              targets.scalar_type());
  TORCH_CHECK(chunk > 0, "linear_logprob: chunk must be positive");
  checkKind("linear_logprob", hidden, {weight});
  checkDevice("linear_logprob", hidden, {targets});
  if (targets.numel() > 0 && targets.is_cpu()) {
    TORCH_CHECK(
        targets.min().item<int64_t>() >= 0 && targets.max().item<int64_t>() < weight.size(0),
        "linear_logprob: a target is outside the vocabulary of ", weight.size(0));
  }
  checkAllowed("linear_logprob", hidden, weight.size(0), allowed);
}

// Scores one chunk, and writes it to its place in the results.
void scoreChunk(const at::Tensor& logits, const at::Tensor& targets, const Shape& shape,
                const AllowedTokens& allowed, const Scores& into) {
  const auto& [logprob, normaliser, entropy, best] = into;
  if (!hasRows(logits)) {
    const at::Tensor wide = finishedLogits(logits, shape, allowed);
    const at::Tensor logs = at::log_softmax(wide, 1);
    const at::Tensor target = targets.unsqueeze(1);
    logprob.copy_(logs.gather(1, target).squeeze(1));
    normaliser.copy_(wide.gather(1, target).squeeze(1) - logprob);
    if (allowed) normaliser.copy_(at::logsumexp(wide, 1).where(logprob.eq(-INFINITY), normaliser));
    // A logit of -inf has the share 0, not 0 * -inf.
    const at::Tensor finite = allowed ? logs.masked_fill(wide.eq(-INFINITY), 0) : logs;
    entropy.copy_(at::exp(logs).mul_(finite).sum(1).neg_());
    best.copy_(wide.argmax(1));
    return;
  }
  const int64_t size = logits.size(1);
  const at::Tensor wanted = targets.contiguous();
  const AllowedWords words(allowed);
  withType(logits, [&](auto sample) {
    using T = decltype(sample);
    using W = rows::Wide<T>;
    const T* from = readOnly<T>(logits);
    const auto* target = readOnly<int64_t>(wanted);
    W *toLogprob = writable<W>(logprob), *toNormaliser = writable<W>(normaliser),
      *toEntropy = writable<W>(entropy);
    auto* toBest = writable<int64_t>(best);
    at::parallel_for(0, logits.size(0), 1, [&](int64_t begin, int64_t end) {
      AllowedRow<T> kept;
      for (int64_t row = begin; row < end; ++row) {
        const T* logit = from + row * size;
        int64_t count = size, place = target[row];
        if (words) {
          kept.gather(logit, size, words.row(row));
          logit = kept.logits(), count = kept.size(), place = kept.place(place);
        }
        W out[4];
        table<T>().scoreRow(logit, count, shape.scale, shape.softcap, std::max<int64_t>(place, 0),
                            out);
        toLogprob[row] = place < 0 ? -INFINITY : out[0] - out[1];
        toNormaliser[row] = out[1];
        toEntropy[row] = out[2];
        const auto best = static_cast<int64_t>(out[3]);
        toBest[row] = words ? kept.token(best) : best;
      }
    });
  });
}

// hidden [N, H], weight [V, H], targets [N] -> logprob [N], logsumexp [N], entropy [N], argmax [N];
// and pull [N, H] = d logprob / d hidden, with block products and if wanted
Scores scored(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
              double scale, double softcap, int64_t chunk, const AllowedTokens& allowed,
              const at::Tensor* pull) {
  check(hidden, weight, targets, chunk, allowed);
  const int64_t count = hidden.size(0);
  const auto wide = hidden.options().dtype(wideType(hidden));
  const Scores scores = {at::empty({count}, wide), at::empty({count}, wide),
                         at::empty({count}, wide), at::empty({count}, targets.options())};
  const auto& [logprob, normaliser, entropy, best] = scores;
  if (scoresByBlocks(hidden, weight)) {
    scoreByBlocks(hidden, weight, targets, {scale, softcap, chunk}, AllowedWords(allowed),
                  {logprob, normaliser, entropy, best}, pull);
    return scores;
  }
  // Beside many tokens, the head is expanded once.
  const at::Tensor head = count > chunk ? expanded(weight) : weight;
  for (int64_t start = 0; start < count; start += chunk) {
    const int64_t size = std::min(chunk, count - start);
    const auto part = [&](const at::Tensor& whole) { return whole.narrow(0, start, size); };
    const at::Tensor logits = sumOfProducts(byTransposed(part(hidden), head));  // [size, V]
    scoreChunk(logits, part(targets), {scale, softcap, chunk}, allowedRows(allowed, start, size),
               {part(logprob), part(normaliser), part(entropy), part(best)});
  }
  return scores;
}

// A mask whose words are next to each other in every row.
AllowedTokens contiguous(const AllowedTokens& allowed) {
  return allowed ? AllowedTokens(allowed->contiguous()) : std::nullopt;
}

Scores plain(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
             double scale, double softcap, int64_t chunk, const AllowedTokens& allowed) {
  return scored(hidden, weight, targets, scale, softcap, chunk, contiguous(allowed), nullptr);
}

// Logits of a chunk -> seed * d logprob / d logits = seed * (onehot - softmax), in the logits'
// type.
at::Tensor slopes(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& normaliser,
                  const at::Tensor& seed, const Shape& shape, const AllowedTokens& allowed) {
  if (!hasRows(logits)) {
    const at::Tensor finished = finishedLogits(logits, shape, allowed);
    const at::Tensor column = seed.unsqueeze(1);
    at::Tensor slope = at::exp(finished - normaliser.unsqueeze(1)).mul_(-column);
    slope.scatter_add_(1, targets.unsqueeze(1), column);
    if (shape.softcap > 0) slope.mul_(1 - at::square(finished / shape.softcap));
    if (allowed) slope.masked_fill_(finished.eq(-INFINITY), 0);
    return slope.mul_(shape.scale).to(logits.scalar_type());
  }
  const int64_t size = logits.size(1);
  const at::Tensor wanted = targets.contiguous(), sums = normaliser.contiguous(),
                   outer = seed.contiguous();
  const AllowedWords words(allowed);
  withType(logits, [&](auto sample) {
    using T = decltype(sample);
    using W = rows::Wide<T>;
    T* at = writable<T>(logits);
    const auto* target = readOnly<int64_t>(wanted);
    const W *sum = readOnly<W>(sums), *factor = readOnly<W>(outer);
    at::parallel_for(0, logits.size(0), 1, [&](int64_t begin, int64_t end) {
      AllowedRow<T> kept;
      for (int64_t row = begin; row < end; ++row) {
        T* logit = at + row * size;
        if (!words) {
          table<T>().slopeRow(logit, size, shape.scale, shape.softcap, target[row], sum[row],
                              factor[row]);
          continue;
        }
        kept.gather(logit, size, words.row(row));
        table<T>().slopeRow(kept.logits(), kept.size(), shape.scale, shape.softcap,
                            kept.place(target[row]), sum[row], factor[row]);
        kept.scatter(logit, size);
      }
    });
  });
  return logits;
}

// Both gradients, some columns of the vocabulary at a time, so that each column's weight gets its
// whole gradient at once.
std::tuple<at::Tensor, at::Tensor> gradientsByColumns(
    const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
    const at::Tensor& normaliser, const at::Tensor& seed, const Shape& shape,
    const AllowedTokens& allowed, bool wantsHidden) {
  constexpr int64_t kColumns = 6144;
  static_assert(kColumns % kWordBits == 0, "a part of the vocabulary must start with a word");
  const at::Tensor gradWeight = at::empty_like(weight);
  at::Tensor gradHidden =
      wantsHidden ? at::zeros(hidden.sizes(), hidden.options().dtype(at::kFloat)) : at::Tensor();
  for (int64_t start = 0; start < weight.size(0); start += kColumns) {
    const int64_t size = std::min(kColumns, weight.size(0) - start);
    const at::Tensor columns = weight.narrow(0, start, size), places = targets - start;
    const at::Tensor inside = places.masked_fill(places.lt(0).logical_or_(places.ge(size)), -1);
    const AllowedTokens part =
        allowed ? AllowedTokens(allowed->narrow(1, start / kWordBits, wordsFor(size)))
                : std::nullopt;
    const at::Tensor slope =
        slopes(multipliedInFloat(hidden, columns.t()), inside, normaliser, seed, shape, part)
            .to(hidden.scalar_type());
    if (wantsHidden) gradHidden.add_(multipliedInFloat(slope, columns));
    gradWeight.narrow(0, start, size).copy_(multipliedOverTokens(slope, hidden));
  }
  return {wantsHidden ? gradHidden.to(hidden.scalar_type()) : at::Tensor(), gradWeight};
}

std::tuple<at::Tensor, at::Tensor> gradientsByTokens(const at::Tensor& hidden,
                                                     const at::Tensor& weight,
                                                     const at::Tensor& targets,
                                                     const at::Tensor& normaliser,
                                                     const at::Tensor& seed, const Shape& shape,
                                                     const AllowedTokens& allowed,
                                                     bool wantsHidden, bool wantsWeight) {
  at::Tensor gradHidden, gradWeight;
  if (wantsHidden) gradHidden = at::empty_like(hidden);
  const at::Tensor head = expanded(weight);
  if (wantsWeight)
    gradWeight = at::zeros(weight.sizes(), weight.options().dtype(normaliser.scalar_type()));
  for (int64_t start = 0; start < hidden.size(0); start += shape.chunk) {
    const int64_t size = std::min(shape.chunk, hidden.size(0) - start);
    const auto part = [&](const at::Tensor& whole) { return whole.narrow(0, start, size); };
    const at::Tensor rows = part(hidden);
    const at::Tensor slope =
        slopes(multiplied(rows, head.t()), part(targets), part(normaliser), part(seed), shape,
               allowedRows(allowed, start, size));
    if (wantsHidden) part(gradHidden).copy_(multiplied(slope, head));
    if (wantsWeight) gradWeight.add_(multipliedOverTokens(slope, rows));
  }
  return {gradHidden, wantsWeight ? gradWeight.to(weight.scalar_type()) : at::Tensor()};
}

class LinearLogprob : public torch::autograd::Function<LinearLogprob> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hidden,
                               const at::Tensor& weight, const at::Tensor& targets, double scale,
                               double softcap, int64_t chunk, const AllowedTokens& allowed,
                               bool frozenWeight) {
    const bool pulls = frozenWeight && scoresByBlocks(hidden, weight);
    const at::Tensor pull = pulls ? at::empty(hidden.sizes(), hidden.options()) : at::Tensor();
    auto [logprob, normaliser, entropy, best] =
        scored(hidden, weight, targets, scale, softcap, chunk, allowed, pulls ? &pull : nullptr);
    ctx->save_for_backward(pulls ? variable_list{pull}
                                 : variable_list{hidden, weight, targets, normaliser,
                                                 allowed.value_or(at::Tensor())});
    ctx->saved_data["pulls"] = pulls;
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["softcap"] = softcap;
    ctx->saved_data["chunk"] = chunk;
    ctx->mark_non_differentiable({normaliser, entropy, best});
    return {logprob, normaliser, entropy, best};
  }

  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    at::Tensor gradHidden, gradWeight;
    if (ctx->saved_data["pulls"].toBool()) {
      gradHidden = (saved[0] * outer[0].unsqueeze(1)).to(saved[0].scalar_type());
    } else {
      const at::Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2],
                       &normaliser = saved[3];
      const AllowedTokens allowed = saved[4].defined() ? AllowedTokens(saved[4]) : std::nullopt;
      const Shape shape = {ctx->saved_data["scale"].toDouble(),
                           ctx->saved_data["softcap"].toDouble(), ctx->saved_data["chunk"].toInt()};
      const at::Tensor seed = outer[0].to(normaliser.scalar_type());
      const bool wantsHidden = ctx->needs_input_grad(0), wantsWeight = ctx->needs_input_grad(1);
      std::tie(gradHidden, gradWeight) =
          wantsWeight && scoresByBlocks(hidden, weight)
              ? gradientsByColumns(hidden, weight, targets, normaliser, seed, shape, allowed,
                                   wantsHidden)
              : gradientsByTokens(hidden, weight, targets, normaliser, seed, shape, allowed,
                                  wantsHidden, wantsWeight);
    }
    return {gradHidden,   gradWeight,   at::Tensor(), at::Tensor(),
            at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

Scores withGradient(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                    double scale, double softcap, int64_t chunk, const AllowedTokens& allowed) {
  auto outputs = LinearLogprob::apply(
      hidden, weight, targets, scale, softcap, chunk, contiguous(allowed),
      at::GradMode::is_enabled() && hidden.requires_grad() && !weight.requires_grad());
  return {outputs[0], outputs[1], outputs[2], outputs[3]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "linear_logprob(Tensor hidden, Tensor weight, Tensor targets, float scale=1.0, float "
      "softcap=0.0, int chunk=256, Tensor? allowed=None) "
      "-> (Tensor logprob, Tensor logsumexp, Tensor entropy, Tensor argmax)");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) {
  library.impl("linear_logprob", plain);
}
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("linear_logprob", withGradient); }

}  // namespace keel
