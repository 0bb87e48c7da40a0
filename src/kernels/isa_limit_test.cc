#include "kernels/isa_limit.h"

#include <gtest/gtest.h>

#include <vector>

#include "hwy/highway.h"
#include "kernels/layer_norm/layer_norm.h"

namespace hone::kernels {
namespace {

TEST(LimitIsa, LowersWhatHighwayChoosesAndGivesItBack) {
  const std::int64_t all = hwy::SupportedTargets();
  std::vector<float> x(100), y(100), expected(100);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7);
  LayerNormRef(x.data(), 100, 1, 100, nullptr, nullptr, 1e-12f, expected.data(), 100);
  for (const base::Isa limit : base::SupportedIsas()) {
    LimitIsa(limit);
#if HWY_ARCH_X86
    const std::int64_t targets = hwy::SupportedTargets();
    EXPECT_EQ((targets & HWY_AVX3) != 0, base::IsaUsable(limit, base::Isa::kAvx512));
    EXPECT_EQ((targets & HWY_AVX2) != 0, base::IsaUsable(limit, base::Isa::kAvx2));
#endif
    LayerNorm(x.data(), 100, 1, 100, nullptr, nullptr, 1e-12f, y.data(), 100);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], expected[i], 2e-6);
  }
  hwy::DisableTargets(~all);
  hwy::GetChosenTarget().DeInit();
  EXPECT_EQ(hwy::SupportedTargets(), all);
}

}  // namespace
}  // namespace hone::kernels
