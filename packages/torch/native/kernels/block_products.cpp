#include "block_products.h"

#include <ATen/Parallel.h>

#include <atomic>

#include "dispatch.h"

namespace keel {
namespace {

using blocks::bf16;

// Rows that threads take at a time, which stay in the second-level cache while the panels of a
// group are processed.
constexpr int64_t kRows = 64;
// Panels in a group, and their elements, which stay in the second-level cache with the rows.
constexpr int64_t kPanels = 4, kGroupElements = 160 * 1024;

constexpr size_t kMostTerms = 8;

bool isTerm(const Factors& factors) {
  const at::Tensor &left = factors.left, &right = factors.right;
  return isBlockFactor(left) && left.size(1) % 2 == 0 && left.stride(1) == 1 && right.is_cpu() &&
         right.dim() == 2 && right.numel() > 0 &&
         (right.scalar_type() == at::kFloat ||
          (right.scalar_type() == at::kBFloat16 && factors.scale == 1)) &&
         (right.stride(0) == 1 || right.stride(1) == 1);
}

// Consecutive panels of a sum. Each thread that works on them packs them for itself, into memory
// that stays in its second-level cache.
struct Group {
  const BlockSum* sum;
  int64_t first, last;           // panels
  std::atomic<int64_t> next{0};  // the first row that no thread has taken

  int64_t rows() const { return sum->into.size(0); }
  int64_t columnsOf(int64_t panel) const {
    return std::min(blocks::kPanel, sum->into.size(1) - panel * blocks::kPanel);
  }
};

int64_t elementsOfPanel(const BlockSum& sum) {
  int64_t elements = 0;
  for (const Factors& term : sum.terms) elements += blocks::panelSize(term.right.size(0));
  return elements;
}

// Columns [first, first + columns) of a term's second factor -> panel
void packPanel(const Factors& term, int64_t first, int64_t columns, bf16* panel) {
  const auto& table = *blocks::table();
  const at::Tensor& right = term.right;
  const int64_t depth = right.size(0), start = first * right.stride(1);
  if (right.scalar_type() == at::kBFloat16)
    return table.pack(readOnly<bf16>(right) + start, right.stride(0), right.stride(1), depth,
                      columns, panel);
  const bool byColumns = right.stride(0) == 1;
  const int64_t rows = byColumns ? columns : depth, width = byColumns ? depth : columns;
  const std::vector<float> factors(term.scale == 1 ? 0 : rows, static_cast<float>(term.scale));
  bf16* narrow = scratch<Purpose::rounded>(rows * width);
  table.narrowRows(readOnly<float>(right) + start, right.stride(byColumns ? 1 : 0), rows, width,
                   factors.empty() ? nullptr : factors.data(), narrow, width);
  table.pack(narrow, byColumns ? 1 : width, byColumns ? width : 1, depth, columns, panel);
}

// Packs panel after panel, each with all of the sum's terms.
void packGroup(const Group& group, bf16* to) {
  for (int64_t panel = group.first; panel < group.last; ++panel) {
    for (const Factors& term : group.sum->terms) {
      packPanel(term, panel * blocks::kPanel, group.columnsOf(panel), to);
      to += blocks::panelSize(term.right.size(0));
    }
  }
}

void multiplyRows(const Group& group, int64_t row, int64_t panel, const bf16* packed) {
  const auto& table = *blocks::table();
  const BlockSum& sum = *group.sum;
  const int64_t stride = sum.into.stride(0), columns = group.columnsOf(panel),
                at = row * stride + panel * blocks::kPanel,
                height = std::min(kRows, group.rows() - row);
  const auto count = static_cast<int64_t>(sum.terms.size());
  blocks::Term list[kMostTerms];
  for (size_t t = 0; t < sum.terms.size(); ++t) {
    const at::Tensor& left = sum.terms[t].left;
    list[t] = {readOnly<bf16>(left) + row * left.stride(0), left.stride(0), packed, left.size(1)};
    packed += blocks::panelSize(left.size(1));
  }
  if (sum.into.scalar_type() == at::kFloat)
    table.multiply(height, columns, list, count, writable<float>(sum.into) + at, stride, false);
  else
    table.multiplyNarrow(height, columns, list, count,
                         sum.bias == nullptr ? nullptr : sum.bias + panel * blocks::kPanel,
                         writable<bf16>(sum.into) + at, stride);
}

// Computes the rows of a group that no other thread takes.
void multiplyGroup(Group& group) {
  const int64_t rows = group.rows(), taken = group.next.load();
  // For a last few rows, packing would take longer than to wait for the thread that packed.
  if (taken >= rows || (taken > 0 && rows - taken <= kRows)) return;
  const int64_t size = elementsOfPanel(*group.sum), panels = group.last - group.first;
  bf16* packed = scratch<Purpose::packed>(panels * size);
  packGroup(group, packed);
  while (true) {
    const int64_t row = group.next.fetch_add(kRows);
    if (row >= rows) return;
    for (int64_t panel = 0; panel < panels; ++panel)
      multiplyRows(group, row, group.first + panel, packed + panel * size);
  }
}

std::vector<Group> groupsOf(at::ArrayRef<BlockSum> sums) {
  int64_t panels = 0;
  for (const BlockSum& sum : sums) panels += blocks::panels(sum.into.size(1));
  const int64_t share = std::clamp<int64_t>(panels / (2 * at::get_num_threads()), 1, kPanels);
  const auto sizeIn = [&](const BlockSum& sum) {
    return std::clamp<int64_t>(kGroupElements / elementsOfPanel(sum), 1, share);
  };
  size_t count = 0;
  for (const BlockSum& sum : sums)
    count += (blocks::panels(sum.into.size(1)) + sizeIn(sum) - 1) / sizeIn(sum);
  std::vector<Group> groups(count);
  auto group = groups.begin();
  for (const BlockSum& sum : sums) {
    const int64_t own = blocks::panels(sum.into.size(1)), size = sizeIn(sum);
    for (int64_t first = 0; first < own; first += size, ++group) {
      group->sum = &sum;
      group->first = first;
      group->last = std::min(own, first + size);
    }
  }
  return groups;
}

}  // namespace

bool takesBlocks(at::ArrayRef<Factors> terms) {
  return blocks::table() != nullptr && terms.size() <= kMostTerms &&
         std::all_of(terms.begin(), terms.end(), isTerm);
}

void blockProducts(at::ArrayRef<BlockSum> sums) {
  std::vector<Group> groups = groupsOf(sums);
  const auto count = static_cast<int64_t>(groups.size()), threads = int64_t{at::get_num_threads()};
  at::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    const int64_t thread = at::get_thread_num();
    for (int64_t at = thread; at < count; at += threads) multiplyGroup(groups[at]);
    // Then what others have not finished.
    for (int64_t at = 0; at < count; ++at) multiplyGroup(groups[(thread + at) % count]);
  });
}

}  // namespace keel
