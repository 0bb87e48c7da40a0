// Attention in integers: the body that reduced8_*.cc and reduced16_*.cc include, each with a struct
// V of its vectors, formats and instructions.
//
//   scores         q and k as 8 or 16-bit integers with one scale a token. The mean of all keys is
//                  taken from each first, since it shifts a query's scores all alike, which softmax
//                  does not see, and often is the larger part of a key.
//   probabilities  relative to the largest, 0 … 127, 255 or 8192, and their sum as the integers
//                  they became
//   values         -63 … 63, -127 … 127 or -511 … 511 with one scale a channel
//
// prepared  reduced_prepare-inl.h
// scratch   of one tile of queries: scores f32 [panel][kRows][kKeys], where the probabilities of a
//           row and panel take the place of its scores; sums f32 [kRows][V]; words
//           [kRows][kQueryStride]. Rows lie at constant distances, since kRows pointers would not
//           fit the registers.
//
// Not finite: a NaN or infinity in q or v comes out where the reference shows it; one in k makes
// all of the head NaN.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>

#include "kernels/attention/reduced_prepare-inl.h"

// The kernel's entry of the list; in hone::kernels, behind the target region.
#define HONE_REDUCED_ATTENTION(symbol, name, isa, precision) \
  extern constinit const AttentionKernel symbol = {          \
      name, isa, precision, ScratchBytes, PreparedBytes, Prepare, Attend, kMaxHeadSize}

namespace hone::kernels {
namespace {

// A tile of queries and the keys that any of them sees: [begin, end), begin at a panel.
struct QueryTile {
  int query, begin, end;
  int next;            // queries of the tile behind it
  float scale[kRows];  // of the scores, in units of log2
  float total[kRows];  // the sum of the probabilities
  std::int32_t* q;
  float* out;
  float* scores;  // from key begin
};

// The two products have the same loops twice: as a function, GCC 12 keeps its sums in memory.
template <int kR>
HONE_NOINLINE void Scores(const Shape& shape, const std::int32_t* prepared, const QueryTile& t) {
  const auto* scale = reinterpret_cast<const float*>(prepared + shape.key_scales());
  const std::int32_t* correction = prepared + shape.corrections();
  float* out = t.scores;
  for (int s = t.begin; s < t.end; s += kKeys, out += kPanelStride) {
    I sum[kR][2];
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      sum[r][0] = V::LoadI(correction + s);
      sum[r][1] = V::LoadI(correction + s + kLanes);
    }
    const std::int32_t* k = prepared + s * shape.groups;
    for (int i = 0; i < shape.groups; i += kAtOnce, k += kAtOnce * kKeys) {
      I k0[kAtOnce], k1[kAtOnce];
      HONE_UNROLL for (int a = 0; a < kAtOnce; ++a) {
        k0[a] = V::LoadI(k + a * kKeys);
        k1[a] = V::LoadI(k + a * kKeys + kLanes);
      }
      HONE_UNROLL for (int r = 0; r < kR; ++r) {
        I q[kAtOnce];
        HONE_UNROLL for (int a = 0; a < kAtOnce; ++a) {
          q[a] = V::SetI(t.q[r * kQueryStride + i + a]);
        }
        sum[r][0] = V::DotKeys(sum[r][0], q, k0);
        sum[r][1] = V::DotKeys(sum[r][1], q, k1);
      }
    }
    const F scale0 = V::LoadU(scale + s), scale1 = V::LoadU(scale + s + kLanes);
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      V::StoreU(V::Mul(V::ToFloat(sum[r][0]), scale0), out + r * kKeys);
      V::StoreU(V::Mul(V::ToFloat(sum[r][1]), scale1), out + r * kKeys + kLanes);
    }
  }
}

// A row's scores by panels: key i, counted from the tile's first, is at At(i).
struct ScoreRow {
  float* first;
  float* At(int i) const { return first + i / kKeys * kPanelStride + i % kKeys; }
};

// -inf, zeros, -inf, of a panel's length each: added at an offset, it hides the keys at either end.
struct HidingMask {
  constexpr HidingMask() {
    for (int i = 0; i < kKeys; ++i) value[i] = value[2 * kKeys + i] = -HUGE_VALF;
  }
  alignas(64) float value[3 * kKeys] = {};
};
inline constexpr HidingMask kHidingMask;

