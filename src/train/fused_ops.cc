#include "train/fused_ops.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/distance/distance.h"
#include "kernels/short_attention/short_attention.h"

namespace hone::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Where each text's tokens begin, and its probabilities: [H, length, length] each.
struct Places {
  std::vector<std::int64_t> begins, pairs;
};

Places PlacesOf(const at::Tensor& begins, std::int64_t heads) {
  Places places;
  const std::int64_t* const given = begins.data_ptr<std::int64_t>();
  places.begins.assign(given, given + begins.numel());
  places.pairs = {0};
  for (std::size_t b = 0; b + 1 < places.begins.size(); ++b) {
    const std::int64_t length = places.begins[b + 1] - places.begins[b];
    places.pairs.push_back(places.pairs.back() + heads * length * length);
  }
  return places;
}

// Autograd's functions take no undefined tensor: one without values stands for it.
const float* DataOrNull(const at::Tensor& tensor) {
  return tensor.numel() > 0 ? tensor.data_ptr<float>() : nullptr;
}

class ShortAttentionFunction : public torch::autograd::Function<ShortAttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const at::Tensor& begins, std::int64_t heads,
                            const at::Tensor& keep) {
    const at::Tensor inputs[] = {q.contiguous(), k.contiguous(), v.contiguous()};
    const Places places = PlacesOf(begins, heads);
    const at::Tensor probabilities = at::empty({places.pairs.back()}, at::kFloat);
    at::Tensor out = at::empty_like(inputs[0]);
    const std::int64_t width = q.size(1);
    const float* const kept = DataOrNull(keep);
    ForEachText(places, heads, width, [&](const auto& shape, std::int64_t at, std::int64_t pairs) {
      kernels::ShortAttention(shape, inputs[0].data_ptr<float>() + at,
                              inputs[1].data_ptr<float>() + at, inputs[2].data_ptr<float>() + at,
                              kept == nullptr ? nullptr : kept + pairs,
                              probabilities.data_ptr<float>() + pairs, out.data_ptr<float>() + at);
    });
    context->save_for_backward({inputs[0], inputs[1], inputs[2], begins, keep, probabilities});
    context->saved_data["heads"] = heads;
    return out;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const tensor_list saved = context->get_saved_variables();
    const std::int64_t heads = context->saved_data["heads"].toInt();
    const at::Tensor d_out = gradients[0].contiguous();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const Places places = PlacesOf(saved[3], heads);
    const float* const kept = DataOrNull(saved[4]);
    at::Tensor d_q = at::empty_like(q), d_k = at::empty_like(k), d_v = at::empty_like(v);
    ForEachText(
        places, heads, q.size(1), [&](const auto& shape, std::int64_t at, std::int64_t pairs) {
          kernels::ShortAttentionGradient(
              shape, q.data_ptr<float>() + at, k.data_ptr<float>() + at, v.data_ptr<float>() + at,
              kept == nullptr ? nullptr : kept + pairs, saved[5].data_ptr<float>() + pairs,
              d_out.data_ptr<float>() + at, d_q.data_ptr<float>() + at, d_k.data_ptr<float>() + at,
              d_v.data_ptr<float>() + at);
        });
    return {d_q, d_k, d_v, at::Tensor(), at::Tensor(), at::Tensor()};
  }

 private:
  // body(shape, first value of its tokens, first of its probabilities)
  template <typename Body>
  static void ForEachText(const Places& places, std::int64_t heads, std::int64_t width,
                          const Body& body) {
    const auto texts = static_cast<std::int64_t>(places.begins.size()) - 1;
    at::parallel_for(0, texts, 4, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        const auto i = static_cast<std::size_t>(b);
        const auto size = static_cast<int>(width / heads);
        const kernels::ShortAttentionShape shape{
            static_cast<int>(places.begins[i + 1] - places.begins[i]), static_cast<int>(heads),
            size, 1 / std::sqrt(static_cast<float>(size))};
        body(shape, places.begins[i] * width, places.pairs[i]);
      }
    });
  }
};

class DistanceFunction : public torch::autograd::Function<DistanceFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& y,
                            double epsilon) {
    const at::Tensor is = x.contiguous(), other = y.contiguous();
    at::Tensor gradient = at::empty_like(is);
    const std::int64_t rows = is.size(0), width = is.size(1);
    // Sums of fixed chunks, so that they do not depend on the number of threads.
    constexpr std::int64_t kRows = 64;
    std::vector<double> sums(static_cast<std::size_t>((rows + kRows - 1) / kRows));
    at::parallel_for(
        0, static_cast<std::int64_t>(sums.size()), 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t chunk = begin; chunk < end; ++chunk) {
            const std::int64_t first = chunk * kRows;
            const auto count = static_cast<int>(std::min(kRows, rows - first));
            sums[static_cast<std::size_t>(chunk)] = kernels::RelativeDistance(
                is.data_ptr<float>() + first * width, other.data_ptr<float>() + first * width,
                count, static_cast<int>(width), static_cast<float>(epsilon),
                gradient.data_ptr<float>() + first * width);
          }
        });
    double sum = 0;
    for (const double part : sums) sum += part;
    context->save_for_backward({gradient});
    return at::scalar_tensor(sum / static_cast<double>(rows), at::kFloat);
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const at::Tensor gradient = context->get_saved_variables()[0];
    const double by = gradients[0].item<double>() / static_cast<double>(gradient.size(0));
    return {gradient * by, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor AttendShort(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads,
                       std::span<const std::int32_t> begins, const Dropout& dropout) {
  const std::vector<std::int64_t> wide(begins.begin(), begins.end());
  at::Tensor keep = at::empty({0}, at::kFloat);
  if (dropout.rate > 0) {
    std::int64_t pairs = 0;
    for (std::size_t b = 0; b + 1 < wide.size(); ++b) {
      pairs += heads * (wide[b + 1] - wide[b]) * (wide[b + 1] - wide[b]);
    }
    keep = Drop(at::ones({pairs}, at::kFloat), dropout);
  }
  return ShortAttentionFunction::apply(q, k, v, at::tensor(wide, at::kLong),
                                       static_cast<std::int64_t>(heads), keep);
}

at::Tensor MeanDistance(const at::Tensor& x, const at::Tensor& y, double epsilon) {
  return DistanceFunction::apply(x, y, epsilon);
}

}  // namespace hone::train
