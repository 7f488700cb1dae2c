#include "products.h"

#include "blocks/blocks.h"
#include "dispatch.h"
#include "small_linear.h"
#include "units.h"

namespace keel {
namespace {

using blocks::bf16;
using OptionalTensor = std::optional<at::Tensor>;

// Rows in a unit of work, which stay in the second-level cache while the panels are processed.
constexpr int64_t kRows = 64;
// Panels in a unit. With more, threads would idle longer at the end.
constexpr int64_t kPanels = 4;

bool isBlockFactor(const at::Tensor& x) {
  return shapesAreCompiled(x) && x.dim() == 2 && x.numel() > 0;
}

bool takesBlocks(const Factors& factors) {
  const auto& [left, right, _] = factors;
  return blocks::table() != nullptr && isBlockFactor(left) && isBlockFactor(right) &&
         left.size(1) % 2 == 0 && left.stride(1) == 1 &&
         (right.stride(0) == 1 || right.stride(1) == 1);
}

// Memory that the next product of this thread reuses.
bf16* scratch(int64_t elements) {
  thread_local std::vector<bf16> kept;
  if (static_cast<int64_t>(kept.size()) < elements) kept.resize(elements);
  return kept.data();
}

// into [T, N], bfloat16 or float32, = the sum of the terms + bias
void blockProducts(at::ArrayRef<Factors> terms, const float* bias, const at::Tensor& into) {
  const auto& table = *blocks::table();
  const int64_t rows = into.size(0), columns = into.size(1), stride = into.stride(0),
                panels = blocks::panels(columns);
  std::vector<int64_t> places;  // first panel of each term
  int64_t elements = 0;
  for (const auto& [left, right, _] : terms) {
    places.push_back(elements);
    elements += panels * blocks::panelSize(right.size(0));
  }
  bf16* packed = scratch(elements);
  const auto widthOf = [&](int64_t panel) {
    return std::min(blocks::kPanel, columns - panel * blocks::kPanel);
  };
  at::parallel_for(0, panels, grain(blocks::panelSize(terms[0].right.size(0)) / 8),
                   [&](int64_t begin, int64_t end) {
                     for (size_t t = 0; t < terms.size(); ++t) {
                       const at::Tensor& right = terms[t].right;
                       const int64_t depth = right.size(0), size = blocks::panelSize(depth);
                       for (int64_t panel = begin; panel < end; ++panel)
                         table.pack(
                             readOnly<bf16>(right) + panel * blocks::kPanel * right.stride(1),
                             right.stride(0), right.stride(1), depth, widthOf(panel),
                             packed + places[t] + panel * size);
                     }
                   });
  const int64_t groups = (panels + kPanels - 1) / kPanels;
  forUnits((rows + kRows - 1) / kRows * groups, [&](int64_t unit) {
    const int64_t row = unit / groups * kRows, first = unit % groups * kPanels;
    for (int64_t panel = first; panel < std::min(panels, first + kPanels); ++panel) {
      blocks::Term list[2];
      for (size_t t = 0; t < terms.size(); ++t) {
        const at::Tensor& left = terms[t].left;
        list[t] = {readOnly<bf16>(left) + row * left.stride(0), left.stride(0),
                   packed + places[t] + panel * blocks::panelSize(terms[t].right.size(0)),
                   left.size(1)};
      }
      const int64_t at = row * stride + panel * blocks::kPanel,
                    height = std::min(kRows, rows - row);
      const auto count = static_cast<int64_t>(terms.size());
      if (into.scalar_type() == at::kFloat)
        table.multiply(height, widthOf(panel), list, count, writable<float>(into) + at, stride,
                       false);
      else
        table.multiplyNarrow(height, widthOf(panel), list, count,
                             bias == nullptr ? nullptr : bias + panel * blocks::kPanel,
                             writable<bf16>(into) + at, stride);
    }
  });
}

// a^T b over tokens, where a has an adapter's rank as width: b is read once, in its own layout.
// [rank, N] float32
at::Tensor narrowOverTokens(const at::Tensor& a, const at::Tensor& b) {
  const auto& table = *blocks::table();
  const int64_t tokens = a.size(0), rank = a.size(1), columns = b.size(1);
  bf16* pairs = scratch((tokens + 1) / 2 * 2 *
                        ((rank + blocks::kVector - 1) / blocks::kVector * blocks::kVector));
  table.pairRows(readOnly<bf16>(a), a.stride(0), tokens, rank, pairs);
  const at::Tensor sum = at::empty({rank, columns}, a.options().dtype(at::kFloat));
  constexpr int64_t kColumns = 64;  // in a unit: as many as the product takes at a time
  forUnits((columns + kColumns - 1) / kColumns, [&](int64_t unit) {
    const int64_t first = unit * kColumns;
    table.multiplyOverTokens(pairs, rank, readOnly<bf16>(b) + first, b.stride(0), tokens,
                             std::min(kColumns, columns - first), writable<float>(sum) + first,
                             columns);
  });
  return sum;
}

// Calls body(start, size, computed) for pieces of `count` rows, where `computed` >= size is one of
// the fixed sizes.
template <typename Body>
void forPieces(int64_t count, Body body) {
  int64_t start = 0;
  for (const int64_t size : {512, 128, 32})
    for (; count - start >= size; start += size) body(start, size, size);
  if (start == count) return;
  int64_t computed = 1;
  while (computed < count - start) computed *= 2;
  body(start, count - start, computed);
}

// Rows [start, start + size), zero-padded to `computed` rows.
at::Tensor piece(const at::Tensor& x, int64_t start, int64_t size, int64_t computed) {
  const at::Tensor rows = x.narrow(0, start, size);
  if (computed == size) return rows;
  at::Tensor padded = at::zeros({computed, x.size(1)}, x.options());
  padded.narrow(0, 0, size).copy_(rows);
  return padded;
}

// out += left right, or out = left right
void multiplyInto(const at::Tensor& out, const Factors& factors, bool add) {
  const auto& [left, right, _] = factors;
  const auto once = [&](const at::Tensor& to, const at::Tensor& from) {
    at::Tensor target = to;
    if (add)
      target.addmm_(from, right);
    else
      at::mm_out(target, from, right);
  };
  if (!shapesAreCompiled(left)) return once(out, left);
  forPieces(left.size(0), [&](int64_t start, int64_t size, int64_t computed) {
    const at::Tensor to = out.narrow(0, start, size), from = piece(left, start, size, computed);
    if (computed == size) return once(to, from);
    const at::Tensor product = at::mm(from, right).narrow(0, 0, size);
    if (add)
      to.add_(product);
    else
      to.copy_(product);
  });
}

}  // namespace

at::Tensor sumOfProducts(at::ArrayRef<Factors> given, const OptionalTensor& bias) {
  if (std::all_of(given.begin(), given.end(), isSmallProduct)) return smallProducts(given, bias);
  // Many rows share the cost of expanding a quantised weight, one at a time.
  std::vector<Factors> terms;
  for (const Factors& one : given)
    terms.push_back({one.left, one.blocks.defined() ? expanded(one.blocks).t() : one.right,
                     at::Tensor()});
  const at::Tensor &left = terms[0].left, &right = terms[0].right;
  at::Tensor out = at::empty({left.size(0), right.size(1)}, left.options());
  if (std::all_of(terms.begin(), terms.end(), takesBlocks)) {
    const at::Tensor wide = bias.has_value() ? bias->to(at::kFloat).contiguous() : at::Tensor();
    blockProducts(terms, bias.has_value() ? readOnly<float>(wide) : nullptr, out);
    return out;
  }
  const bool biasedAtOnce = bias.has_value() && !shapesAreCompiled(left);  // as in at::linear
  if (biasedAtOnce) at::addmm_out(out, *bias, left, right);
  for (size_t t = biasedAtOnce ? 1 : 0; t < terms.size(); ++t) multiplyInto(out, terms[t], t > 0);
  if (bias.has_value() && !biasedAtOnce) out.add_(*bias);
  return out;
}

at::Tensor multipliedInFloat(const at::Tensor& left, const at::Tensor& right) {
  if (!takesBlocks({left, right, at::Tensor()})) return multiplied(left, right).to(wideType(left));
  const at::Tensor out = at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat));
  blockProducts(Factors{left, right, at::Tensor()}, nullptr, out);
  return out;
}

