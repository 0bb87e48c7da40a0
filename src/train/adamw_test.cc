#include "train/adamw.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sparse_coo_tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace hone::train {
namespace {

Parameter Make(const std::string& name, const std::vector<std::int64_t>& shape, bool decay) {
  at::Tensor value = at::arange(at::empty(shape).numel(), at::kFloat).mul(0.37).sin().view(shape);
  return {name, value.set_requires_grad(true), decay};
}

// The formula of the header, in doubles, over one value's history.
struct Scalar {
  double w, m = 0, v = 0;
  void Step(double g, double rate, double decay, int step) {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= rate * decay * w;
    w -= rate * (m / (1 - std::pow(0.9, step))) /
         (std::sqrt(v / (1 - std::pow(0.999, step))) + 1e-8);
  }
};

TEST(AdamW, FollowsTheFormulaWithClippingAndSparseRows) {
  // 37 and 5·7: no multiple of a vector.
  const Parameter parameters[] = {Make("a", {37}, false), Make("table", {11, 5}, true)};
  AdamW adam({parameters[0], parameters[1]}, {.weight_decay = 0.1});
  std::vector<Scalar> a, table;
  for (int i = 0; i < 37; ++i) a.push_back({parameters[0].value[i].item<float>()});
  for (int i = 0; i < 55; ++i) table.push_back({parameters[1].value.flatten()[i].item<float>()});
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (int step = 1; step <= 6; ++step) {
    std::vector<float> dense(37);
    for (float& g : dense) g = static_cast<float>(normal(random));
    // A row that comes twice, rows that never come.
    const std::vector<std::int64_t> rows = {2, step, 2};
    std::vector<float> sparse(15);
    for (float& g : sparse) g = static_cast<float>(normal(random));
    parameters[0].value.mutable_grad() = at::tensor(dense);
    parameters[1].value.mutable_grad() = at::sparse_coo_tensor(
        at::tensor(rows, at::kLong).view({1, 3}), at::tensor(sparse).view({3, 5}), {11, 5});
    std::vector<double> summed(55);
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t i = 0; i < 5; ++i) {
        summed[static_cast<std::size_t>(rows[r]) * 5 + i] += double{sparse[r * 5 + i]};
      }
    }
    double squares = 0;
    for (const float g : dense) squares += double{g} * g;
    for (const double g : summed) squares += g * g;
    const double norm = std::sqrt(squares) * 0.5;
    EXPECT_NEAR(adam.Step(0.01, 2.0, 0.5), norm, 1e-5 * norm);
    const double factor = 0.5 * std::min(1.0, 2.0 / norm);
    for (std::size_t i = 0; i < a.size(); ++i) a[i].Step(dense[i] * factor, 0.01, 0, step);
    for (std::size_t i = 0; i < 55; ++i) table[i].Step(summed[i] * factor, 0.01, 0.1, step);
    // Rows that are read are up to date, whether they had a gradient or not.
    adam.Touch(std::vector<std::int32_t>{7, 2, 7});
    for (const std::size_t i : {std::size_t{35}, std::size_t{39}, std::size_t{10}}) {
      EXPECT_NEAR(parameters[1].value.flatten()[static_cast<std::int64_t>(i)].item<float>(),
                  table[i].w, 1e-5);
    }
  }
  adam.Settle();
  for (int i = 0; i < 37; ++i) {
    EXPECT_NEAR(parameters[0].value[i].item<float>(), a[static_cast<std::size_t>(i)].w, 1e-5) << i;
  }
  for (int i = 0; i < 55; ++i) {
    EXPECT_NEAR(parameters[1].value.flatten()[i].item<float>(),
                table[static_cast<std::size_t>(i)].w, 1e-5)
        << i;
  }
  EXPECT_FALSE(parameters[0].value.grad().defined());
}

TEST(AdamW, LeavesEverythingWhereAGradientIsNotFinite) {
  const Parameter parameter = Make("a", {8}, true);
  AdamW adam({parameter}, {});
  const at::Tensor before = parameter.value.detach().clone();
  at::Tensor gradient = at::ones({8});
  gradient[5] = NAN;
  parameter.value.mutable_grad() = gradient;
  EXPECT_TRUE(std::isnan(adam.Step(0.1, 1.0)));
  EXPECT_TRUE(parameter.value.equal(before));
  EXPECT_EQ(adam.steps(), 0);
  EXPECT_FALSE(parameter.value.grad().defined());
}

TEST(AdamW, GoesOnAfterRestoreAsIfNothingHadHappened) {
  const auto steps = [](AdamW& adam, const Parameter& table, int from, int to) {
    for (int step = from; step < to; ++step) {
      table.value.mutable_grad() = at::sparse_coo_tensor(
          at::tensor(std::vector<std::int64_t>{step % 3}, at::kLong).view({1, 1}),
          at::full({1, 5}, 0.1 * (step + 1)), {11, 5});
      adam.Step(0.01, 0);
    }
  };
  const Parameter whole = Make("table", {11, 5}, true), parts = Make("table", {11, 5}, true);
  AdamW straight({whole}, {}), first({parts}, {}), second({parts}, {});
  steps(straight, whole, 0, 9);
  steps(first, parts, 0, 4);
  first.Settle();
  ASSERT_TRUE(second.Restore(first.moments(), first.steps()).ok());
  steps(second, parts, 4, 9);
  straight.Settle();
  second.Settle();
  EXPECT_TRUE(whole.value.equal(parts.value));
  AdamW other({Make("else", {3}, true)}, {});
  EXPECT_FALSE(other.Restore(first.moments(), 1).ok());
}

}  // namespace
}  // namespace hone::train
