// keel::draw: draws a token for each row by the inverse of the distribution function.
// keel::linear_wide: the head's product.
#include <torch/library.h>

#include <cmath>
#include <limits>
#include <vector>

#include "small_linear.h"

namespace keel {
namespace {

// Number of weights that are summed at a time, before any is looked at individually.
constexpr int64_t kChunk = 256;

// logits [B, vocabulary] float32, uniforms [B] float64 in [0, 1) -> tokens [B] int64,
// log-probabilities [B] and largest logits [B] float64, which are NaN if any logit is. Temperature
// 0: the most likely token, the first one if several are equal, and its log-probability at
// temperature 1.
std::tuple<at::Tensor, at::Tensor, at::Tensor> draw(const at::Tensor& logits,
                                                    const at::Tensor& uniforms,
                                                    double temperature) {
  TORCH_CHECK(logits.is_cpu() && logits.dim() == 2 && logits.size(1) > 0 &&
                  logits.scalar_type() == at::kFloat,
              "draw takes logits [B, vocabulary] in float32 on the CPU, got ", logits.sizes(), " ",
              logits.scalar_type());
  TORCH_CHECK(uniforms.is_cpu() && uniforms.dim() == 1 && uniforms.size(0) == logits.size(0) &&
                  uniforms.scalar_type() == at::kDouble,
              "draw takes uniforms [", logits.size(0), "] in float64, got ", uniforms.sizes(), " ",
              uniforms.scalar_type());
  TORCH_CHECK(temperature >= 0, "draw: temperature is ", temperature, ", expected at least 0");
  const int64_t count = logits.size(0), size = logits.size(1),
                chunks = (size + kChunk - 1) / kChunk;
  const at::Tensor rowsOf = logits.contiguous(), numbers = uniforms.contiguous();
  at::Tensor tokens = at::empty({count}, at::kLong), logprobs = at::empty({count}, at::kDouble),
             tops = at::empty({count}, at::kDouble);
  const float* from = rowsOf.const_data_ptr<float>();
  const double* uniform = numbers.const_data_ptr<double>();
  int64_t* token = tokens.data_ptr<int64_t>();
  double *logprob = logprobs.data_ptr<double>(), *top = tops.data_ptr<double>();
  const auto& loops = rows::decodeLoops();
  const float factor = temperature > 0 ? static_cast<float>(1 / temperature) : 1.0f;
  at::parallel_for(0, count, grain(size), [&](int64_t begin, int64_t end) {
    std::vector<float> sums(chunks), near(kChunk);
    for (int64_t row = begin; row < end; ++row) {
      const float* const own = from + row * size;
      const float largest = loops.largest(own, size);
      const auto chunk = [&](int64_t at) {
        return loops.weightsOf(own + at * kChunk, near.data(), std::min(kChunk, size - at * kChunk),
                               largest, factor);
      };
      double total = 0;
      for (int64_t at = 0; at < chunks; ++at) total += sums[at] = chunk(at);
      top[row] = std::isnan(total) && std::isfinite(largest)
                     ? std::numeric_limits<double>::quiet_NaN()
                     : largest;
      token[row] = 0;
      logprob[row] = 0;
      if (!std::isfinite(top[row])) continue;
      if (temperature == 0) {
        while (own[token[row]] != largest) ++token[row];
        logprob[row] = 0.0 - std::log(total);
        continue;
      }
      double rest = uniform[row] * total;
      // Rounding may carry past the end. Then the last token with any weight is drawn.
      const auto find = [&](const float* weights, int64_t many) {
        int64_t last = many - 1, at = 0;
        while (last > 0 && !(weights[last] > 0)) --last;
        for (; at < last && rest >= weights[at]; ++at) rest -= weights[at];
        return at;
      };
      const int64_t at = find(sums.data(), chunks);
      chunk(at);
      const int64_t place = find(near.data(), std::min(kChunk, size - at * kChunk));
      token[row] = at * kChunk + place;
      logprob[row] = std::log(near[place] / total);
    }
  });
  return {tokens, logprobs, tops};
}

// x weight^T in float32 or wider: x [T, in], weight [out, in] -> [T, out]. For few rows in
// bfloat16, no sum is rounded.
at::Tensor linearWide(const at::Tensor& x, const at::Tensor& given) {
  const bool differentiated =
      at::GradMode::is_enabled() && (x.requires_grad() || given.requires_grad());
  // Many rows are multiplied a part at a time, so that each has the same sums as alone. A quantised
  // weight is expanded for them. AMX machines use LibTorch's product.
  const bool many = x.dim() == 2 && x.size(0) > kSmallRows && !rows::hasAmx();
  const at::Tensor first = many ? x.narrow(0, 0, kSmallRows) : x;
  if (differentiated || !isSmall(first, given))
    return at::linear(x, expanded(given)).to(wideType(x));
  const at::Tensor weight = many ? expanded(given) : given;
  const int64_t count = x.size(0), inner = x.size(1), features = weight.size(0);
  const at::Tensor input = x.contiguous();
  at::Tensor y = at::empty({count, features}, x.options().dtype(at::kFloat));
  for (int64_t row = 0; row < count; row += kSmallRows) {
    const int64_t some = std::min(kSmallRows, count - row);
    const auto* from = readOnly<rows::bf16>(input) + row * inner;
    float* to = y.data_ptr<float>() + row * features;
    const Arranged rowsOf = arranged(from, some, inner);
    const SmallFactor term = SmallFactor::of(weight).times(from, rowsOf.x);
    forFeatures(features, some, inner, [&](int64_t begin, int64_t end) {
      smallProduct(&term, 1, some, begin, end, to, features);
    });
  }
  return y;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "draw(Tensor logits, Tensor uniforms, float temperature) -> (Tensor, Tensor, Tensor)");
  library.def("linear_wide(Tensor x, Tensor weight) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CPU, library) { library.impl("draw", draw); }
TORCH_LIBRARY_IMPL(keel, CompositeImplicitAutograd, library) {
  library.impl("linear_wide", linearWide);
}

}  // namespace keel