// Of a row's `keys` scores, only [begin, end) stay visible.
inline void Hide(ScoreRow row, int begin, int end, int keys) {
  const auto add = [&](int panel, const float* mask) {
    float* p = row.At(panel * kKeys);
    V::StoreU(V::Add(V::LoadU(p), V::LoadU(mask)), p);
    V::StoreU(V::Add(V::LoadU(p + kLanes), V::LoadU(mask + kLanes)), p + kLanes);
  };
  for (int panel = 0; panel * kKeys < begin; ++panel) {
    add(panel, kHidingMask.value + kKeys - std::min(begin - panel * kKeys, kKeys));
  }
  for (int panel = end / kKeys; panel * kKeys < keys; ++panel) {
    add(panel, kHidingMask.value + 2 * kKeys - std::max(end - panel * kKeys, 0));
  }
}

// What is added to probabilities before 8 bits round them, again after 32 keys: spread evenly over almost
// ±½, neighbours far apart. Of many small ones, each of which alone would round to zero, the sum so
// keeps its share. The largest still rounds to the largest, and what is hidden to zero.
inline constexpr int kDitherKeys = 32;
struct Dither {
  constexpr Dither() {
    for (int i = 0; i < kDitherKeys; ++i) {
      int reversed = 0;
      for (int bit = 1; bit < kDitherKeys; bit *= 2) {
        reversed = 2 * reversed + ((i & bit) != 0 ? 1 : 0);
      }
      value[i] = ((static_cast<float>(reversed) + 0.5f) / kDitherKeys - 0.5f) * 0.97f;
    }
  }
  alignas(64) float value[kDitherKeys] = {};
};
inline constexpr Dither kDither;

// log2 of what the largest probability becomes.
static_assert(V::kProbabilityMax == 127 || V::kProbabilityMax == 255 || V::kProbabilityMax == 8192);
inline constexpr float kProbabilityLog2 = V::kProbabilityMax == 127   ? 6.98868469f
                                          : V::kProbabilityMax == 255 ? 7.99435344f
                                                                      : 13.0f;

// Applies the bias, which gives the scores the unit of log2.
inline void AddBias(const float* bias, int count, float scale, ScoreRow row) {
  int i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const F b = V::Mul(V::LoadU(bias + i), V::Set(kLog2E));
    V::StoreU(V::MulAdd(V::LoadU(row.At(i)), V::Set(scale), b), row.At(i));
  }
  for (; i < count; ++i) *row.At(i) = *row.At(i) * scale + bias[i] * kLog2E;
}

// The sum of `keys` probabilities from those of the lanes, which stay below 2^31 for a million keys where
// all of them together do for 2^18 (16 bits).
inline float TotalOf(I lanes, int keys) {
  if (keys <= std::numeric_limits<std::int32_t>::max() / V::kProbabilityMax) {
    return static_cast<float>(V::SumI(lanes));
  }
  alignas(64) std::int32_t sums[kLanes];
  V::StoreI(lanes, sums);
  return static_cast<float>(std::accumulate(sums, sums + kLanes, std::int64_t{0}));
}

// One row of scores: adds the bias, hides what the query does not see, and returns the largest. `scale` is that
// of the row, or 1 where the bias has changed the unit of the scores.
inline float LargestScore(const AttentionArgs& args, const QueryTile& t, int r, float* scale) {
  const int query = t.query + r, window = args.window;
  const int first = window < 0 ? t.begin : std::max(t.begin, query - window);
  const int last = window < 0 || window >= t.end - query ? t.end : query + window + 1;
  const int padded = RoundUp(t.end - t.begin, kKeys);
  const ScoreRow row{t.scores + r * kKeys};
  *scale = t.scale[r];
  if (args.relative_bias != nullptr) {
    AddBias(args.relative_bias + (t.begin - query), t.end - t.begin, *scale, row);
    *scale = 1.0f;
  }
  Hide(row, first - t.begin, last - t.begin, padded);
  const float* end = row.At(padded);
  F largest0 = V::LoadU(row.first), largest1 = V::LoadU(row.first + kLanes);
  for (const float* p = row.first + kPanelStride; p < end; p += kPanelStride) {
    largest0 = V::Max(largest0, V::LoadU(p));
    largest1 = V::Max(largest1, V::LoadU(p + kLanes));
  }
  return V::Largest(V::Max(largest0, largest1));
}

