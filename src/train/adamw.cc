#include "train/adamw.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "kernels/adamw/adamw.h"

namespace hone::train {
namespace {

// Values a thread takes at a time: its four streams pass through L2, and sums of a norm do not
// depend on the number of threads.
constexpr std::int64_t kChunk = 1 << 15;

// A run of values with the gradient that belongs to it.
struct Piece {
  const float* gradient = nullptr;
  std::size_t slot = 0;
  std::int64_t begin = 0, size = 0;
};

void AddPieces(const float* gradient, std::size_t slot, std::int64_t size,
               std::vector<Piece>* pieces) {
  for (std::int64_t begin = 0; begin < size; begin += kChunk) {
    pieces->push_back({.gradient = gradient + begin,
                       .slot = slot,
                       .begin = begin,
                       .size = std::min(kChunk, size - begin)});
  }
}

// Rows that a coalesced sparse gradient has: ascending, each once.
std::span<const std::int64_t> RowsOf(const at::Tensor& gradient) {
  const at::Tensor indices = gradient._indices()[0];
  HONE_CHECK(indices.is_contiguous());
  return {indices.data_ptr<std::int64_t>(), static_cast<std::size_t>(indices.numel())};
}

void AddRowPieces(const at::Tensor& gradient, std::size_t slot, std::vector<Piece>* pieces) {
  const at::Tensor values = gradient._values();
  HONE_CHECK(values.is_contiguous());
  const float* value = values.data_ptr<float>();
  const std::int64_t width = values.size(1);
  for (const std::int64_t row : RowsOf(gradient)) {
    pieces->push_back({.gradient = value, .slot = slot, .begin = row * width, .size = width});
    value += width;
  }
}

// Thread-independent: a sum a piece, added up in order.
double NormOf(const std::vector<Piece>& pieces) {
  std::vector<double> squares(pieces.size());
  at::parallel_for(
      0, static_cast<std::int64_t>(pieces.size()), 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const Piece& piece = pieces[static_cast<std::size_t>(i)];
          squares[static_cast<std::size_t>(i)] =
              kernels::SumOfSquares(piece.gradient, static_cast<std::size_t>(piece.size));
        }
      });
  double sum = 0;
  for (const double square : squares) sum += square;
  return std::sqrt(sum);
}

}  // namespace

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& options) : options_(options) {
  for (Parameter& parameter : parameters) {
    HONE_CHECK(parameter.value.is_contiguous() && parameter.value.scalar_type() == at::kFloat);
    Slot slot;
    slot.first = at::zeros(parameter.value.sizes(), at::kFloat);
    slot.second = at::zeros(parameter.value.sizes(), at::kFloat);
    slot.parameter = std::move(parameter);
    slots_.push_back(std::move(slot));
  }
}

void AdamW::ClearGradients() {
  for (Slot& slot : slots_) slot.parameter.value.mutable_grad().reset();
}

void AdamW::CatchUp(Slot& slot, std::int64_t row) {
  const auto index = static_cast<std::size_t>(row);
  const std::size_t from = slot.done[index];
  if (from == slot.passed.size()) return;
  const std::int64_t width = slot.first.size(1);
  kernels::IdleAdamW(
      slot.passed.data() + from, slot.passed.size() - from, static_cast<std::size_t>(width),
      slot.parameter.value.data_ptr<float>() + row * width,
      slot.first.data_ptr<float>() + row * width, slot.second.data_ptr<float>() + row * width);
  slot.done[index] = slot.passed.size();
}

void AdamW::Touch(std::span<const std::int32_t> rows) {
  std::vector<std::int32_t> each;
  for (Slot& slot : slots_) {
    if (slot.passed.empty()) continue;
    if (each.empty()) {  // once: two threads must not take one row
      each.assign(rows.begin(), rows.end());
      std::sort(each.begin(), each.end());
      each.erase(std::unique(each.begin(), each.end()), each.end());
    }
    const auto size = static_cast<std::int64_t>(each.size());
    at::parallel_for(0, size, 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) CatchUp(slot, each[static_cast<std::size_t>(i)]);
    });
  }
}

