// Every attention kernel of the list against the reference in double.
#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"

namespace hone::kernels {
namespace {

struct Case {
  int tokens, head_size, window = -1;
  bool bias = false;
  float spread = 1;  // deviation of q and k: large ones make sharp distributions
};

// One head of a fused QKV matrix, with columns of other heads around it.
struct Head {
  explicit Head(const Case& c, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const int width = c.head_size + 3;
    args.stride = 3 * width;
    qkv.resize(static_cast<std::size_t>(c.tokens * args.stride));
    for (std::size_t i = 0; i < qkv.size(); ++i) {
      const bool value = static_cast<int>(i) % args.stride >= 2 * width;
      qkv[i] = normal(random) * (value ? 1 : c.spread);
    }
    bias.resize(2 * static_cast<std::size_t>(c.tokens));
    for (float& b : bias) b = normal(random);
    args.q = qkv.data();
    args.k = qkv.data() + width;
    args.v = qkv.data() + 2 * width;
    args.tokens = c.tokens;
    args.head_size = c.head_size;
    args.scale = 1 / std::sqrt(static_cast<float>(c.head_size));
    args.window = c.window;
    if (c.bias) args.relative_bias = bias.data() + c.tokens - 1;
  }
  std::vector<float> qkv, bias;
  AttentionArgs args;
};

// Attends queries [begin, end) in ranges of `step`; row t at t·(head_size + 2), the gap untouched.
std::vector<float> AttendAll(const AttentionKernel& kernel, AttentionArgs args, int begin, int end,
                             int step) {
  args.out_stride = args.head_size + 2;
  std::vector<float> out(static_cast<std::size_t>(args.tokens * args.out_stride), -777.0f);
  args.out = out.data();
  base::AlignedBuffer prepared(kernel.prepared_bytes(args.tokens, args.head_size) + 64);
  base::AlignedBuffer scratch(kernel.scratch_bytes(args.tokens, args.head_size) + 64);
  kernel.prepare(args, prepared.data());
  for (int t = begin; t < end; t += step) {
    kernel.attend(args, prepared.data(), t, std::min(end, t + step), scratch.data());
  }
  return out;
}

class Attention : public testing::TestWithParam<AttentionKernel> {
 protected:
  void SetUp() override {
#if defined(HONE_SIMDE)
    // This program carries emulations of the integer kernels.
    if (GetParam().precision != AttentionPrecision::kF32) return;
#endif
    if (!base::IsaUsable(base::DetectIsa(), GetParam().isa)) {
      GTEST_SKIP() << "this processor lacks " << base::IsaName(GetParam().isa);
    }
  }

  // What rounding each operand once does: to 8 bits, and to 7 by the one kernel that has no more.
  static double Rounding() {
    return GetParam().name == "attention_int8_avx2" ? 0.04 : 0.02;
  }

  // What a rounding of a score of size s, and √tokens roundings of a sum, do to a mean of values of
  // deviation 1.
  double Tolerance(const Case& c) const {
    const double score = c.spread * c.spread * 8;
    if (GetParam().precision != AttentionPrecision::kF32) return Rounding() * (1 + score / 4);
    return std::numeric_limits<float>::epsilon() * (8 + 4 * score + std::sqrt(c.tokens));
  }
};

TEST_P(Attention, MatchesTheReferenceOverShapes) {
  std::vector<Case> cases;
  for (const int tokens : {1, 2, 3, 15, 16, 17, 47, 48, 49, 63, 65, 130, 200}) {
    for (const int head_size : {1, 3, 16, 31, 32, 64, 65}) cases.push_back({tokens, head_size});
  }
  cases.push_back({33, 256});
  for (const int window : {0, 1, 5, 64, 1000}) cases.push_back({150, 32, window});
  for (const int window : {3, 64}) cases.push_back({131, 64, window, true});
  cases.push_back({77, 64, -1, true});
  cases.push_back({100, 32, std::numeric_limits<int>::max()});
  cases.push_back({100, 32, -1, false, 3});
  const AttentionKernel& reference = AttentionKernels().back();
  for (const Case& c : cases) {
    const Head head(c);
    const auto expected = AttendAll(reference, head.args, 0, c.tokens, c.tokens);
    const auto got = AttendAll(GetParam(), head.args, 0, c.tokens, c.tokens);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(got[i], expected[i], Tolerance(c))
          << "tokens " << c.tokens << " head size " << c.head_size << " window " << c.window
          << " at " << i;
    }
  }
}

TEST_P(Attention, GivesAQueryTheSameBitsInAnyRange) {
  for (const Case& c : {Case{101, 32}, Case{150, 64, 20}, Case{60, 33, -1, true}}) {
    const Head head(c);
    const auto whole = AttendAll(GetParam(), head.args, 0, c.tokens, c.tokens);
    for (const int step : {1, 5, 7, 8, 32}) {
      const auto parts = AttendAll(GetParam(), head.args, 0, c.tokens, step);
      ASSERT_EQ(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)), 0)
          << "step " << step << " window " << c.window;
    }
  }
}

TEST_P(Attention, WritesOnlyTheQueriesAskedFor) {
  const Head head({40, 32});
  const auto out = AttendAll(GetParam(), head.args, 11, 25, 14);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t row = i / 34, column = i % 34;
    ASSERT_EQ(out[i] == -777.0f, row < 11 || row >= 25 || column >= 32) << row << ", " << column;
  }
}

