// The order of steps on its own: what is summed together fits, nothing is lost, and most steps of a
// trained matrix's like go four at a time. That the products are right in this order, matmul_test.cc
// holds.
#if defined(__x86_64__)
#include "kernels/matmul/int8_avx2_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "base/aligned_buffer.h"
#include "base/isa.h"

namespace hone::kernels {
namespace {

constexpr std::size_t kStep = 64;

struct Panel {
  base::AlignedVector<std::int8_t> weights;
  StepOrder order;
};

// Normal weights of one scale a panel, in which `spread` deviations make 127.
Panel Sorted(std::size_t steps, float spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 127 / spread);
  Panel panel{base::AlignedVector<std::int8_t>(steps * kStep), {}};
  for (std::int8_t& w : panel.weights) {
    w = static_cast<std::int8_t>(std::lround(std::clamp(normal(random), -128.0f, 127.0f)));
  }
  panel.order = StepSorter(panel.weights.data(), steps).Sort();
  return panel;
}

// The largest magnitude that an int16 lane can reach when all activations are at 127 or at none.
int LargestLane(const Panel& panel, std::size_t first, std::size_t count) {
  int largest = 0;
  for (std::size_t lane = 0; lane < kStep; lane += 2) {
    int positive = 0, negative = 0;
    for (std::size_t s = first; s < first + count; ++s) {
      for (std::size_t i = 0; i < 2; ++i) {
        const auto w = panel.weights[panel.order.steps[s] * kStep + lane + i];
        (w > 0 ? positive : negative) += 127 * std::abs(w);
      }
    }
    largest = std::max({largest, positive, negative});
  }
  return largest;
}

class Int8Avx2Order : public testing::Test {
 protected:
  void SetUp() override {
    const auto isas = base::SupportedIsas();
    if (std::ranges::find(isas, base::Isa::kAvx2) == isas.end()) {
      GTEST_SKIP() << "this processor does not run AVX2";
    }
  }
};

TEST_F(Int8Avx2Order, PutsTogetherOnlyWhatFitsAndLosesNothing) {
  for (const std::size_t steps : {4u, 8u, 96u, 192u}) {
    for (const float spread : {0.5f, 1.5f, 2.5f, 4.0f, 12.0f}) {
      const Panel panel = Sorted(steps, spread, static_cast<unsigned>(steps));
      const StepOrder& order = panel.order;
      std::vector<std::uint16_t> all = order.steps;
      std::ranges::sort(all);
      ASSERT_EQ(all.size(), steps);
      for (std::size_t s = 0; s < steps; ++s) EXPECT_EQ(all[s], s);
      ASSERT_LE(4 * order.quads + 2 * order.pairs, steps);
      for (std::size_t q = 0; q < order.quads; ++q) EXPECT_LE(LargestLane(panel, 4 * q, 4), 32767);
      for (std::size_t p = 0; p < order.pairs; ++p) {
        EXPECT_LE(LargestLane(panel, 4 * order.quads + 2 * p, 2), 32767);
      }
    }
  }
}

TEST_F(Int8Avx2Order, MostStepsOfNormalWeightsGoFourAtATime) {
  std::size_t quads = 0, neighbours = 0;
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Panel panel = Sorted(96, 3.5f, seed);
    quads += 4 * panel.order.quads;
    Panel unsorted = panel;
    std::ranges::sort(unsorted.order.steps);
    for (std::size_t s = 0; s < 96; s += 4)
      neighbours += 4 * (LargestLane(unsorted, s, 4) <= 32767);
  }
  EXPECT_GE(quads, 960 * 8 / 10);
  EXPECT_LE(neighbours, 960 * 4 / 10);  // or else the sorting would be for nothing
}

}  // namespace
}  // namespace hone::kernels
#endif