// Scores of the tile's first `rows` rows → probabilities as integers, in their place, and their sums.
//
// All maxima come first: reducing a vector is a chain of shuffles, which then overlaps those of the other rows
// instead of standing before each row's exponentials. So do the sums at the end.
HONE_NOINLINE inline void Probabilities(const AttentionArgs& args, QueryTile& t, int rows) {
  float factor[kRows], offset[kRows];
  for (int r = 0; r < rows; ++r) {
    const float largest = LargestScore(args, t, r, &factor[r]);
    offset[r] = kProbabilityLog2 - largest * factor[r];
  }
  const int padded = RoundUp(t.end - t.begin, kKeys);
  I total[kRows];
  for (int r = 0; r < rows; ++r) {
    const ScoreRow row{t.scores + r * kKeys};
    const F row_factor = V::Set(factor[r]), row_offset = V::Set(offset[r]);
    const float* end = row.At(padded);
    int key = t.begin;
    I sum = V::SetI(0);
    for (float* p = row.first; p < end; p += kPanelStride) {
      F p0 = V::Exp2(V::MulAdd(V::LoadU(p), row_factor, row_offset));
      F p1 = V::Exp2(V::MulAdd(V::LoadU(p + kLanes), row_factor, row_offset));
      if constexpr (V::kValueBits == 8) {
        const float* dither = kDither.value + key % kDitherKeys;
        p0 = V::Add(p0, V::LoadU(dither));
        p1 = V::Add(p1, V::LoadU(dither + kLanes));
        key += kKeys;
      }
      const I i0 = V::Round(p0), i1 = V::Round(p1);
      sum = V::AddI(sum, V::AddI(i0, i1));
      V::StorePacked(i0, i1, reinterpret_cast<std::int32_t*>(p));
    }
    total[r] = sum;
  }
  for (int r = 0; r < rows; ++r) t.total[r] = TotalOf(total[r], padded);
}

// Sums over chunks of kChunkKeys keys, counted from key 0, so that none overflows.
template <int kR, int kN>
HONE_NOINLINE void Values(const Shape& shape, const std::int32_t* values, const QueryTile& t,
                          int channel) {
  const auto* p = reinterpret_cast<const std::int32_t*>(t.scores);
  const std::int32_t* v = values + t.begin / kValueGroup * shape.channels + channel;
  for (int s = t.begin; s < t.end;) {
    const int end = std::min(RoundUp(t.end, kKeys), (s / kChunkKeys + 1) * kChunkKeys);
    const bool first = s == t.begin;
    I sum[kR][kN];
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      HONE_UNROLL for (int j = 0; j < kN; ++j) sum[r][j] = V::SetI(0);
    }
    for (; s < end; s += kKeys, p += kPanelStride) {
      for (int i = 0; i < kKeys / kValueGroup; i += kAtOnce, v += kAtOnce * shape.channels) {
        I vi[kN][kAtOnce];
        HONE_UNROLL for (int j = 0; j < kN; ++j) {
          HONE_UNROLL for (int a = 0; a < kAtOnce; ++a) {
            vi[j][a] = V::LoadI(v + a * shape.channels + j * kLanes);
          }
        }
        HONE_UNROLL for (int r = 0; r < kR; ++r) {
          I pi[kAtOnce];
          HONE_UNROLL for (int a = 0; a < kAtOnce; ++a) pi[a] = V::SetI(p[r * kKeys + i + a]);
          HONE_UNROLL for (int j = 0; j < kN; ++j) sum[r][j] = V::DotValues(sum[r][j], pi, vi[j]);
        }
      }
    }
    float* out = t.out + channel;
    HONE_UNROLL for (int r = 0; r < kR; ++r, out += shape.channels) {
      HONE_UNROLL for (int j = 0; j < kN; ++j) {
        const F add = V::ToFloat(sum[r][j]);
        V::StoreU(first ? add : V::Add(V::LoadU(out + j * kLanes), add), out + j * kLanes);
      }
    }
  }
}

