#include "allowed_tokens.h"

#include <torch/library.h>

#include "dispatch.h"

namespace keel {

void checkAllowed(const char* name, const at::Tensor& hidden, int64_t vocabulary,
                  const AllowedTokens& allowed) {
  if (!allowed) return;
  TORCH_CHECK(allowed->scalar_type() == at::kInt, name, ": allowed must be int32, got ",
              allowed->scalar_type());
  TORCH_CHECK(allowed->dim() == 2 && allowed->size(0) == hidden.size(0) &&
                  allowed->size(1) == wordsFor(vocabulary),
              name, ": allowed must be [", hidden.size(0), ", ", wordsFor(vocabulary),
              "], one bit for each token of the vocabulary, got ", allowed->sizes());
  checkDevice(name, hidden, {*allowed});
  if (!allowed->is_cpu()) return;
  const AllowedWords words(allowed);
  for (int64_t row = 0; row < allowed->size(0); ++row)
    TORCH_CHECK(allowedCount(words.row(row), vocabulary) > 0, name, ": row ", row,
                " allows no token at all");
}

AllowedTokens allowedRows(const AllowedTokens& allowed, int64_t start, int64_t size) {
  return allowed ? AllowedTokens(allowed->narrow(0, start, size)) : std::nullopt;
}

at::Tensor ruledOut(const at::Tensor& allowed, int64_t vocabulary) {
  const at::Tensor bits = at::arange(kWordBits, allowed.options());
  const at::Tensor set = allowed.unsqueeze(2).__rshift__(bits).bitwise_and(1);  // [N, words, 32]
  return set.eq(0).flatten(1).narrow(1, 0, vocabulary);
}

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("ruled_out(Tensor allowed, int vocabulary) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) {
  library.impl("ruled_out", [](const at::Tensor& allowed, int64_t vocabulary) {
    TORCH_CHECK(allowed.scalar_type() == at::kInt && allowed.dim() == 2 &&
                    allowed.size(1) == wordsFor(vocabulary),
                "ruled_out takes allowed [N, ", wordsFor(vocabulary), "] int32, got ",
                allowed.sizes(), " ", allowed.scalar_type());
    return ruledOut(allowed, vocabulary);
  });
}

}  // namespace keel
