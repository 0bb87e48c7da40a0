// Attention in f32: one body for AVX2, AVX-512 and NEON.
//
// prepared  k as panels [K][kTileColumns] of consecutive keys, then v as [T][V], V = K rounded up
//           to a vector. Both are copies: rows of the fused QKV matrix lie a page apart, one TLB
//           entry each.
// scratch   one tile of queries [kTileRows][K], scaled, and their scores [kTileRows][tokens]
//
// A tile of queries keeps the scores of its whole sequence (8 × 384 × 4 = 12 KiB), so the maximum
// is known before the first exponential, and nothing is ever rescaled. Scores are in units of log2:
// the queries carry scale · log2 e, which turns e^x into 2^x for free.
#include <algorithm>
#include <cstring>

#include "kernels/attention/attention.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention/f32_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/exp-inl.h"
#include "kernels/simd/f32_tile-inl.h"

#if HONE_LISTED_TARGET
HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int RoundUp(int n, int multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Distances of rows, in floats. An odd number of cache lines: see f32_hwy.cc of the matrix product.
constexpr int ScoreStride(int tokens) {
  return RoundUp(RoundUp(tokens, kTileColumns), 16) | 16;
}
constexpr int QueryStride(int head_size) {
  return RoundUp(head_size, 16) | 16;
}
constexpr int ValueStride(int head_size) {
  return RoundUp(head_size, kLanes);
}

std::size_t KeyFloats(int tokens, int head_size) {
  return static_cast<std::size_t>(RoundUp(RoundUp(tokens, kTileColumns) * head_size, 16));
}

std::size_t ScratchBytes(int tokens, int head_size) {
  return sizeof(float) * kTileRows *
         static_cast<std::size_t>(QueryStride(head_size) + ScoreStride(tokens));
}

std::size_t PreparedBytes(int tokens, int head_size) {
  return sizeof(float) *
         (KeyFloats(tokens, head_size) + static_cast<std::size_t>(tokens) * ValueStride(head_size));
}

void Prepare(const AttentionArgs& args, std::byte* prepared) {
  const int size = args.head_size;
  auto* keys = reinterpret_cast<float*>(prepared);
  for (int s0 = 0; s0 < args.tokens; s0 += kTileColumns, keys += kTileColumns * size) {
    // A column a key; of the last panel only the vectors that hold any.
    const int count = std::min(kTileColumns, args.tokens - s0);
    for (int j = 0; j < RoundUp(count, kLanes); ++j) {
      const float* k = args.k + (s0 + std::min(j, count - 1)) * args.stride;
      for (int i = 0; i < size; ++i) keys[i * kTileColumns + j] = j < count ? k[i] : 0.0f;
    }
  }
  auto* values = reinterpret_cast<float*>(prepared) + KeyFloats(args.tokens, size);
  const int stride = ValueStride(size);
  for (int s = 0; s < args.tokens; ++s, values += stride) {
    std::memcpy(values, args.v + s * args.stride, static_cast<std::size_t>(size) * sizeof(float));
    std::fill(values + size, values + stride, 0.0f);
  }
}

// The first `vectors` of a tile's columns.
HWY_INLINE void TileOfVectors(int vectors, int rows, const TileArgs& tile) {
  if (vectors == 1) return TileOfRows<1, 0>(rows, tile);
  if (vectors == 2) return TileOfRows<HWY_MIN(2, kTileVectors), 0>(rows, tile);
  return TileOfRows<kTileVectors, 0>(rows, tile);
}

// A tile of queries, and the keys that any of them sees: [begin, end), begin at a panel.
struct QueryTile {
  int query, rows, begin, end, score_stride;
  float* q;
  float* scores;  // row r, key s at r·score_stride + s - begin
};

void Scores(const AttentionArgs& args, const float* keys, const QueryTile& t) {
  const float factor = args.scale * kLog2E;
  const int stride = QueryStride(args.head_size);
  for (int r = 0; r < t.rows; ++r) {
    const float* q = args.q + (t.query + r) * args.stride;
    MapVectors(q, args.head_size, t.q + r * stride,
               [&](F32V v, int) HWY_ATTR { return hn::Mul(v, hn::Set(F32(), factor)); });
  }
  for (int s = t.begin; s < t.end; s += kTileColumns) {
    const TileArgs tile{t.q,
                        stride,
                        keys + static_cast<std::ptrdiff_t>(s) * args.head_size,
                        kTileColumns,
                        args.head_size,
                        t.scores + (s - t.begin),
                        t.score_stride,
                        false,
                        nullptr};
    TileOfVectors((std::min(kTileColumns, t.end - s) + kLanes - 1) / kLanes, t.rows, tile);
  }
}

// Scores of one query → their exponentials, relative to the largest; returns the sum of these.
// Lanes are keys by their absolute number, begin being a multiple of the panel: what lies outside
// the query's own range adds zeros to them, so the sum is the same bits in any tile.
HWY_INLINE float Exponentials(const AttentionArgs& args, const QueryTile& t, int query, float* p) {
  const F32 d;
  const int first = args.window < 0 ? 0 : std::max(t.begin, query - args.window);
  const int last =
      args.window < 0 || args.window >= t.end - query ? t.end : query + args.window + 1;
  const int padded = RoundUp(t.end - t.begin, kTileColumns);
  if (args.relative_bias != nullptr) {
    const float* bias = args.relative_bias + (t.begin - query);
    MapVectors(p, t.end - t.begin, p, [&](F32V v, int i) HWY_ATTR {
      return hn::MulAdd(LoadWithin(bias, i, t.end - t.begin), hn::Set(d, kLog2E), v);
    });
  }
  std::fill(p, p + std::max(first - t.begin, 0), -HUGE_VALF);
  std::fill(p + (last - t.begin), p + padded, -HUGE_VALF);

  F32V largest[kTileVectors], sum[kTileVectors];
  for (int j = 0; j < kTileVectors; ++j) {
    largest[j] = hn::Load(d, p + j * kLanes);
    sum[j] = hn::Zero(d);
  }
  for (int i = kTileColumns; i < padded; i += kTileColumns) {
    for (int j = 0; j < kTileVectors; ++j) {
      largest[j] = hn::Max(largest[j], hn::Load(d, p + i + j * kLanes));
    }
  }
  for (int j = 1; j < kTileVectors; ++j) largest[0] = hn::Max(largest[0], largest[j]);
  const F32V peak = hn::MaxOfLanes(d, largest[0]);
  for (int i = 0; i < padded; i += kTileColumns) {
    for (int j = 0; j < kTileVectors; ++j) {
      const F32V e = Exp2OfNegative(hn::Sub(hn::Load(d, p + i + j * kLanes), peak));
      hn::Store(e, d, p + i + j * kLanes);
      sum[j] = hn::Add(sum[j], e);
    }
  }
  for (int j = 1; j < kTileVectors; ++j) sum[0] = hn::Add(sum[0], sum[j]);
  return SumLanes(sum[0]);
}

// out = p·v / sum. A query's row of `t.q` is done with and takes the product.
void Values(const AttentionArgs& args, const float* values, const QueryTile& t, const float* sum) {
  const int stride = ValueStride(args.head_size), q_stride = QueryStride(args.head_size);
  const int vectors = stride / kLanes, passes = (vectors + kTileVectors - 1) / kTileVectors;
  TileArgs tile{t.scores, t.score_stride, nullptr, stride, t.end - t.begin,
                nullptr,  q_stride,       false,   nullptr};
  for (int pass = 0; pass < passes; ++pass) {
    const int begin = vectors * pass / passes, end = vectors * (pass + 1) / passes;
    tile.b = values + static_cast<std::ptrdiff_t>(t.begin) * stride + begin * kLanes;
    tile.out = t.q + begin * kLanes;
    TileOfVectors(end - begin, t.rows, tile);
  }
  for (int r = 0; r < t.rows; ++r) {
    const F32V factor = hn::Set(F32(), 1.0f / sum[r]);
    MapVectors(t.q + r * q_stride, args.head_size, args.out + (t.query + r) * args.out_stride,
               [&](F32V v, int) HWY_ATTR { return hn::Mul(v, factor); });
  }
}

void Attend(const AttentionArgs& args, const std::byte* prepared, int query_begin, int query_end,
            std::byte* scratch) {
  const auto* keys = reinterpret_cast<const float*>(prepared);
  const float* values = keys + KeyFloats(args.tokens, args.head_size);
  QueryTile tile{};
  tile.q = reinterpret_cast<float*>(scratch);
  tile.scores = tile.q + kTileRows * QueryStride(args.head_size);
  tile.score_stride = ScoreStride(args.tokens);
  const RowBlocks blocks(query_end - query_begin);
  for (int i = 0; i < blocks.count; ++i) {
    tile.query = query_begin + blocks.begin(i);
    tile.rows = blocks.size(i);
    tile.begin = 0;
    tile.end = args.tokens;
    if (args.window >= 0) {
      tile.begin = std::max(0, tile.query - args.window) / kTileColumns * kTileColumns;
      tile.end =
          std::min<long>(args.tokens, static_cast<long>(tile.query) + tile.rows + args.window);
    }
    Scores(args, keys, tile);
    float sum[kTileRows];
    for (int r = 0; r < tile.rows; ++r) {
      sum[r] = Exponentials(args, tile, tile.query + r, tile.scores + r * tile.score_stride);
    }
    Values(args, values, tile, sum);
  }
}

}  // namespace

constexpr AttentionKernel F32Attention(std::string_view name, base::Isa isa) {
  return {name, isa, AttentionPrecision::kF32, ScratchBytes, PreparedBytes, Prepare, Attend};
}

}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();
#endif  // HONE_LISTED_TARGET

#if HWY_ONCE
namespace hone::kernels {

#if HWY_ARCH_X86
extern constinit const AttentionKernel kAttentionF32Avx512 =
    N_AVX3::F32Attention("attention_f32_avx512", base::Isa::kAvx512);
extern constinit const AttentionKernel kAttentionF32Avx2 =
    N_AVX2::F32Attention("attention_f32_avx2", base::Isa::kAvx2);
#elif HWY_ARCH_ARM_A64
extern constinit const AttentionKernel kAttentionF32Neon =
    N_NEON::F32Attention("attention_f32_neon", base::Isa::kNeon);
#endif

}  // namespace hone::kernels
#endif
