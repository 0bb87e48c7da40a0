#include "train/part_gradients.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

namespace hone::train {
namespace {

struct Part {
  double loss = 0;
  std::vector<at::Tensor> gradients;  // of each parameter; undefined: none
};

Part Compute(const at::Tensor& loss, const std::vector<at::Tensor>& leaves) {
  Part part;
  part.loss = loss.item<double>();
  part.gradients.resize(leaves.size());
  if (!loss.requires_grad()) return part;
  part.gradients = torch::autograd::grad({loss}, leaves, /*grad_outputs=*/{},
                                         /*retain_graph=*/c10::nullopt, /*create_graph=*/false,
                                         /*allow_unused=*/true);
  return part;
}

}  // namespace

double AddGradients(const std::vector<Parameter>& parameters, std::size_t parts,
                    const std::function<at::Tensor(std::size_t part)>& loss_of) {
  std::vector<at::Tensor> leaves;
  for (const Parameter& parameter : parameters) leaves.push_back(parameter.value);
  std::vector<Part> computed(parts);
  const auto compute = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto part = static_cast<std::size_t>(i);
      computed[part] = Compute(loss_of(part), leaves);
    }
  };
  if (parts == 1) {
    compute(0, 1);
  } else {
    at::parallel_for(0, static_cast<std::int64_t>(parts), 1, compute);
  }
  const c10::NoGradGuard no_gradients;
  double loss = 0;
  for (const Part& part : computed) loss += part.loss;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor sum = leaves[i].grad();
    for (Part& part : computed) {
      at::Tensor& gradient = part.gradients[i];
      if (!gradient.defined()) continue;
      sum = sum.defined() ? sum + gradient : gradient;
      gradient.reset();  // one set of gradients a part is enough
    }
    leaves[i].mutable_grad() = sum;
  }
  return loss;
}

}  // namespace hone::train