at::Tensor linearProduct(const at::Tensor& x, const at::Tensor& weight,
                         const OptionalTensor& bias) {
  if (x.dim() != 2 || !shapesAreCompiled(x)) return at::linear(x, expanded(weight), bias);
  return sumOfProducts(byTransposed(x, weight), bias);
}

at::Tensor multipliedOverTokens(const at::Tensor& a, const at::Tensor& b) {
  const auto wide = a.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  if (!shapesAreCompiled(a)) return at::mm(a.t(), b).to(wide);
  if (blocks::table() != nullptr && isBlockFactor(a) && isBlockFactor(b) && a.stride(1) == 1 &&
      b.stride(1) == 1) {
    if (a.size(1) <= kRows) return narrowOverTokens(a, b);
    if (b.size(1) <= kRows) return narrowOverTokens(b, a).t().contiguous();
    const int64_t tokens = a.size(0), even = (tokens + 1) / 2 * 2, columns = a.size(1);
    const at::Tensor turned = at::empty({columns, even}, a.options());
    constexpr int64_t kStep = 32;
    at::parallel_for(0, (columns + kStep - 1) / kStep, grain(kStep * tokens),
                     [&](int64_t begin, int64_t end) {
                       const int64_t first = begin * kStep;
                       blocks::table()->transpose(readOnly<bf16>(a) + first, a.stride(0), tokens,
                                                  std::min(columns, end * kStep) - first,
                                                  writable<bf16>(turned) + first * even, even);
                     });
    const at::Tensor sum = at::empty({columns, b.size(1)}, a.options().dtype(wide));
    blockProducts(Factors{turned, b, at::Tensor()}, nullptr, sum);
    return sum;
  }
  at::Tensor sum = at::zeros({a.size(1), b.size(1)}, a.options().dtype(wide));
  forPieces(a.size(0), [&](int64_t start, int64_t size, int64_t computed) {
    // Each piece's product is rounded by oneDNN; the pieces are added in float32.
    sum.add_(at::mm(piece(a, start, size, computed).t(), piece(b, start, size, computed)));
  });
  return sum;
}

}  // namespace keel
