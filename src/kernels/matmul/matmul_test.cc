// Every kernel of the list against the product in double, whatever its format. Kernels that this
// processor cannot run are skipped aloud.
#include "kernels/matmul/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>

#include "base/aligned_buffer.h"
#include "quant/int4.h"
#include "quant/int8.h"
#include "tensor/dtype.h"

namespace hone::kernels {
namespace {

using quant::Format;

enum class Fill { kUniform, kNormal, kLargest, kSmallest, kAlternating };

// Weights in one format with all that WeightRows points into, and their exact values.
struct Weights {
  quant::Int8Matrix int8;
  quant::Int4Matrix int4;
  std::vector<std::uint16_t> bf16;
  std::vector<float> f32;
  std::vector<double> exact;  // [N,K]
  WeightRows rows;
};

float Draw(Fill fill, std::mt19937& random, int index) {
  switch (fill) {
    case Fill::kUniform: return std::uniform_real_distribution<float>(-1, 1)(random);
    case Fill::kNormal: return std::normal_distribution<float>(0, 0.05f)(random);
    case Fill::kLargest: return 1;
    case Fill::kSmallest: return -1;
    case Fill::kAlternating: return index % 2 == 0 ? 1 : -1;
  }
  return 0;
}

void FillInt8(Weights& w) {
  w.int8 = quant::QuantizeInt8(w.f32, w.rows.n, w.rows.k);
  w.rows.scale = w.int8.scale;
  const auto k = static_cast<std::size_t>(w.rows.k);
  for (std::size_t n = 0; n < w.int8.scale.size(); ++n) {
    w.rows.row.push_back(reinterpret_cast<const std::byte*>(&w.int8.values[n * k]));
    for (std::size_t i = 0; i < k; ++i) {
      w.exact.push_back(static_cast<double>(w.int8.scale[n]) * w.int8.values[n * k + i]);
    }
  }
}

void FillInt4(Weights& w) {
  w.int4 = quant::QuantizeInt4(w.f32, w.rows.n, w.rows.k);
  w.rows.scale = w.int4.scale;
  const auto bytes = static_cast<std::size_t>(quant::Int4RowBytes(w.rows.k));
  const auto groups = static_cast<std::size_t>(quant::Int4Groups(w.rows.k));
  std::vector<std::int8_t> row(static_cast<std::size_t>(w.rows.k));
  for (std::size_t n = 0; n < w.int4.scale.size(); ++n) {
    w.rows.row.push_back(reinterpret_cast<const std::byte*>(&w.int4.nibbles[n * bytes]));
    w.rows.group_scale.push_back(&w.int4.group_scale[n * groups]);
    w.rows.group_zero.push_back(&w.int4.group_zero[n * groups]);
    quant::ExpandInt4Row({&w.int4.nibbles[n * bytes], bytes}, {w.rows.group_scale[n], groups},
                         {w.rows.group_zero[n], groups}, row);
    for (const std::int8_t v : row) {
      w.exact.push_back(static_cast<double>(w.int4.scale[n]) * v);
    }
  }
}

void FillFloat(Weights& w) {
  const auto k = static_cast<std::size_t>(w.rows.k);
  for (float& v : w.f32) {
    w.bf16.push_back(tensor::BF16FromF32(v));
    w.exact.push_back(w.rows.format == Format::kF32 ? v : tensor::BF16ToF32(w.bf16.back()));
  }
  for (std::size_t n = 0; n < static_cast<std::size_t>(w.rows.n); ++n) {
    w.rows.row.push_back(w.rows.format == Format::kF32
                             ? reinterpret_cast<const std::byte*>(&w.f32[n * k])
                             : reinterpret_cast<const std::byte*>(&w.bf16[n * k]));
  }
}

Weights MakeWeights(Format format, int n, int k, Fill fill, std::mt19937& random) {
  Weights w;
  w.rows.format = format;
  w.rows.n = n;
  w.rows.k = k;
  for (int i = 0; i < n * k; ++i) w.f32.push_back(Draw(fill, random, i));
  if (format == Format::kInt8) {
    FillInt8(w);
  } else if (format == Format::kInt4) {
    FillInt4(w);
  } else {
    FillFloat(w);
  }
  return w;
}

// Activations that the kernel encodes without error: small integers, the largest at its limit.
std::vector<float> MakeExactActivations(const MatMulKernel& kernel, int m, int k, bool extreme,
                                        std::mt19937& random) {
  const int limit = kernel.activation_max == 0 ? 127 : kernel.activation_max;
  std::uniform_int_distribution<int> draw(-limit, limit);
  std::vector<float> x(static_cast<std::size_t>(m * k));
  for (float& v : x)
    v = static_cast<float>(extreme ? (draw(random) < 0 ? -limit : limit) : draw(random));
  for (std::size_t row = 0; row < x.size(); row += static_cast<std::size_t>(k)) {
    x[row + random() % static_cast<unsigned>(k)] = static_cast<float>(limit);
  }
  return x;
}

// The whole of what a caller does, over rows [row_begin, row_end) and all panels.
struct Product {
  Product(const MatMulKernel& kernel_in, const Weights& w)
      : kernel(kernel_in),
        n(w.rows.n),
        k(w.rows.k),
        packed(kernel.packed_bytes(n, k)),
        scratch(std::max<std::size_t>(kernel.scratch_bytes(k), 64)) {
    kernel.pack(w.rows, 0, Panels(n, kernel.tile_n), packed.data());
  }

