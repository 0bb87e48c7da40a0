#include "train/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

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
  const float* gradient = nullptr;  // null: zeros
  std::size_t slot = 0;
  std::int64_t begin = 0, size = 0;
  bool only_decay = false;
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

// The rows of a sparse gradient; a run of rows without one is one piece.
void AddSparsePieces(const at::Tensor& gradient, std::size_t slot,
                     std::vector<std::uint8_t>& touched, std::vector<Piece>* pieces) {
  const at::Tensor indices = gradient._indices()[0].contiguous();
  const at::Tensor values = gradient._values();
  const std::int64_t width = values.numel() / std::max<std::int64_t>(1, values.size(0));
  const std::int64_t* given = indices.data_ptr<std::int64_t>();
  const std::int64_t* const end = given + indices.numel();  // ascending: coalesced
  const float* value = values.data_ptr<float>();
  const auto rows = static_cast<std::int64_t>(touched.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    Piece piece{.slot = slot, .begin = row * width, .size = width};
    auto& was_touched = touched[static_cast<std::size_t>(row)];
    if (given != end && *given == row) {
      piece.gradient = value;
      value += width;
      ++given;
      was_touched = 1;
    }
    piece.only_decay = was_touched == 0;
    const bool extends = piece.gradient == nullptr && !pieces->empty() &&
                         pieces->back().slot == slot && pieces->back().gradient == nullptr &&
                         pieces->back().only_decay == piece.only_decay &&
                         pieces->back().size + width <= kChunk;
    if (extends) {
      pieces->back().size += width;
    } else {
      pieces->push_back(piece);
    }
  }
}

// Thread-independent: a sum a piece, added up in order.
double NormOf(const std::vector<Piece>& pieces) {
  std::vector<double> squares(pieces.size());
  at::parallel_for(
      0, static_cast<std::int64_t>(pieces.size()), 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const Piece& piece = pieces[static_cast<std::size_t>(i)];
          if (piece.gradient == nullptr) continue;
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

double AdamW::Step(double learning_rate, double clip, double scale) {
  std::vector<Piece> pieces;
  std::vector<at::Tensor> gradients(slots_.size());  // keeps them until the end
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const at::Tensor gradient = slot.parameter.value.grad();
    if (!gradient.defined()) continue;
    if (gradient.is_sparse()) {
      gradients[i] = gradient.coalesce();
      slot.touched.resize(static_cast<std::size_t>(slot.parameter.value.size(0)));
      AddSparsePieces(gradients[i], i, slot.touched, &pieces);
    } else {
      gradients[i] = gradient.contiguous();
      AddPieces(gradients[i].data_ptr<float>(), i, gradient.numel(), &pieces);
    }
  }
  const double norm = NormOf(pieces) * scale;
  if (std::isfinite(norm)) {
    ++steps_;
    const double step = static_cast<double>(steps_);
    kernels::AdamWFactors factors;
    factors.gradient = static_cast<float>(scale * (clip > 0 && norm > clip ? clip / norm : 1));
    factors.beta1 = static_cast<float>(options_.beta1);
    factors.beta2 = static_cast<float>(options_.beta2);
    factors.rate = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, step)));
    factors.root_correction = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, step)));
    factors.epsilon = static_cast<float>(options_.epsilon);
    const auto keep = static_cast<float>(1 - learning_rate * options_.weight_decay);
    at::parallel_for(0, static_cast<std::int64_t>(pieces.size()), 4,
                     [&](std::int64_t begin, std::int64_t end) {
                       kernels::AdamWFactors mine = factors;
                       for (std::int64_t i = begin; i < end; ++i) {
                         const Piece& piece = pieces[static_cast<std::size_t>(i)];
                         const Slot& slot = slots_[piece.slot];
                         const auto size = static_cast<std::size_t>(piece.size);
                         float* w = slot.parameter.value.data_ptr<float>() + piece.begin;
                         mine.keep = slot.parameter.decay ? keep : 1.0f;
                         if (!piece.only_decay) {
                           kernels::StepAdamW(mine, piece.gradient, size, w,
                                              slot.first.data_ptr<float>() + piece.begin,
                                              slot.second.data_ptr<float>() + piece.begin);
                         } else if (mine.keep != 1) {
                           kernels::ScaleValues(mine.keep, size, w);
                         }
                       }
                     });
  }
  ClearGradients();
  return norm;
}

std::vector<Moments> AdamW::moments() const {
  std::vector<Moments> moments;
  for (const Slot& slot : slots_) {
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
    // A row that ever had a gradient has a second moment, or one so small that it is lost.
    if (slot.parameter.value.dim() == 2) {
      const at::Tensor rows = at::logical_or(slot.first.ne(0).any(1), slot.second.ne(0).any(1));
      const bool* flags = rows.data_ptr<bool>();
      slot.touched.assign(flags, flags + rows.numel());
    }
  }
  steps_ = steps;
  return base::OkStatus();
}

}  // namespace hone::train