void AdamW::Settle() {
  for (Slot& slot : slots_) {
    if (slot.passed.empty()) continue;
    const auto rows = static_cast<std::int64_t>(slot.done.size());
    at::parallel_for(0, rows, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) CatchUp(slot, row);
    });
    slot.passed.clear();
    std::fill(slot.done.begin(), slot.done.end(), 0);
  }
}

kernels::AdamWFactors AdamW::FactorsOfNextStep(double learning_rate) const {
  const double step = static_cast<double>(steps_ + 1);
  kernels::AdamWFactors factors;
  factors.beta1 = static_cast<float>(options_.beta1);
  factors.beta2 = static_cast<float>(options_.beta2);
  factors.rate = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, step)));
  factors.root_correction = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, step)));
  factors.epsilon = static_cast<float>(options_.epsilon);
  factors.keep = static_cast<float>(1 - learning_rate * options_.weight_decay);
  return factors;
}

double AdamW::Step(double learning_rate, double clip, double scale) {
  std::vector<Piece> pieces;
  std::vector<at::Tensor> gradients(slots_.size());  // keeps them until the end
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const at::Tensor gradient = slots_[i].parameter.value.grad();
    if (!gradient.defined()) continue;
    if (gradient.is_sparse()) {
      gradients[i] = gradient.coalesce();
      AddRowPieces(gradients[i], i, &pieces);
    } else {
      gradients[i] = gradient.contiguous();
      AddPieces(gradients[i].data_ptr<float>(), i, gradient.numel(), &pieces);
    }
  }
  const double norm = NormOf(pieces) * scale;
  if (!std::isfinite(norm)) {
    ClearGradients();
    return norm;
  }
  kernels::AdamWFactors factors = FactorsOfNextStep(learning_rate);
  factors.gradient = static_cast<float>(scale * (clip > 0 && norm > clip ? clip / norm : 1));
  const auto factors_of = [&](const Slot& slot) {
    kernels::AdamWFactors mine = factors;
    if (!slot.parameter.decay) mine.keep = 1;
    return mine;
  };
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (!gradients[i].defined() || !gradients[i].is_sparse()) continue;
    slot.done.resize(static_cast<std::size_t>(slot.parameter.value.size(0)));
    // Whoever read them had them touched; a gradient without a reader is nothing to rely on.
    for (const std::int64_t row : RowsOf(gradients[i])) {
      CatchUp(slot, row);
      ++slot.done[static_cast<std::size_t>(row)];  // the step below
    }
    slot.passed.push_back(factors_of(slot));
  }
  at::parallel_for(
      0, static_cast<std::int64_t>(pieces.size()), 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const Piece& piece = pieces[static_cast<std::size_t>(i)];
          const Slot& slot = slots_[piece.slot];
          kernels::StepAdamW(factors_of(slot), piece.gradient, static_cast<std::size_t>(piece.size),
                             slot.parameter.value.data_ptr<float>() + piece.begin,
                             slot.first.data_ptr<float>() + piece.begin,
                             slot.second.data_ptr<float>() + piece.begin);
        }
      });
  ++steps_;
  ClearGradients();
  return norm;
}

std::vector<Moments> AdamW::moments() const {
  std::vector<Moments> moments;
  for (const Slot& slot : slots_) {
    HONE_CHECK(slot.passed.empty());
    moments.push_back({slot.parameter.name, slot.first, slot.second});
  }
  return moments;
}

base::Status AdamW::Restore(const std::vector<Moments>& moments, std::int64_t steps) {
  if (moments.size() != slots_.size()) {
    return base::BadInput("the saved optimiser has ", moments.size(), " tensors, the model ",
                          slots_.size());
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    const auto fits = [&](const at::Tensor& tensor) {
      return tensor.defined() && tensor.scalar_type() == at::kFloat &&
             tensor.sizes() == slot.parameter.value.sizes();
    };
    if (moments[i].name != slot.parameter.name || !fits(moments[i].first) ||
        !fits(moments[i].second)) {
      return base::BadInput("the saved optimiser's tensor \"", moments[i].name,
                            "\" does not fit the model's \"", slot.parameter.name, "\"");
    }
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.first.copy_(moments[i].first);
    slot.second.copy_(moments[i].second);
    slot.passed.clear();
    std::fill(slot.done.begin(), slot.done.end(), 0);
  }
  steps_ = steps;
  return base::OkStatus();
}

}  // namespace hone::train