  void Run(const std::vector<float>& x, int m, const Epilogue& epilogue, std::vector<float>& c) {
    base::AlignedBuffer prepared(kernel.prepared_bytes(k) * static_cast<std::size_t>(m));
    kernel.prepare(x.data(), k, m, k, prepared.data());
    c.resize(static_cast<std::size_t>(m) * static_cast<std::size_t>(n), -777.0f);
    kernel.multiply(packed.data(), n, k, prepared.data(), m, 0, Panels(n, kernel.tile_n), epilogue,
                    c.data(), n, scratch.data(), {});
  }

  const MatMulKernel& kernel;
  int n, k;
  base::AlignedBuffer packed, scratch;
};

double Dot(const Weights& w, const std::vector<float>& x, std::size_t m, std::size_t n,
           double* magnitude) {
  double sum = 0;
  const auto k = static_cast<std::size_t>(w.rows.k);
  for (std::size_t i = 0; i < k; ++i) {
    const double term = static_cast<double>(x[m * k + i]) * w.exact[n * k + i];
    sum += term;
    *magnitude += std::abs(term);
  }
  return sum;
}

// f32 rounding: integer kernels round in the epilogue alone, float kernels at every term of the
// sum.
double Tolerance(const MatMulKernel& kernel, int k, double magnitude, double value) {
  const double epsilon = std::numeric_limits<float>::epsilon();
  const double sum = kernel.activation_max == 0 ? magnitude * epsilon * (4 + std::sqrt(k)) : 0;
  return sum + 4 * epsilon * (std::abs(value) + 1e-3);
}

void ExpectProduct(const MatMulKernel& kernel, const Weights& w, const std::vector<float>& x, int m,
                   const std::vector<float>& c) {
  for (int r = 0; r < m; ++r) {
    for (int n = 0; n < w.rows.n; ++n) {
      double magnitude = 0;
      const double expected = Dot(w, x, r, n, &magnitude);
      ASSERT_NEAR(c.data()[r * w.rows.n + n], expected,
                  Tolerance(kernel, w.rows.k, magnitude, expected))
          << "row " << r << " column " << n << " of M " << m << " N " << w.rows.n << " K "
          << w.rows.k;
    }
  }
}

class MatMul : public testing::TestWithParam<MatMulKernel> {
 protected:
  void SetUp() override {
#if defined(HONE_SIMDE)
    // This program carries emulations of the x86 integer kernels.
    if (GetParam().activation_max != 0) return;
#endif
    if (!base::IsaUsable(base::DetectIsa(), GetParam().isa)) {
      GTEST_SKIP() << "this processor does not run " << base::IsaName(GetParam().isa);
    }
  }
};

TEST_P(MatMul, MatchesDoubleOverOddShapes) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(1);
  constexpr int kShapes[][3] = {{1, 1, 1},    {2, 3, 2},    {3, 2, 17},   {1, 64, 65},
                                {17, 1, 63},  {9, 63, 3},   {5, 65, 64},  {7, 17, 127},
                                {8, 48, 384}, {4, 47, 31},  {6, 49, 33},  {13, 127, 65},
                                {64, 33, 96}, {65, 96, 40}, {3, 24, 1540}};
  for (const auto& [m, n, k] : kShapes) {
    for (const Fill fill : {Fill::kUniform, Fill::kNormal}) {
      const Weights w = MakeWeights(kernel.format, n, k, fill, random);
      const auto x = MakeExactActivations(kernel, m, k, false, random);
      std::vector<float> c;
      Product(kernel, w).Run(x, m, {}, c);
      ExpectProduct(kernel, w, x, m, c);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(MatMul, SaturatesNowhereAtExtremeInputs) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(2);
  for (const Fill fill : {Fill::kLargest, Fill::kSmallest, Fill::kAlternating}) {
    const int n = 50, k = 520, m = 9;
    const Weights w = MakeWeights(kernel.format, n, k, fill, random);
    auto x = MakeExactActivations(kernel, m, k, true, random);
    const float limit = x[0] < 0 ? -x[0] : x[0];
    std::fill_n(x.begin(), k, limit);       // a row of only the largest
    std::fill_n(x.begin() + k, k, -limit);  // and of only the smallest
    for (std::size_t i = 0; i < k; ++i) x[2 * k + i] = i % 2 == 0 ? limit : -limit;
    std::vector<float> c;
    Product(kernel, w).Run(x, m, {}, c);
    ExpectProduct(kernel, w, x, m, c);
    if (HasFatalFailure()) return;
  }
}

TEST_P(MatMul, AppliesBiasActivationAndResidual) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(3);
  const int m = 11, n = 70, k = 40;
  const Weights w = MakeWeights(kernel.format, n, k, Fill::kUniform, random);
  // Sums of a few units, so that every part of an activation's curve is met.
  const auto x = MakeExactActivations(kernel, m, k, false, random);
  std::vector<float> bias(n), residual(m * n);
  for (float& v : bias) v = Draw(Fill::kUniform, random, 0) * 100;
  for (float& v : residual) v = Draw(Fill::kUniform, random, 0);
  Product product(kernel, w);
  std::vector<float> plain;
  product.Run(x, m, {bias.data()}, plain);
  for (const Activation activation : {Activation::kNone, Activation::kGelu, Activation::kGeluTanh,
                                      Activation::kRelu, Activation::kSilu, Activation::kTanh}) {
    std::vector<float> c = residual;  // C may be the residual
    product.Run(x, m, {bias.data(), activation, c.data(), n}, c);
    for (std::size_t i = 0; i < c.size(); ++i) {
      const double expected = static_cast<double>(ActivateRef(activation, plain[i])) + residual[i];
      ASSERT_NEAR(c[i], expected, 2e-6 + 2e-6 * std::abs(expected))
          << "activation " << static_cast<int>(activation) << " of " << plain[i];
    }
  }
}

TEST_P(MatMul, ActivationsHoldTheirToleranceOverTheirWholeRange) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(4);
  const int m = 1, n = 4001, k = 4;
  const Weights w = MakeWeights(kernel.format, n, k, Fill::kUniform, random);
  const std::vector<float> x(k,
                             0.0f);  // a row of zeros: the bias alone goes through the activation
  std::vector<float> bias(n);
  for (int i = 0; i < n; ++i)
    bias[static_cast<std::size_t>(i)] = static_cast<float>(i - 2000) * 0.00417f;
  bias[0] = -90.0f;
  bias[1] = -1000.0f;
  bias[2] = 90.0f;
  bias[3] = 1000.0f;
  Product product(kernel, w);
  for (const Activation activation : {Activation::kGelu, Activation::kGeluTanh, Activation::kRelu,
                                      Activation::kSilu, Activation::kTanh}) {
    std::vector<float> c;
    product.Run(x, m, {bias.data(), activation}, c);
    for (std::size_t i = 0; i < c.size(); ++i) {
      const double expected = ActivateRef(activation, bias[i]);
      ASSERT_NEAR(c[i], expected, 2e-6 + 2e-6 * std::abs(expected))
          << "activation " << static_cast<int>(activation) << " of " << bias[i];
    }
  }
}

TEST_P(MatMul, GivesARowTheSameBitsInAnyBatchPlaceAndPanelRange) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(5);
  const int m = 21, n = 130, k = 67;
  const Weights w = MakeWeights(kernel.format, n, k, Fill::kNormal, random);
  std::vector<float> x(m * k), bias(n), whole;
  for (float& v : x) v = Draw(Fill::kNormal, random, 0);
  for (float& v : bias) v = Draw(Fill::kUniform, random, 0);
  const Epilogue epilogue{bias.data(), Activation::kGelu};
  Product product(kernel, w);
  product.Run(x, m, epilogue, whole);
  const std::size_t stride = kernel.prepared_bytes(k);
  for (int begin = 0; begin < m; begin += 1 + begin % 3) {
    const int rows = std::min(m - begin, 1 + begin % 11);
    base::AlignedBuffer prepared(stride * static_cast<std::size_t>(rows));
    kernel.prepare(x.data() + begin * k, k, rows, k, prepared.data());
    std::vector<float> c(static_cast<std::size_t>(rows * (n + 5)), -777.0f);
    for (int panel = 0; panel < Panels(n, kernel.tile_n); ++panel) {
      const Upcoming next = panel == 0 ? Upcoming{product.packed.data(), 100'000} : Upcoming{};
      kernel.multiply(product.packed.data(), n, k, prepared.data(), rows, panel, panel + 1,
                      epilogue, c.data(), n + 5, product.scratch.data(), next);
    }
    for (int r = 0; r < rows; ++r) {
      for (int j = 0; j < n + 5; ++j) {
        const float expected = j < n ? whole.data()[(begin + r) * n + j] : -777.0f;
        ASSERT_EQ(c.data()[r * (n + 5) + j], expected) << begin << ' ' << r << ' ' << j;
      }
    }
  }
}

TEST_P(MatMul, PacksPanelsInAnyOrderAlike) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(6);
  const Weights w = MakeWeights(kernel.format, 131, 37, Fill::kNormal, random);
  Product product(kernel, w);
  base::AlignedBuffer again(product.packed.size());
  for (int panel = Panels(131, kernel.tile_n) - 1; panel >= 0; --panel) {
    kernel.pack(w.rows, panel, panel + 1, again.data());
  }
  const auto x = MakeExactActivations(kernel, 3, 37, false, random);
  std::vector<float> first, second;
  product.Run(x, 3, {}, first);
  std::swap(product.packed, again);
  product.Run(x, 3, {}, second);
  EXPECT_EQ(first, second);
}

