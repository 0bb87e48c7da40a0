// The products in f32, of f32 and of bf16 weights: one body for AVX2, AVX-512 and NEON.
//
// packed    panel after panel, [K][kTileColumns] f32 or bf16, columns beyond N zero
// prepared  the rows as f32, rounded to bf16 where the weights are; the distance of rows is an odd
//           number of cache lines, since rows a power of two apart would fall into one set of L1
// scratch   partial sums of kMaxChunkRows rows of a panel; for bf16, a block of the panel in f32
//
// Blocks, from the inside: a register tile; kBlockK steps of a panel, small enough to stay in L1
// while the tiles of a chunk of rows pass over it; a chunk of rows, small enough to stay in L2
// while all panels pass over it. Meanwhile the first tiles fetch the next block, which hides the
// latency of L3 where rows are few and the weights stream through once.
//
// bf16 weights are widened a block at a time, for all rows of a chunk; sums are f32. Where rows are
// few that costs little beside the weights' way from memory, half as long as that of f32.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/matmul/matmul.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul/float_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/activation/activation-inl.h"
#include "kernels/simd/f32_tile-inl.h"

#if HONE_LISTED_TARGET
HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

// A block of a panel is 36 KiB of AVX-512's 48, and 16 KiB of the 32 that cores with AVX2 have.
constexpr int kBlockK = kLanes == 16 ? 192 : 256;
constexpr int kMaxChunkRows = 192;
// Half of the L2 of the smallest cores that have the vectors (Zen 2 512 KiB, Skylake-SP 1 MiB).
constexpr std::size_t kChunkBytes = kLanes == 16 ? 512 << 10 : 256 << 10;

using BF16 = std::uint16_t;

template <class T>
std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kTileColumns)) * kTileColumns *
         static_cast<std::size_t>(k) * sizeof(T);
}

std::size_t PreparedBytes(int k) {
  const std::size_t lines = (static_cast<std::size_t>(k) * sizeof(float) + 63) / 64;
  return (lines | 1) * 64;
}

int ChunkRows(int k) {
  const int fit = static_cast<int>(kChunkBytes / PreparedBytes(k)) / kTileRows * kTileRows;
  return std::clamp(fit, 2 * kTileRows, kMaxChunkRows / kTileRows * kTileRows);
}

constexpr int kSumFloats = kMaxChunkRows * kTileColumns;

template <class T>
std::size_t ScratchBytes(int) {
  return sizeof(float) * (kSumFloats + (sizeof(T) == sizeof(float) ? 0 : kBlockK * kTileColumns));
}

template <class T>
void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  const auto k = static_cast<std::size_t>(weights.k);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    T* out = reinterpret_cast<T*>(packed) + static_cast<std::size_t>(panel) * k * kTileColumns;
    const int columns = std::min(kTileColumns, weights.n - panel * kTileColumns);
    // A line of each row at a time.
    constexpr std::size_t kLine = 64 / sizeof(T);
    for (std::size_t k0 = 0; k0 < k; k0 += kLine) {
      const std::size_t steps = std::min(kLine, k - k0);
      for (int j = 0; j < kTileColumns; ++j) {
        T line[kLine] = {};
        if (j < columns) {
          const std::byte* row = weights.row[static_cast<std::size_t>(panel * kTileColumns + j)];
          std::memcpy(line, row + k0 * sizeof(T), steps * sizeof(T));
        }
        for (std::size_t i = 0; i < steps; ++i) out[(k0 + i) * kTileColumns + j] = line[i];
      }
    }
  }
}

// To the nearest bf16, ties to even. Of a NaN only the quiet bit may have to be set.
HWY_INLINE F32V RoundToBF16(F32V v) {
  const hn::RebindToUnsigned<F32> u;
  const auto bits = hn::BitCast(u, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(u, 1));
  const auto up = hn::Add(bits, hn::Add(odd, hn::Set(u, 0x7FFF)));
  const auto nan = hn::Or(bits, hn::Set(u, 0x400000));
  const auto is_nan = hn::RebindMask(u, hn::IsNaN(v));
  const auto rounded = hn::IfThenElse(is_nan, nan, up);
  return hn::BitCast(F32(), hn::And(rounded, hn::Set(u, 0xFFFF0000)));
}