inline void StoreRow(const float* sums, const float* scale, float factor, int size, float* out) {
  int i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    V::StoreU(V::Mul(V::Mul(V::LoadU(sums + i), V::LoadU(scale + i)), V::Set(factor)), out + i);
  }
  for (; i < size; ++i) out[i] = sums[i] * scale[i] * factor;
}

// Asks for rows before they are needed: they lie thousands of bytes apart, where no hardware looks
// ahead.
inline void Fetch(const float* row, std::ptrdiff_t stride, int rows, int size) {
  for (int r = 0; r < rows; ++r, row += stride) {
    for (int i = 0; i < size; i += 16) __builtin_prefetch(row + i);
  }
}

template <int kR>
void AttendTile(const AttentionArgs& args, const Shape& shape, const std::int32_t* prepared,
                QueryTile& t) {
  alignas(64) static constexpr float kZero[kMaxHeadSize] = {};
  alignas(64) float row[kMaxHeadSize];
  for (int r = 0; r < kR; ++r) {
    const float largest = CopyRow(args.q + (t.query + r) * args.stride, args.head_size,
                                  args.scale * kLog2E, kZero, row);
    // Never zero: hidden keys have scores of -inf, and 0 · -inf would be NaN.
    t.scale[r] = largest > 1e-30f ? largest / kKeyMax : 1e-30f;
    if (std::isnan(largest)) t.scale[r] = largest;
    Encode(row, shape.channels, Inverse(largest, kKeyMax), true,
           reinterpret_cast<std::byte*>(t.q + r * kQueryStride));
  }
  // The products that follow take as long as this takes to arrive.
  Fetch(args.out + t.query * args.out_stride, args.out_stride, kR, args.head_size);
  Fetch(args.q + (t.query + kR) * args.stride, args.stride, t.next, args.head_size);
  Scores<kR>(shape, prepared, t);
  Probabilities(args, t, kR);
  const std::int32_t* values = prepared + shape.values();
  int channel = 0;
  for (; channel + 2 * kLanes <= shape.channels; channel += 2 * kLanes) {
    Values<kR, 2>(shape, values, t, channel);
  }
  if (channel < shape.channels) Values<kR, 1>(shape, values, t, channel);
  const auto* scale = reinterpret_cast<const float*>(prepared + shape.value_scales());
  for (int r = 0; r < kR; ++r) {
    const float factor = std::isfinite(t.scale[r]) ? 1.0f / t.total[r] : NAN;
    StoreRow(t.out + r * shape.channels, scale, factor, args.head_size,
             args.out + (t.query + r) * args.out_stride);
  }
}

template <int kR>
void AttendRows(int rows, const AttentionArgs& args, const Shape& shape,
                const std::int32_t* prepared, QueryTile& t) {
  if (rows == kR) return AttendTile<kR>(args, shape, prepared, t);
  if constexpr (kR > 1) AttendRows<kR - 1>(rows, args, shape, prepared, t);
}

inline void Attend(const AttentionArgs& args, const std::byte* prepared, int query_begin,
                   int query_end, std::byte* scratch) {
  const Shape shape(args.tokens, args.head_size);
  QueryTile t;
  t.scores = reinterpret_cast<float*>(scratch);
  t.out = t.scores + kRows * shape.keys;
  t.q = reinterpret_cast<std::int32_t*>(t.out + kRows * shape.channels);
  // Rows split as evenly as tiles of kRows allow.
  const int count = query_end - query_begin, tiles = (count + kRows - 1) / kRows;
  for (int i = 0; i < tiles; ++i) {
    t.query = query_begin + static_cast<int>(static_cast<long>(count) * i / tiles);
    const int end = query_begin + static_cast<int>(static_cast<long>(count) * (i + 1) / tiles);
    t.next = std::min(kRows, query_end - end);
    t.begin = 0;
    t.end = args.tokens;
    if (args.window >= 0) {
      t.begin = std::max(0, t.query - args.window) / kKeys * kKeys;
      t.end = static_cast<int>(std::min<long>(args.tokens, static_cast<long>(end) + args.window));
    }
    AttendRows<kRows>(end - t.query, args, shape, reinterpret_cast<const std::int32_t*>(prepared),
                      t);
  }
}

}  // namespace
}  // namespace hone::kernels
