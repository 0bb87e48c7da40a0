#include "train/weight_average.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hone::train {
namespace {

// One parameter, whose values after step s are all sin(s).
class WeightAverageTest : public ::testing::Test {
 protected:
  void SetStep(std::int64_t step) {
    const c10::NoGradGuard no_gradients;
    parameter_.value.fill_(std::sin(static_cast<double>(step)));
  }
  static double Last(const at::Tensor& tensor) { return tensor[2][1].item<double>(); }
  // The mean with the weights (s+1)(s+2)⋯(s+8), which the rule of the header comes to.
  static double Mean(std::int64_t steps, std::int64_t stride) {
    double sum = 0, weights = 0;
    for (std::int64_t s = 0; s <= steps; ++s) {
      double weight = 1;
      for (int k = 1; k <= 8; ++k) weight *= static_cast<double>(s + k);
      const std::int64_t taken = (s + stride - 1) / stride * stride;
      sum += weight * std::sin(static_cast<double>(std::min(taken, steps)));
      weights += weight;
    }
    return sum / weights;
  }

  Parameter parameter_{"w", at::zeros({3, 2}).set_requires_grad(true), true};
};

TEST_F(WeightAverageTest, WeighsStepsLikeTheirEighthPower) {
  SetStep(0);
  WeightAverage average({parameter_});
  for (std::int64_t step = 1; step <= 50; ++step) {
    SetStep(step);
    average.Take(step);
  }
  EXPECT_NEAR(Last(average.values()[0].value), Mean(50, 1), 1e-5);
}

TEST_F(WeightAverageTest, StepsInBetweenCountAsTheNextThatIsTaken) {
  SetStep(0);
  WeightAverage average({parameter_});
  for (std::int64_t step = 1; step <= 50; ++step) {
    SetStep(step);
    if (!average.Due(step) && step != 50) continue;
    average.Take(step);
    average.Take(step);
  }
  EXPECT_EQ(average.taken(), 50);
  EXPECT_NEAR(Last(average.values()[0].value), Mean(50, WeightAverage::kStride), 1e-5);
}

TEST_F(WeightAverageTest, ExchangesInPlaceAndBack) {
  SetStep(0);
  WeightAverage average({parameter_});
  SetStep(3);
  const void* place = parameter_.value.data_ptr();
  average.Exchange();
  EXPECT_EQ(Last(parameter_.value), 0);
  EXPECT_NEAR(Last(average.values()[0].value), std::sin(3.0), 1e-6);
  average.Exchange();
  EXPECT_NEAR(Last(parameter_.value), std::sin(3.0), 1e-6);
  EXPECT_EQ(Last(average.values()[0].value), 0);
  EXPECT_EQ(parameter_.value.data_ptr(), place);
  EXPECT_TRUE(parameter_.value.requires_grad());
}

}  // namespace
}  // namespace hone::train
