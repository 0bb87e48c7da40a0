// How attention in integers (reduced-inl.h) rounds a head's keys and values, and lays them out:
//
// prepared  keys: panels of kKeys consecutive keys, [channel group][kKeys] 32-bit words
//           corrections i32 [keys], scales f32 [keys]      (score = (Σ + correction) · scales)
//           values: [key group][V] 32-bit words, the groups of a panel in the order in which
//           packing leaves the probabilities; scales f32 [V]; V = K rounded up to a vector
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define HONE_NOINLINE __attribute__((noinline))

namespace hone::kernels {
namespace {

using F = V::F;
using I = V::I;

inline constexpr int kLanes = V::kLanes;
inline constexpr int kKeys = 2 * kLanes;            // a panel: two vectors of scores
inline constexpr int kKeyGroup = 32 / V::kKeyBits;  // channels in a word of q and k
inline constexpr int kValueGroup =
    32 / V::kValueBits;  // keys in a word of probabilities and values
inline constexpr int kRows = V::kRows;
inline constexpr int kAtOnce = V::kAtOnce;  // words of a factor that one DotKeys or DotValues takes
inline constexpr float kKeyMax = V::kKeyMax, kValueMax = V::kValueMax;
inline constexpr int kChunkKeys =
    V::kValueBits == 8 ? 65536 : 512;  // their products stay below 2^31
inline constexpr int kMaxHeadSize = 256;
inline constexpr float kLog2E = 1.44269504088896340736f;

inline constexpr int RoundUp(int n, int multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

inline constexpr int kQueryStride = kMaxHeadSize / kKeyGroup;
inline constexpr int kPanelStride = kRows * kKeys;  // of scores

struct Shape {
  Shape(int tokens, int head_size)
      : keys(RoundUp(tokens, kKeys)),
        groups(RoundUp(head_size, kLanes) / kKeyGroup),
        channels(RoundUp(head_size, kLanes)) {}
  // Offsets of the parts of `prepared`, in 32-bit words.
  int key_words() const { return keys * groups; }
  int corrections() const { return key_words(); }
  int key_scales() const { return corrections() + keys; }
  int values() const { return key_scales() + keys; }
  int value_scales() const { return values() + keys / kValueGroup * channels; }
  int prepared_words() const { return value_scales() + channels; }
  int scratch_words() const { return kRows * (keys + channels + kQueryStride); }
  int keys, groups, channels;
};

inline std::size_t PreparedBytes(int tokens, int head_size) {
  return sizeof(float) * static_cast<std::size_t>(Shape(tokens, head_size).prepared_words());
}

inline std::size_t ScratchBytes(int tokens, int head_size) {
  return sizeof(float) * static_cast<std::size_t>(Shape(tokens, head_size).scratch_words());
}

// A magnitude's bits as an integer order like the magnitudes, with NaN above infinity.
inline float LargestOf(I bits) {
  return std::bit_cast<float>(V::LargestI(bits));
}

// row · factor - offset, zero-padded to whole vectors; returns the largest magnitude, NaN if any
// is.
inline float CopyRow(const float* row, int size, float factor, const float* offset, float* out) {
  I largest = V::SetI(0);
  for (int i = 0; i < size; i += kLanes) {
    F v = i + kLanes <= size ? V::LoadU(row + i) : V::LoadFirst(row + i, size - i);
    v = V::Sub(V::Mul(v, V::Set(factor)), V::LoadU(offset + i));
    V::StoreU(v, out + i);
    largest = V::MaxI(V::MagnitudeBits(v), largest);
  }
  return LargestOf(largest);
}

// The integers row · inverse, as V lays out queries or keys.
inline void Encode(const float* row, int channels, float inverse, bool query, std::byte* out) {
  for (int i = 0; i < channels; i += kLanes) {
    const I q = V::Round(V::Mul(V::LoadU(row + i), V::Set(inverse)));
    V::StoreEncoded(q, query, out + i * (V::kKeyBits / 8));
  }
}

inline float Inverse(float largest, float limit) {
  return largest > 1e-30f && largest < HUGE_VALF ? limit / largest : 0.0f;
}

// What the sums of queries, which are stored with V::kQueryOffset added, have too much, with the sign
// turned.
inline void Corrections(const Shape& shape, const std::int32_t* panels, std::int32_t* correction) {
  I offset[kAtOnce];
  for (I& o : offset) o = V::SetI(static_cast<std::int32_t>(V::kQueryOffset * 0x01010101u));
  for (int s = 0; s < shape.keys; s += kLanes) {
    const std::int32_t* k = panels + s / kKeys * kKeys * shape.groups + s % kKeys;
    I sum = V::SetI(0);
    for (int g = 0; g < shape.groups; g += kAtOnce) {
      I words[kAtOnce];
      for (int a = 0; a < kAtOnce; ++a) words[a] = V::LoadI(k + (g + a) * kKeys);
      sum = V::DotKeys(sum, offset, words);
    }
    alignas(64) std::int32_t sums[kLanes];
    V::StoreI(sum, sums);
    for (int j = 0; j < kLanes; ++j) correction[s + j] = -sums[j];
  }
}

// Returns whether all keys are finite.
inline bool PrepareKeys(const AttentionArgs& args, const Shape& shape, std::int32_t* prepared) {
  alignas(64) float mean[kMaxHeadSize] = {}, row[kMaxHeadSize] = {};
  const int size = args.head_size;
  for (int i = 0; i < size; i += kLanes) {
    F sum = V::Set(0.0f);
    for (int s = 0; s < args.tokens; ++s) {
      const float* k = args.k + s * args.stride + i;
      sum = V::Add(sum, i + kLanes <= size ? V::LoadU(k) : V::LoadFirst(k, size - i));
    }
    V::StoreU(V::Mul(sum, V::Set(1.0f / static_cast<float>(args.tokens))), mean + i);
  }
  std::memset(prepared, 0, sizeof(float) * static_cast<std::size_t>(shape.values()));
  auto* scale = reinterpret_cast<float*>(prepared + shape.key_scales());
  bool finite = true;
  for (int s = 0; s < args.tokens; ++s) {
    const float largest = CopyRow(args.k + s * args.stride, size, 1.0f, mean, row);
    finite = finite && std::isfinite(largest);
    scale[s] = largest / kKeyMax;
    alignas(64) std::int32_t words[kMaxHeadSize / kKeyGroup];
    Encode(row, shape.channels, Inverse(largest, kKeyMax), false,
           reinterpret_cast<std::byte*>(words));
    std::int32_t* panel = prepared + s / kKeys * kKeys * shape.groups + s % kKeys;
    for (int g = 0; g < shape.groups; ++g) panel[g * kKeys] = words[g];
  }
  if constexpr (V::kQueryOffset != 0) Corrections(shape, prepared, prepared + shape.corrections());
  return finite;
}

inline void PrepareValues(const AttentionArgs& args, const Shape& shape, bool finite,
                          std::int32_t* prepared) {
  auto* scale = reinterpret_cast<float*>(prepared + shape.value_scales());
  std::int32_t* words = prepared + shape.values();
  const int size = args.head_size;
  for (int i = 0; i < size; i += kLanes) {
    const bool whole = i + kLanes <= size;
    const auto load_any = [&](int s) -> F {
      const float* v = args.v + s * args.stride + i;
      if (s >= args.tokens) return V::Set(0.0f);
      return whole ? V::LoadU(v) : V::LoadFirst(v, size - i);
    };
    const auto load_whole = [&](int s) -> F { return V::LoadU(args.v + s * args.stride + i); };
    I largest = V::SetI(0);
    const auto take_largest = [&](const auto& load) {
      for (int s = 0; s < args.tokens; ++s) largest = V::MaxI(V::MagnitudeBits(load(s)), largest);
    };
    if (whole) {
      take_largest(load_whole);
    } else {
      take_largest(load_any);
    }
    alignas(64) std::int32_t bits[kLanes];
    alignas(64) float inverse[kLanes];
    V::StoreI(largest, bits);
    for (int c = 0; c < kLanes; ++c) {
      const float bound = std::bit_cast<float>(bits[c]);
      inverse[c] = Inverse(bound, kValueMax);
      scale[i + c] = finite ? bound / kValueMax : NAN;
    }
    const F factor = V::LoadU(inverse);
    std::int32_t* out = words + i;
    // Of both vectors of scores, packing puts lanes 4j … 4j+3 side by side.
    const auto encode_panel = [&](int s0, const auto& load) {
      for (int j = 0; j < kKeys; j += kValueGroup, out += shape.channels) {
        const int s = s0 + j / 8 * 4 + j % 8 / 4 * kLanes + j % 4;
        I group[kValueGroup];
        HONE_UNROLL for (int g = 0; g < kValueGroup; ++g) {
          group[g] = V::Round(V::Mul(load(s + g), factor));
        }
        V::StoreI(V::Words(group), out);
      }
    };
    for (int s0 = 0; s0 < args.tokens; s0 += kKeys) {
      if (whole && s0 + kKeys <= args.tokens) {
        encode_panel(s0, load_whole);
      } else {
        encode_panel(s0, load_any);
      }
    }
  }
}

inline void Prepare(const AttentionArgs& args, std::byte* prepared) {
  HONE_CHECK(args.head_size <= kMaxHeadSize);
  const Shape shape(args.tokens, args.head_size);
  auto* words = reinterpret_cast<std::int32_t*>(prepared);
  PrepareValues(args, shape, PrepareKeys(args, shape, words), words);
}

}  // namespace
}  // namespace hone::kernels
