// How scales and zeros of int4 weights are searched, for any measure of error: plain rounding
// (int4.cc) takes squared differences of weights, methods with calibration data take differences of
// what the layer gives.
//
// Everything is in units of the row's widest step (Int4RowUnit), so that no square of a tiny or huge
// weight is lost.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "quant/int4.h"

namespace hone::quant {

inline constexpr float kInt4Levels = 15.0f;

// One group, padded with zeros (which every z represents exactly) to its full length.
struct Int4Group {
  alignas(64) std::array<float, kInt4Group> w;
  float low = 0, high = 0;  // of the group and 0, which is always representable
};

struct Int4Choice {
  int s = 1, z = 0;
  float error = 0;
};

// To nearest, halves to even, for |v| < 2^22: what nearbyint does, but in two plain additions.
inline float RoundInt4(float v) {
  constexpr float kMagic = 12582912.0f;  // 1.5 · 2^23
  return (v + kMagic) - kMagic;
}

// The level 0 … 15 nearest to w, where inverse = 1 / (s · scale).
inline float Int4Level(float w, float inverse, float z) {
  // Clamped first, so that RoundInt4's range holds whatever the step is.
  return RoundInt4(std::clamp(w * inverse + z, 0.0f, kInt4Levels));
}

// `w` has at most kInt4Group values.
inline void SetInt4Group(std::span<const float> w, Int4Group* group) {
  group->w.fill(0);
  std::copy(w.begin(), w.end(), group->w.begin());
  group->low = std::min(0.0f, *std::min_element(w.begin(), w.end()));
  group->high = std::max(0.0f, *std::max_element(w.begin(), w.end()));
}

// The groups of a row, in units of the widest group's step, which is returned: 0 where the row is
// zero for every purpose (as in int8.cc: its reciprocal scale would overflow).
float SplitInt4Row(std::span<const float> row, std::vector<Int4Group>* groups);

// Calls try(s, z) for a few choices: steps about the one that just covers the group, and smaller,
// which clips the outermost weights but rounds the others finer; zeros that centre the range.
template <class Error>
Int4Choice ChooseInt4(const Int4Group& group, float scale, const Error& error) {
  Int4Choice best{1, 0, INFINITY};
  const float covering = (group.high - group.low) / kInt4Levels / scale;
  const int first = std::clamp(static_cast<int>(std::ceil(covering)), 1, kMaxGroupScale);
  for (int s = first; s >= std::max(1, first - 2); --s) {
    const float step = static_cast<float>(s) * scale;
    const float centred = kInt4Levels / 2 - (group.high / step + group.low / step) / 2;
    const int below = static_cast<int>(std::floor(std::clamp(centred, 0.0f, kInt4Levels)));
    const float least = best.error;
    for (int z = below; z <= std::min(below + 1, 15); ++z) {
      const float now = error(step, z);
      if (now < best.error) best = {s, z, now};
    }
    // Where clipping more does not pay, clipping still more does not either.
    if (best.error == least) break;
  }
  return best;
}

// The scale of a row, of a few, and every group's choice under it. error(g, step, z) is that of a
// group; they add up.
template <class Error>
float ChooseInt4Row(std::span<const Int4Group> groups, const Error& error,
                    std::vector<Int4Choice>* choices) {
  // From a scale whose largest step just covers the widest group to one that clips it by a quarter.
  constexpr std::array<float, 5> kShrink = {1.0f, 0.94f, 0.88f, 0.82f, 0.75f};
  float best_error = INFINITY, best_scale = 0;
  std::vector<Int4Choice> tried(groups.size());
  choices->resize(groups.size());
  for (const float shrink : kShrink) {
    const float scale = shrink / kMaxGroupScale;
    float sum = 0;
    for (std::size_t g = 0; g < groups.size() && sum < best_error; ++g) {
      tried[g] = ChooseInt4(groups[g], scale, [&](float step, int z) { return error(g, step, z); });
      sum += tried[g].error;
    }
    if (sum < best_error || best_scale == 0) {
      best_error = sum;
      best_scale = scale;
      choices->swap(tried);
    }
  }
  return best_scale;
}

}  // namespace hone::quant
