#include "kernels/activation/activation.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace hone::kernels {
namespace {

constexpr Activation kAll[] = {Activation::kNone, Activation::kGelu, Activation::kGeluTanh,
                               Activation::kRelu, Activation::kSilu, Activation::kTanh};

// A fine grid where the curves bend, a coarse one to where they are straight, and the far ends.
std::vector<float> Inputs() {
  std::vector<float> x = {0.0f, -0.0f, 1e-30f, -1e-30f, 1e4f, -1e4f, 3e38f, 88.0f, -88.0f};
  for (int i = -20000; i <= 20000; ++i) x.push_back(static_cast<float>(i) * 4.1e-4f);
  for (int i = -1000; i <= 1000; ++i) x.push_back(static_cast<float>(i) * 0.1337f);
  return x;
}

TEST(Activate, HoldsItsTolerance) {
  for (const Activation activation : kAll) {
    const std::vector<float> x = Inputs();
    std::vector<float> y = x;
    Activate(activation, y.data(), y.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = ActivateRef(activation, x[i]);
      ASSERT_NEAR(y[i], expected, 2e-6 + 2e-6 * std::abs(expected))
          << "activation " << static_cast<int>(activation) << " of " << x[i];
    }
  }
}

TEST(Activate, KeepsNan) {
  for (const Activation activation : kAll) {
    std::vector<float> x(67, std::numeric_limits<float>::quiet_NaN());
    Activate(activation, x.data(), x.size());
    for (const float v : x) ASSERT_TRUE(std::isnan(v)) << static_cast<int>(activation);
  }
}

TEST(Activate, LetsInfinityThroughOnTheRight) {
  for (const Activation activation : {Activation::kNone, Activation::kGelu, Activation::kGeluTanh,
                                      Activation::kRelu, Activation::kSilu}) {
    float x = std::numeric_limits<float>::infinity();
    Activate(activation, &x, 1);
    EXPECT_EQ(x, std::numeric_limits<float>::infinity()) << static_cast<int>(activation);
  }
}

TEST(Activate, GivesAnElementTheSameBitsInAnyPlaceAndTouchesNoOther) {
  const std::vector<float> x = Inputs();
  for (const Activation activation : kAll) {
    std::vector<float> whole = x;
    Activate(activation, whole.data(), whole.size());
    for (const std::size_t n : {1, 2, 3, 15, 16, 17, 33}) {
      std::vector<float> part(x.begin() + 500, x.begin() + 600);
      Activate(activation, part.data() + 5, n);
      for (std::size_t i = 0; i < part.size(); ++i) {
        const float expected = i >= 5 && i < 5 + n ? whole[500 + i] : x[500 + i];
        ASSERT_EQ(std::bit_cast<std::uint32_t>(part[i]), std::bit_cast<std::uint32_t>(expected))
            << n << " at " << i;
      }
    }
  }
}

TEST(Gate, MultipliesTheActivatedHalfByTheOther) {
  const std::vector<float> source = Inputs();
  for (const int f : {1, 2, 3, 17, 63, 64, 65}) {
    const int rows = 5, stride = 2 * f + 3;
    const std::vector<float> x(source.begin() + 20000, source.begin() + 20000 + rows * stride);
    std::vector<float> out(static_cast<std::size_t>(rows * f)), in_place = x;
    Gate(Activation::kGelu, x.data(), stride, rows, f, out.data(), f);
    Gate(Activation::kGelu, in_place.data(), stride, rows, f, in_place.data(), stride);
    for (int r = 0; r < rows; ++r) {
      const float* row = x.data() + r * stride;
      for (int i = 0; i < f; ++i) {
        const double expected =
            static_cast<double>(ActivateRef(Activation::kGelu, row[i])) * row[f + i];
        const float got = out.data()[r * f + i];
        ASSERT_NEAR(got, expected, 4e-6 * (1 + std::abs(expected))) << f << " " << r << " " << i;
        ASSERT_EQ(got, in_place.data()[r * stride + i]);
      }
    }
  }
}

}  // namespace
}  // namespace hone::kernels
