#include "runtime/tasks/scores.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "base/check.h"

namespace hone::runtime {

std::vector<float> Softmax(std::span<const float> logits) {
  std::vector<float> out(logits.size());
  if (logits.empty()) return out;
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> powers(logits.size());
  double total = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    powers[i] = std::exp(logits[i] - largest);
    total += powers[i];
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    out[i] = static_cast<float>(powers[i] / total);
  }
  return out;
}

float Sigmoid(float x) {
  return static_cast<float>(1 / (1 + std::exp(-double{x})));
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  HONE_CHECK(a.size() == b.size());
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

int ArgMax(std::span<const float> values) {
  HONE_CHECK(!values.empty());
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

std::vector<int> TopIndices(std::span<const float> values, int count) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto better = [&](int a, int b) {
    const float x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const auto kept =
      std::min<std::size_t>(static_cast<std::size_t>(std::max(0, count)), order.size());
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(order.begin(), middle, order.end(), better);
  order.resize(kept);
  return order;
}

}  // namespace hone::runtime
