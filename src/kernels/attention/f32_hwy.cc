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
#include <cmath>
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

// The rows of q, k and v lie pages apart: no hardware fetches the next, and each costs a miss.
HWY_INLINE void FetchRow(const float* row, int size) {
  for (int i = 0; i < size; i += 64 / static_cast<int>(sizeof(float))) __builtin_prefetch(row + i);
}

constexpr int kFetchAhead = 8;  // rows

// Four channels, from `k`, of kLanes keys: out[c·kTileColumns + j] = k[j·stride + c]. Keys past
// `count` repeat the last; their scores are hidden.
//
// A vector takes channels of every fourth key, block of 128 bits by block, so that transposing
// within blocks, 4 × 4, puts the keys in order.
HWY_INLINE void TransposeFour(const float* k, std::ptrdiff_t stride, int count, float* out) {
  const F32 d;
  const hn::RepartitionToWide<F32> pairs;
  const auto at = [&](int j) { return k + std::min(j, count - 1) * stride; };
  F32V row[4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    row[r] = hn::LoadDup128(d, at(r));
#pragma GCC unroll 4
    for (int block = 4; block < kLanes; block += 4) {
      const auto below = hn::FirstN(d, static_cast<std::size_t>(block));
      row[r] = hn::IfThenElse(below, row[r], hn::LoadDup128(d, at(block + r)));
    }
  }
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row[0], row[1]));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row[2], row[3]));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row[0], row[1]));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row[2], row[3]));
  hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, out);
  hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, out + kTileColumns);
  hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, out + 2 * kTileColumns);
  hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, out + 3 * kTileColumns);
}

// A column a key; of the last panel only the vectors that hold any.
void PrepareKeys(const AttentionArgs& args, float* keys) {
  const int size = args.head_size;
  for (int s0 = 0; s0 < args.tokens; s0 += kTileColumns, keys += kTileColumns * size) {
    for (int j = 0; j < kTileColumns && s0 + j < args.tokens; j += kLanes) {
      const int count = std::min(kLanes, args.tokens - s0 - j);
      const float* k = args.k + (s0 + j) * args.stride;
      for (int next = kLanes; next < 2 * kLanes && s0 + j + next < args.tokens; ++next) {
        FetchRow(k + next * args.stride, size);
      }
      int i = 0;
      for (; i + 4 <= size; i += 4) {
        TransposeFour(k + i, args.stride, count, keys + i * kTileColumns + j);
      }
      for (; i < size; ++i) {
        for (int lane = 0; lane < kLanes; ++lane) {
          keys[i * kTileColumns + j + lane] = k[std::min(lane, count - 1) * args.stride + i];
        }
      }
    }
  }
}

void Prepare(const AttentionArgs& args, std::byte* prepared) {
  const int size = args.head_size;
  auto* keys = reinterpret_cast<float*>(prepared);
  PrepareKeys(args, keys);
  float* values = keys + KeyFloats(args.tokens, size);
  const int stride = ValueStride(size);
  for (int s = 0; s < args.tokens; ++s, values += stride) {
    const float* v = args.v + s * args.stride;
    if (s + kFetchAhead < args.tokens) FetchRow(v + kFetchAhead * args.stride, size);
    for (int i = 0; i < size; i += kLanes) hn::Store(LoadWithin(v, i, size), F32(), values + i);
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

// Scores of one query: adds the bias, hides what it does not see, and returns the largest.
HWY_INLINE F32V LargestScore(const AttentionArgs& args, const QueryTile& t, int query, float* p) {
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
  F32V largest[kTileVectors];
#pragma GCC unroll 8
  for (int j = 0; j < kTileVectors; ++j) largest[j] = hn::Load(d, p + j * kLanes);
  for (int i = kTileColumns; i < padded; i += kTileColumns) {
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j) {
      largest[j] = hn::Max(largest[j], hn::Load(d, p + i + j * kLanes));
    }
  }
#pragma GCC unroll 8
  for (int j = 1; j < kTileVectors; ++j) largest[0] = hn::Max(largest[0], largest[j]);
  return hn::MaxOfLanes(d, largest[0]);
}

// Scores → their exponentials, relative to each query's largest; their sums. Lanes are keys by
// their absolute number, begin being a multiple of the panel: what lies outside a query's own range
// adds zeros to them, so the sum is the same bits in any tile.
//
// All maxima come first: reducing a vector is a chain of shuffles, which then overlaps those of the
// other queries instead of standing before each query's exponentials.
HWY_INLINE void Exponentials(const AttentionArgs& args, const QueryTile& t, float* sums) {
  const F32 d;
  HWY_ALIGN float peaks[kTileRows * kLanes];
  for (int r = 0; r < t.rows; ++r) {
    float* p = t.scores + r * t.score_stride;
    hn::Store(LargestScore(args, t, t.query + r, p), d, peaks + r * kLanes);
  }
  const int padded = RoundUp(t.end - t.begin, kTileColumns);
  for (int r = 0; r < t.rows; ++r) {
    const F32V peak = hn::Load(d, peaks + r * kLanes);
    float* p = t.scores + r * t.score_stride;
    F32V sum[kTileVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j) sum[j] = hn::Zero(d);
    for (int i = 0; i < padded; i += kTileColumns) {
#pragma GCC unroll 8
      for (int j = 0; j < kTileVectors; ++j) {
        const F32V e = Exp2OfNegative(hn::Sub(hn::Load(d, p + i + j * kLanes), peak));
        hn::Store(e, d, p + i + j * kLanes);
        sum[j] = hn::Add(sum[j], e);
      }
    }
#pragma GCC unroll 8
    for (int j = 1; j < kTileVectors; ++j) sum[0] = hn::Add(sum[0], sum[j]);
    hn::Store(sum[0], d, peaks + r * kLanes);
  }
  for (int r = 0; r < t.rows; ++r) sums[r] = SumLanes(hn::Load(d, peaks + r * kLanes));
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
    Exponentials(args, tile, sum);
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
