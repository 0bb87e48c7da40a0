#include "formats/packed_int4.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "quant/two_level.h"

namespace hone::formats {
namespace {

using quant::Int4Groups;
using quant::Int4RowBytes;

constexpr int kNibblesPerWord = 8;
constexpr std::uint8_t kSymmetricZero = 8;

constexpr std::size_t Words(int count) {
  return static_cast<std::size_t>((count + kNibblesPerWord - 1) / kNibblesPerWord);
}

std::uint32_t WordAt(const tensor::TensorView& view, std::size_t index) {
  std::uint32_t word;
  std::memcpy(&word, view.data + index * sizeof word, sizeof word);
  return word;
}

std::uint8_t NibbleOf(std::uint32_t word, int index) {
  return static_cast<std::uint8_t>(word >> (4 * index) & 15);
}

// Groups of a row, and row `row`'s scales and zero points.
struct RowGroups {
  std::vector<float> scale;
  std::vector<std::uint8_t> zero;
};

void ReadRowGroups(const StoredMatrix& stored, int row, RowGroups* out) {
  const auto groups = static_cast<std::size_t>(stored.scale.shape[1]);
  out->scale.resize(groups);
  out->zero.assign(groups, kSymmetricZero);
  tensor::CopyToF32(stored.scale, static_cast<std::int64_t>(groups) * row, out->scale);
  if (stored.zero.empty()) return;
  const int packed_row = stored.first_row + row;
  const std::size_t first = static_cast<std::size_t>(packed_row / kNibblesPerWord) * groups;
  for (std::size_t g = 0; g < groups; ++g) {
    out->zero[g] = NibbleOf(WordAt(stored.zero, first + g), packed_row % kNibblesPerWord);
  }
}

// The packed nibbles of a row, as quant::Int4Matrix has them.
void CopyNibbles(const StoredMatrix& stored, int row, std::span<std::uint8_t> out) {
  const std::size_t stride = Words(stored.k) * sizeof(std::uint32_t);
  std::memcpy(out.data(), stored.values.data + static_cast<std::size_t>(row) * stride, out.size());
  // The upper half of the last byte belongs to no weight where K is odd.
  if (stored.k % 2 != 0) out.back() &= 15;
}

// Copies the matrix as it is; false where some row's scales have no two levels.
bool LoadExactly(const StoredMatrix& stored, quant::Int4Matrix* matrix) {
  // A row within one group has the same groups under either size.
  if (stored.group != quant::kInt4Group && stored.k > std::min(stored.group, quant::kInt4Group)) {
    return false;
  }
  RowGroups row_groups;
  const auto groups = static_cast<std::size_t>(Int4Groups(stored.k));
  const auto bytes = static_cast<std::size_t>(Int4RowBytes(stored.k));
  for (int row = 0; row < stored.n; ++row) {
    const auto r = static_cast<std::size_t>(row);
    ReadRowGroups(stored, row, &row_groups);
    if (!quant::TwoLevelFromGroupScales(
            row_groups.scale, &matrix->scale[r],
            std::span(matrix->group_scale).subspan(r * groups, groups))) {
      return false;
    }
    std::ranges::copy(row_groups.zero,
                      matrix->group_zero.begin() + static_cast<std::ptrdiff_t>(r * groups));
    CopyNibbles(stored, row, std::span(matrix->nibbles).subspan(r * bytes, bytes));
  }
  return true;
}

quant::Int4Matrix Sized(int n, int k) {
  const auto rows = static_cast<std::size_t>(n);
  const std::size_t groups = rows * static_cast<std::size_t>(Int4Groups(k));
  quant::Int4Matrix matrix{n, k, {}, {}, {}, {}};
  matrix.nibbles.resize(rows * static_cast<std::size_t>(Int4RowBytes(k)));
  matrix.group_scale.resize(groups);
  matrix.group_zero.resize(groups);
  matrix.scale.resize(rows);
  return matrix;
}

}  // namespace

void DequantizeInt4Row(const StoredMatrix& stored, int row, std::span<float> out) {
  HONE_CHECK(stored.kind == StoredKind::kInt4 && row >= 0 && row < stored.n &&
             out.size() == static_cast<std::size_t>(stored.k));
  RowGroups groups;
  ReadRowGroups(stored, row, &groups);
  const std::size_t first = static_cast<std::size_t>(row) * Words(stored.k);
  for (int k = 0; k < stored.k; ++k) {
    const std::uint32_t word =
        WordAt(stored.values, first + static_cast<std::size_t>(k / kNibblesPerWord));
    const auto g = static_cast<std::size_t>(k / stored.group);
    const int step = NibbleOf(word, k % kNibblesPerWord) - groups.zero[g];
    out[static_cast<std::size_t>(k)] = groups.scale[g] * static_cast<float>(step);
  }
}

base::StatusOr<LoadedInt4> LoadInt4(const StoredMatrix& stored) {
  HONE_CHECK(stored.kind == StoredKind::kInt4);
  std::vector<float> row(static_cast<std::size_t>(stored.scale.shape[1]));
  for (int n = 0; n < stored.n; ++n) {
    tensor::CopyToF32(stored.scale, static_cast<std::int64_t>(row.size()) * n, row);
    if (!std::ranges::all_of(row, [](float x) { return std::isfinite(x); })) {
      return base::BadInput("matrix \"", stored.name, "\": row ", stored.first_row + n,
                            " has a scale that is not finite");
    }
  }
  LoadedInt4 loaded{Sized(stored.n, stored.k), false};
  if (LoadExactly(stored, &loaded.matrix)) return loaded;
  loaded.requantized = true;
  const auto bytes = static_cast<std::size_t>(Int4RowBytes(stored.k));
  const auto groups = static_cast<std::size_t>(Int4Groups(stored.k));
  std::vector<float> weights(static_cast<std::size_t>(stored.k));
  for (int n = 0; n < stored.n; ++n) {
    const auto r = static_cast<std::size_t>(n);
    DequantizeInt4Row(stored, n, weights);
    // Of a finite scale too: times fifteen it may be none.
    if (!std::ranges::all_of(weights, [](float x) { return std::isfinite(x); })) {
      return base::BadInput("matrix \"", stored.name, "\": row ", stored.first_row + n,
                            " has a value that is not finite");
    }
    loaded.matrix.scale[r] =
        quant::QuantizeInt4Row(weights, std::span(loaded.matrix.nibbles).subspan(r * bytes, bytes),
                               std::span(loaded.matrix.group_scale).subspan(r * groups, groups),
                               std::span(loaded.matrix.group_zero).subspan(r * groups, groups));
  }
  return loaded;
}

PackedInt4 PackInt4(const quant::Int4Matrix& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.n);
  const auto groups = static_cast<std::size_t>(Int4Groups(matrix.k));
  const auto bytes = static_cast<std::size_t>(Int4RowBytes(matrix.k));
  const std::size_t words = Words(matrix.k);
  PackedInt4 packed;
  packed.values.assign(rows * words, 0);
  packed.scale.resize(rows * groups);
  packed.zero.assign(Words(matrix.n) * groups, 0);
  for (std::size_t n = 0; n < rows; ++n) {
    for (std::size_t b = 0; b < bytes; ++b) {
      packed.values[n * words + b / 4] |= static_cast<std::uint32_t>(matrix.nibbles[n * bytes + b])
                                          << (8 * (b % 4));
    }
    for (std::size_t g = 0; g < groups; ++g) {
      packed.scale[n * groups + g] =
          matrix.scale[n] * static_cast<float>(matrix.group_scale[n * groups + g]);
      packed.zero[n / kNibblesPerWord * groups + g] |=
          static_cast<std::uint32_t>(matrix.group_zero[n * groups + g])
          << (4 * (n % kNibblesPerWord));
    }
  }
  return packed;
}

}  // namespace hone::formats