template <class T>
void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    auto* out = reinterpret_cast<float*>(prepared);
    if constexpr (sizeof(T) == sizeof(float)) {
      std::memcpy(out, x, static_cast<std::size_t>(k) * sizeof(float));
    } else {
      MapVectors(x, k, out, [](F32V v, int) HWY_ATTR { return RoundToBF16(v); });
    }
  }
}

// One vector of sums on its way out; i counts columns of C from `column`.
template <Activation kActivation>
HWY_INLINE F32V Finish(F32V v, const float* bias, const float* residual, int i, int columns) {
  if (bias != nullptr) v = hn::Add(v, LoadWithin(bias, i, columns));
  v = Activated<kActivation>(v);
  if (residual != nullptr) v = hn::Add(v, LoadWithin(residual, i, columns));
  return v;
}

// sums [rows][kTileColumns] → C, columns [column, column + columns).
struct Output {
  const Epilogue* epilogue;
  int column, columns;
  float* c;
  std::ptrdiff_t c_stride;
  int row;  // the first row's number
};

// Rows of C lie thousands of bytes apart, where no hardware looks ahead.
constexpr int kRowsAhead = 8;

template <Activation kActivation>
void StoreRows(const float* sums, int rows, const Output& o) {
  const Epilogue& e = *o.epilogue;
  const float* bias = e.bias == nullptr ? nullptr : e.bias + o.column;
  for (int r = 0; r < rows; ++r, sums += kTileColumns) {
    float* c = o.c + (o.row + r) * o.c_stride + o.column;
    const float* residual =
        e.residual == nullptr ? nullptr : e.residual + (o.row + r) * e.residual_stride + o.column;
    for (int i = 0; i < o.columns; i += 64 / static_cast<int>(sizeof(float))) {
      __builtin_prefetch(c + kRowsAhead * o.c_stride + i);
    }
    for (int i = 0; i < o.columns; i += kLanes) {
      const F32V v = Finish<kActivation>(hn::Load(F32(), sums + i), bias, residual, i, o.columns);
      if (i + kLanes <= o.columns) {
        hn::StoreU(v, F32(), c + i);
      } else {
        StoreFirst(v, c + i, o.columns - i);
      }
    }
  }
}

void StoreActivated(const float* sums, int rows, const Output& o) {
  switch (o.epilogue->activation) {
    case Activation::kNone: return StoreRows<Activation::kNone>(sums, rows, o);
    case Activation::kGelu: return StoreRows<Activation::kGelu>(sums, rows, o);
    case Activation::kGeluTanh: return StoreRows<Activation::kGeluTanh>(sums, rows, o);
    case Activation::kRelu: return StoreRows<Activation::kRelu>(sums, rows, o);
    case Activation::kSilu: return StoreRows<Activation::kSilu>(sums, rows, o);
    case Activation::kTanh: return StoreRows<Activation::kTanh>(sums, rows, o);
  }
}

// The block itself, or its f32 values in `widened`.
HWY_INLINE const float* Widen(const float* block, int, float*) {
  return block;
}
HWY_INLINE const float* Widen(const BF16* block, int n, float* widened) {
  const hn::RebindToUnsigned<F32> u;
  const hn::Rebind<std::uint16_t, decltype(u)> half;
  for (int i = 0; i < n; i += kLanes) {
    const auto bits = hn::ShiftLeft<16>(hn::PromoteTo(u, hn::LoadU(half, block + i)));
    hn::Store(hn::BitCast(F32(), bits), F32(), widened + i);
  }
  return widened;
}

