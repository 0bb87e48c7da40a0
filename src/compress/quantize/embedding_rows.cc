#include "compress/quantize/embedding_rows.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "tensor/dtype.h"

namespace hone::compress {
namespace {

constexpr float kLevels = 15.0f;
// Zeros of eight rows share a word, so a task takes whole words.
constexpr int kRowsATask = 64;

struct GroupChoice {
  std::uint16_t scale = 0;  // f16
  int zero = 0;
  float step = 0;  // the scale as it is read
};

int Level(float w, float step, int zero) {
  const float level = std::nearbyint(w / step) + static_cast<float>(zero);
  return static_cast<int>(std::clamp(level, 0.0f, kLevels));
}

// The step and zero of least squared error among a few: from the range that covers the group to one
// that clips it by a fifth.
GroupChoice Choose(std::span<const float> group) {
  const float low = std::min(0.0f, *std::ranges::min_element(group));
  const float high = std::max(0.0f, *std::ranges::max_element(group));
  GroupChoice best;
  float least = INFINITY;
  for (const float shrink : {1.0f, 0.95f, 0.9f, 0.85f, 0.8f}) {
    GroupChoice now;
    now.scale = tensor::F16FromF32((high - low) / kLevels * shrink);
    now.step = tensor::F16ToF32(now.scale);
    // A group of zeros, or of values too small for f16: all zero.
    if (!(now.step > 0) || !std::isfinite(now.step)) continue;
    now.zero = static_cast<int>(
        std::clamp(std::nearbyint(kLevels / 2 - (high + low) / 2 / now.step), 0.0f, kLevels));
    float error = 0;
    for (const float w : group) {
      const float delta =
          now.step * static_cast<float>(Level(w, now.step, now.zero) - now.zero) - w;
      error += delta * delta;
    }
    if (error < least) {
      least = error;
      best = now;
    }
  }
  return best;
}

}  // namespace

Int4Rows QuantizeInt4Rows(std::span<const float> values, int rows, int width,
                          base::ThreadPool& pool) {
  HONE_CHECK(width % kEmbeddingGroup == 0);
  const auto e = static_cast<std::size_t>(width), r = static_cast<std::size_t>(rows);
  HONE_CHECK(values.size() == r * e);
  const std::size_t words = e / 8, groups = e / kEmbeddingGroup;
  Int4Rows out;
  out.values.assign(r * words, 0);
  out.scale.resize(r * groups);
  out.zero.assign((r + 7) / 8 * groups, 0);
  pool.ParallelFor((rows + kRowsATask - 1) / kRowsATask, [&](int task, int) {
    const std::size_t first = static_cast<std::size_t>(task) * kRowsATask;
    for (std::size_t row = first; row < std::min(r, first + kRowsATask); ++row) {
      for (std::size_t g = 0; g < groups; ++g) {
        const std::span<const float> group =
            values.subspan(row * e + g * kEmbeddingGroup, kEmbeddingGroup);
        const GroupChoice choice = Choose(group);
        out.scale[row * groups + g] = choice.scale;
        out.zero[row / 8 * groups + g] |= static_cast<std::uint32_t>(choice.zero)
                                          << (4 * (row % 8));
        if (choice.step == 0) continue;
        for (std::size_t i = 0; i < group.size(); ++i) {
          const std::size_t at = g * kEmbeddingGroup + i;
          out.values[row * words + at / 8] |=
              static_cast<std::uint32_t>(Level(group[i], choice.step, choice.zero))
              << (4 * (at % 8));
        }
      }
    }
  });
  return out;
}

}  // namespace hone::compress
