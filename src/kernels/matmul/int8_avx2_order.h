// In which order a panel's steps of four k are multiplied by int8_avx2.cc, so that as many as possible
// may be summed in int16 before they are widened.
//
// A step's lane is what one vpmaddubsw puts into an int16: two weights of a column, 32 lanes in all. Steps
// may be summed where in every lane the positive weights, and the negative ones, add up to 254 at most:
// 127 · 254 < 32767. Neighbours in k seldom fit four at a time, since one lane of 32 is enough to refuse
// (a quarter of MiniLM's steps do); but an exact sum takes its terms in any order, and of a panel's steps
// nearly all can be put together so that they fit.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

// The lanes' sums, 255 for all that is more.
struct alignas(32) StepLanes {
  std::uint8_t positive[32], negative[32];
};

inline __m256i Load32(const void* p) {
  return _mm256_load_si256(static_cast<const __m256i*>(p));
}

inline void Store32(void* p, __m256i v) {
  _mm256_store_si256(static_cast<__m256i*>(p), v);
}

// Of a step [16][4].
inline void SetLanes(const std::int8_t* step, StepLanes& lanes) {
  const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi8(1);
  __m256i positive[2], negative[2];
  for (int v = 0; v < 2; ++v) {
    const __m256i w = Load32(step + v * 32);
    positive[v] = _mm256_maddubs_epi16(_mm256_max_epi8(w, zero), one);
    // The magnitude of -128 is right as an unsigned byte.
    negative[v] = _mm256_maddubs_epi16(_mm256_abs_epi8(_mm256_min_epi8(w, zero)), one);
  }
  Store32(lanes.positive, _mm256_packus_epi16(positive[0], positive[1]));
  Store32(lanes.negative, _mm256_packus_epi16(negative[0], negative[1]));
}

inline void Add(const StepLanes& lanes, StepLanes& sum) {
  Store32(sum.positive, _mm256_adds_epu8(Load32(sum.positive), Load32(lanes.positive)));
  Store32(sum.negative, _mm256_adds_epu8(Load32(sum.negative), Load32(lanes.negative)));
}

inline int LargestOfSum(const StepLanes& a, const StepLanes& b) {
  const __m256i both = _mm256_max_epu8(_mm256_adds_epu8(Load32(a.positive), Load32(b.positive)),
                                       _mm256_adds_epu8(Load32(a.negative), Load32(b.negative)));
  __m128i v = _mm_max_epu8(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  v = _mm_max_epu8(v, _mm_srli_epi16(v, 8));
  // vphminposuw finds the least of words, here of what is missing to 255.
  v = _mm_andnot_si128(v, _mm_set1_epi16(0xFF));
  return 255 - _mm_extract_epi16(_mm_minpos_epu16(v), 0);
}

struct StepOrder {
  std::vector<std::uint16_t> steps;  // first those of quads, then of pairs, then the rest
  std::size_t quads = 0, pairs = 0;  // four, and two, steps each
};

class StepSorter {
 public:
  // `weights` is a panel [steps][16][4], 32-byte aligned.
  StepSorter(const std::int8_t* weights, std::size_t steps) : lanes_(steps), left_(steps) {
    // Counted, largest first: where the steps of each size begin.
    std::vector<int> size(steps);
    std::array<std::uint16_t, 257> begin{};
    for (std::size_t s = 0; s < steps; ++s) {
      SetLanes(weights + s * 64, lanes_[s]);
      size[s] = 255 - LargestOfSum(lanes_[s], StepLanes{});
      ++begin[static_cast<std::size_t>(size[s]) + 1];
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    for (std::size_t s = 0; s < steps; ++s) {
      left_[begin[static_cast<std::size_t>(size[s])]++] = static_cast<std::uint16_t>(s);
    }
  }

  StepOrder Sort() {
    StepOrder order;
    order.quads = TakeGroups<4>(order.steps);
    order.pairs = TakeGroups<2>(order.steps);
    order.steps.insert(order.steps.end(), left_.begin(), left_.end());
    return order;
  }

 private:
  // Moves groups of kSize steps that fit from left_ to `out`; returns how many.
  template <std::size_t kSize>
  std::size_t TakeGroups(std::vector<std::uint16_t>& out) {
    std::vector<std::uint16_t> alone;
    std::size_t groups = 0;
    while (left_.size() >= kSize) {
      std::array<std::uint16_t, kSize> group;
      const std::size_t taken = TakeGroup(group);
      auto& to = taken == kSize ? out : alone;
      to.insert(to.end(), group.begin(), group.begin() + static_cast<std::ptrdiff_t>(taken));
      groups += taken == kSize;
    }
    left_.insert(left_.begin(), alone.begin(), alone.end());
    return groups;
  }

  // Takes the largest step, and to it others, one after the other. Of kTried that are spread evenly over
  // what is left, the first is taken that leaves the rest enough room, so that the small ones are
  // kept for where they are needed; or else the one with which the largest lane stays least. Ends
  // early where none fits. (Measured on MiniLM's matrices: without the room, always taking the
  // least, 91 % of the steps end up in quads at twice the tries; with it, 94 %.)
  template <std::size_t kSize>
  std::size_t TakeGroup(std::array<std::uint16_t, kSize>& group) {
    constexpr std::size_t kTried = 32;
    constexpr int kFull = 254, kSlack = 30;
    StepLanes sum = lanes_[left_[0]];
    group[0] = Take(0);
    for (std::size_t n = 1; n < kSize; ++n) {
      const int share = kFull * static_cast<int>(n + 1) / static_cast<int>(kSize) + kSlack;
      const int enough = std::min(kFull, share);
      const std::size_t tried = std::min(kTried, left_.size());
      std::size_t best = 0;
      int least = kFull + 1;
      for (std::size_t t = 0; t < tried && least > enough; ++t) {
        const std::size_t i = t * left_.size() / tried;
        const int largest = LargestOfSum(sum, lanes_[left_[i]]);
        if (largest < least) {
          least = largest;
          best = i;
        }
      }
      if (least > kFull) return n;
      Add(lanes_[left_[best]], sum);
      group[n] = Take(best);
    }
    return kSize;
  }

  std::uint16_t Take(std::size_t i) {
    const std::uint16_t step = left_[i];
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(i));
    return step;
  }

  std::vector<StepLanes> lanes_;
  std::vector<std::uint16_t> left_;  // largest first
};

}  // namespace
}  // namespace hone::kernels
HONE_TARGET_END