TEST_P(MatMul, ZeroNanAndInfiniteRowsStayWithinTheirRow) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(7);
  const int m = 5, n = 20, k = 50;
  const Weights w = MakeWeights(kernel.format, n, k, Fill::kNormal, random);
  auto x = MakeExactActivations(kernel, m, k, false, random);
  const auto row = [&](int r) { return x.begin() + r * k; };
  std::fill_n(row(0), k, 0.0f);
  *row(1) = std::numeric_limits<float>::quiet_NaN();
  *(row(2) + 49) = std::numeric_limits<float>::infinity();
  std::fill_n(row(3), k, 1e-40f);
  std::vector<float> c;
  Product(kernel, w).Run(x, m, {}, c);
  for (std::size_t j = 0; j < n; ++j) {
    EXPECT_EQ(c[j], 0.0f);
    EXPECT_TRUE(std::isnan(c[n + j]));
    EXPECT_FALSE(std::isfinite(c[2 * n + j]));
    EXPECT_NEAR(c[3 * n + j], 0.0f, 1e-37);
    double magnitude = 0;
    const double expected = Dot(w, x, 4, j, &magnitude);
    EXPECT_NEAR(c[4 * n + j], expected, Tolerance(kernel, k, magnitude, expected));
  }
}

// The integers that symmetric rounding per row makes of x, as floats, times their scale.
std::vector<float> Rounded(const std::vector<float>& x, int k, int limit) {
  std::vector<float> out = x;
  for (std::size_t begin = 0; begin < x.size(); begin += static_cast<std::size_t>(k)) {
    const auto row = std::span(out).subspan(begin, static_cast<std::size_t>(k));
    float largest = 0;
    for (const float v : row) largest = std::max(largest, std::abs(v));
    const float scale = largest / static_cast<float>(limit), inverse = 1.0f / scale;
    for (float& v : row) v = std::nearbyint(v * inverse) * scale;
  }
  return out;
}