// A chunk of rows times one panel, into sums. `after` is what follows the panel's last block.
template <class T>
void MultiplyPanel(const float* a, std::ptrdiff_t a_stride, int rows, const T* panel, int k,
                   const T* after, float* sums, float* widened) {
  const RowBlocks blocks(rows);
  for (int k0 = 0; k0 < k; k0 += kBlockK) {
    const int steps = std::min(kBlockK, k - k0);
    const T* block = panel + k0 * kTileColumns;
    const float* b = Widen(block, steps * kTileColumns, widened);
    // The next block is fetched by the first tiles of this one, a part of its lines by each: one line a step,
    // the first two where there are fewer tiles than parts.
    const T* next = k0 + kBlockK < k ? block + kBlockK * kTileColumns : after;
    constexpr int kLines = HWY_MAX(1, kTileColumns * static_cast<int>(sizeof(T)) / 64);
    constexpr int kLine = 64 / static_cast<int>(sizeof(T));
    const bool few = blocks.count < kLines;
    for (int i = 0; i < blocks.count; ++i) {
      const int row = blocks.begin(i);
      TileArgs tile{a + row * a_stride + k0,   a_stride,     b,       kTileColumns, steps,
                    sums + row * kTileColumns, kTileColumns, k0 != 0, nullptr};
      tile.prefetch = next + (few && i > 0 ? i + 1 : i) * steps * kLine;
      if (i == 0 && blocks.count == 1) {
        TileOfRows<kTileVectors, kLines>(blocks.size(i), tile);
      } else if (i == 0 && few) {
        TileOfRows<kTileVectors, 2>(blocks.size(i), tile);
      } else if (i < kLines) {
        TileOfRows<kTileVectors, 1>(blocks.size(i), tile);
      } else {
        TileOfRows<kTileVectors, 0>(blocks.size(i), tile);
      }
    }
  }
}

template <class T>
void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch, const Upcoming& next) {
  const auto* b = reinterpret_cast<const T*>(packed);
  const auto* a = reinterpret_cast<const float*>(prepared);
  const auto a_stride = static_cast<std::ptrdiff_t>(PreparedBytes(k) / sizeof(float));
  auto* sums = reinterpret_cast<float*>(scratch);
  const int chunk = ChunkRows(k);
  for (int row = 0; row < rows; row += chunk) {
    const int chunk_rows = std::min(chunk, rows - row);
    for (int panel = panel_begin; panel < panel_end; ++panel) {
      const int column = panel * kTileColumns;
      const auto panel_at = [&](int i) { return b + std::ptrdiff_t{i} * kTileColumns * k; };
      const T* after = panel_at(panel + 1);
      if (panel + 1 == panel_end) {
        after = row + chunk >= rows && next.begin != nullptr
                    ? reinterpret_cast<const T*>(next.begin)
                    : panel_at(panel_begin);
      }
      MultiplyPanel(a + row * a_stride, a_stride, chunk_rows, panel_at(panel), k, after, sums,
                    sums + kSumFloats);
      StoreActivated(sums, chunk_rows,
                     {&epilogue, column, std::min(kTileColumns, n - column), c, c_stride, row});
    }
  }
}

}  // namespace

template <class T>
constexpr MatMulKernel FloatMatMul(std::string_view name, base::Isa isa,
                                   std::string_view instruction) {
  return {name,
          sizeof(T) == sizeof(float) ? quant::Format::kF32 : quant::Format::kBF16,
          isa,
          kTileRows,
          kTileColumns,
          instruction,
          PackedBytes<T>,
          PreparedBytes,
          Pack<T>,
          Prepare<T>,
          Multiply<T>,
          ScratchBytes<T>};
}

}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();
#endif  // HONE_LISTED_TARGET

#if HWY_ONCE
namespace hone::kernels {

using BF16 = std::uint16_t;

#if HWY_ARCH_X86
extern constinit const MatMulKernel kF32Avx512 =
    N_AVX3::FloatMatMul<float>("f32_avx512", base::Isa::kAvx512, "vfmadd231ps zmm");
extern constinit const MatMulKernel kF32Avx2 =
    N_AVX2::FloatMatMul<float>("f32_avx2", base::Isa::kAvx2, "vfmadd231ps ymm");
extern constinit const MatMulKernel kBF16Avx512 =
    N_AVX3::FloatMatMul<BF16>("bf16_avx512", base::Isa::kAvx512, "vfmadd231ps zmm");
extern constinit const MatMulKernel kBF16Avx2 =
    N_AVX2::FloatMatMul<BF16>("bf16_avx2", base::Isa::kAvx2, "vfmadd231ps ymm");
#elif HWY_ARCH_ARM_A64
extern constinit const MatMulKernel kF32Neon =
    N_NEON::FloatMatMul<float>("f32_neon", base::Isa::kNeon, "fmla");
extern constinit const MatMulKernel kBF16Neon =
    N_NEON::FloatMatMul<BF16>("bf16_neon", base::Isa::kNeon, "fmla");
#endif

}  // namespace hone::kernels
#endif
