// Scales of a matrix's input channels, folded into what comes before, so that the model computes the
// same with activations that are easier to round:
//
//   y = W·x = (W·diag(s)) · (diag(1/s)·x)
//
// What lies before a layer's matrices, and where 1/s can go:
//   output  attention sums rows of V, channel by channel: into the rows of `value` and its bias.
//           Every architecture.
//   down    into the rows of `up`, where the activation lets a positive factor through: ReLU, and
//           the half of a gated feed-forward that is not activated (ModernBERT). Not GELU.
//   QKV,    into the gain and bias of the norm before them where only they read it: norm first
//   up      (ModernBERT). Where the norm comes last (BERT and its kin) the residual reads it too.
//
// Source  SmoothQuant, Xiao et al. 2022, arXiv:2211.10438, section 4; AWQ, Lin et al. 2023,
//         arXiv:2306.00978, section 3.2.
#pragma once

#include <span>

#include "base/status.h"
#include "compress/draft.h"
#include "runtime/tap.h"

namespace hone::compress {

bool CanFold(const model::Model& model, int layer, runtime::Tap input);

// Multiplies the columns of the matrices that read `input` by scale [K], and divides what comes
// before by it. The tensors become F32; weights must be float. Needs CanFold; the caller Binds the
// draft before its model is used again.
base::Status Fold(Draft* draft, int layer, runtime::Tap input, std::span<const float> scale);

}  // namespace hone::compress