TEST_P(Attention, SurvivesScoresFarApart) {
  // One key wins by e^1000: its value must come out, and the others vanish without NaN.
  Head head({50, 32});
  for (int i = 0; i < 32; ++i) {
    for (int t = 0; t < 50; ++t) head.qkv[static_cast<std::size_t>(t * head.args.stride + i)] = 100;
    for (int t = 0; t < 50; ++t) {
      head.qkv[static_cast<std::size_t>(t * head.args.stride + 35 + i)] =
          t == 17 ? 100.0f : -100.0f;
    }
  }
  const auto out = AttendAll(GetParam(), head.args, 0, 50, 50);
  for (std::size_t t = 0; t < 50; ++t) {
    for (std::size_t i = 0; i < 32; ++i) {
      const float value = head.args.v[17 * head.args.stride + static_cast<std::ptrdiff_t>(i)];
      ASSERT_NEAR(out[t * 34 + i], value,
                  GetParam().precision == AttentionPrecision::kF32 ? 1e-6 : Rounding());
    }
  }
}

TEST_P(Attention, KeepsTheShareOfManySmallProbabilities) {
  // One key is likely, of value 0; 383 others, of value 1, have 0.0015 of it each, less than half of
  // what 8 bits resolve, and 0.365 of the whole together.
  Head head({384, 32});
  for (int t = 0; t < 384; ++t) {
    float* q = head.qkv.data() + t * head.args.stride;
    std::fill(q, q + 105, 0.0f);
    q[0] = std::sqrt(32.0f);
    q[35] = t == 100 ? 0.0f : std::log(0.0015f);
    for (int i = 0; i < 32; ++i) q[70 + i] = t == 100 ? 0.0f : 1.0f;
  }
  const auto out = AttendAll(GetParam(), head.args, 0, 384, 384);
  for (std::size_t t = 0; t < 384; ++t) {
    ASSERT_NEAR(out[t * 34], 383 * 0.0015 / (1 + 383 * 0.0015),
                GetParam().precision == AttentionPrecision::kF32 ? 1e-5 : 0.01);
  }
}

TEST_P(Attention, SumsTheProbabilitiesOfMoreKeysThan32BitsHold) {
  // All keys alike, so that each probability is the largest there is: 2^18 of 8192 are 2^31.
  Head head({(1 << 18) + 40, 2});
  for (int t = 0; t < head.args.tokens; ++t) {
    float* row = head.qkv.data() + t * head.args.stride;
    std::fill(row, row + 10, 0.0f);
    std::fill(row + 10, row + 12, 1.5f);
  }
  const auto out = AttendAll(GetParam(), head.args, 3, 4, 1);
  ASSERT_NEAR(out[3 * 4], 1.5, 1e-3);
}

TEST_P(Attention, ShowsANanToEveryQueryThatSeesIt) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const int column : {0, 35, 70}) {  // in q, k and v of token 20
    Head head({50, 32});
    head.qkv[static_cast<std::size_t>(20 * head.args.stride + column)] = nan;
    const auto out = AttendAll(GetParam(), head.args, 0, 50, 50);
    for (std::size_t t = 0; t < 50; ++t) {
      const bool sees = column != 0 || t == 20;
      ASSERT_EQ(std::isnan(out[t * 34]), sees) << "token " << t << " column " << column;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Attention,
                         testing::ValuesIn(AttentionKernels().begin(), AttentionKernels().end()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(SelectAttention, PrefersTheFastAndHonoursPrecisionAndLimit) {
  for (const base::Isa limit : base::SupportedIsas()) {
    const AttentionKernel& fast = SelectAttention(AttentionPrecision::k8Bit, limit, 64);
    EXPECT_TRUE(base::IsaUsable(limit, fast.isa));
    const AttentionKernel& fine = SelectAttention(AttentionPrecision::k16Bit, limit, 64);
    EXPECT_NE(fine.precision, AttentionPrecision::k8Bit);
    EXPECT_TRUE(base::IsaUsable(limit, fine.isa));
    const AttentionKernel& exact = SelectAttention(AttentionPrecision::kF32, limit, 64);
    EXPECT_EQ(exact.precision, AttentionPrecision::kF32);
    EXPECT_TRUE(base::IsaUsable(limit, exact.isa));
  }
  EXPECT_EQ(SelectAttention(AttentionPrecision::kF32, base::Isa::kPortable, 64).name,
            "attention_ref");
}

TEST(SelectAttention, TakesNoKernelForHeadsThatAreTooWideForIt) {
  for (const AttentionKernel& kernel : AttentionKernels()) {
    if (kernel.precision == AttentionPrecision::kF32) continue;
    EXPECT_EQ(kernel.max_head_size, 256) << kernel.name;
  }
  for (const base::Isa limit : base::SupportedIsas()) {
    const AttentionKernel& wide = SelectAttention(AttentionPrecision::k8Bit, limit, 257);
    EXPECT_EQ(wide.precision, AttentionPrecision::kF32) << wide.name;
  }
}

}  // namespace
}  // namespace hone::kernels