TEST_P(MatMul, RoundsActivationsToNearestOfTheirRowsScale) {
  const MatMulKernel& kernel = GetParam();
  std::mt19937 random(8);
  for (const int k : {5, 64, 200}) {
    const int m = 19, n = 65;
    const Weights w = MakeWeights(kernel.format, n, k, Fill::kNormal, random);
    std::vector<float> x(static_cast<std::size_t>(m * k)), c;
    for (float& v : x) v = Draw(Fill::kNormal, random, 0) * 40;
    Product(kernel, w).Run(x, m, {}, c);
    if (kernel.activation_max != 0) x = Rounded(x, k, kernel.activation_max);
    // bf16 rounds each activation to 8 bits of significand.
    const double per_term = kernel.format == Format::kBF16 ? 1.0 / 256 : 2e-7;
    for (std::size_t r = 0; r < m; ++r) {
      for (std::size_t j = 0; j < n; ++j) {
        double magnitude = 0;
        const double expected = Dot(w, x, r, j, &magnitude);
        ASSERT_NEAR(c[r * n + j], expected, per_term * magnitude + 1e-6 * std::abs(expected));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MatMul,
                         testing::ValuesIn(MatMulKernels().begin(), MatMulKernels().end()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(MatMulList, HasAPortableReferenceOfEachFormatAndSelectsBestFirst) {
  for (const MatMulKernel& kernel : MatMulKernels()) {
    EXPECT_EQ(SelectMatMul(kernel.format, base::Isa::kPortable).isa, base::Isa::kPortable);
    if (base::IsaUsable(base::DetectIsa(), kernel.isa)) {
      const bool pays = kernel.pays == nullptr || kernel.pays();
      EXPECT_EQ(SelectMatMul(kernel.format, kernel.isa).isa == kernel.isa, pays) << kernel.name;
    }
  }
}

}  // namespace
}  // namespace hone::kernels
