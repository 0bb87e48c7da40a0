// What training minimises: the parts that compress::LossWeights weighs, each a scalar tensor.
//
// Shapes  B items, T tokens of the ragged batch, D and D' student's and teacher's widths.
// Source  Hinton et al. 2015, arXiv:1503.02531; Wang et al. 2020, arXiv:2012.15828 (relations);
//         Kurtic et al. 2023, arXiv:2302.04089 (hidden states, divided by the teacher's size);
//         Liang et al. 2021, arXiv:2106.14448 (consistency).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/head.h"
#include "train/batches.h"
#include "train/graph.h"

namespace hone::train {

// Against the targets of the batch:
//   kLabel, kTags, kMaskedWords  cross-entropy, mean over items or counted tokens
//   kMultiLabel                  binary cross-entropy        kRegression  squared error
//   kSimilarity                  (cosine(a, b) - score)²     kAnswer  mean of begin's and end's
//   kJoint                       the sum of intent's and slots'
at::Tensor TaskLoss(Objective objective, const std::vector<at::Tensor>& heads,
                    const TrainingBatch& batch);

// Against the teacher's outputs: τ² · KL(softmax(t/τ) ‖ softmax(s/τ)), mean over rows, summed over a
// head's outputs; answers over each text's tokens; multi-label by sigmoids; regressions by squared
// error. Vectors: mean(1 - cosine(s, t)) where they are equally wide, plus the KL of the texts'
// likeness to each other, softmax over the batch of 20·cosine.
at::Tensor LogitsLoss(const model::Head& head, const std::vector<at::Tensor>& student,
                      const std::vector<at::Tensor>& teacher, std::span<const std::int32_t> begins,
                      double temperature);

// Of two passes' outputs a and b, whose gradients both count:
//   ½ (KL(softmax a ‖ softmax b) + KL(softmax b ‖ softmax a))
// over the rows that LogitsLoss takes the mean of; multi-label by sigmoids; regressions and vectors
// by LogitsLoss at τ = 1.
at::Tensor ConsistencyLoss(const model::Head& head, const std::vector<at::Tensor>& a,
                           const std::vector<at::Tensor>& b, std::span<const std::int32_t> begins);

// Mean over student layers i = 1..L, mapped to round(i·L'/L), and tokens of
//   mean((P s - t)²) / (mean(t²) + ε)        P [D',D]: undefined where the widths are equal
// States as Outputs::hidden_states: the embeddings come first and take no part.
at::Tensor HiddenLoss(const std::vector<at::Tensor>& student,
                      const std::vector<at::Tensor>& teacher, const at::Tensor& projection);

// Mean over query, key and value, over relation heads and tokens, of
//   KL(softmax(t tᵀ/√d') ‖ softmax(s sᵀ/√d))     within each text
// Each side's [T, H·K] is cut anew into as many relation heads as divide both widths, at most as
// many as the teacher has heads.
at::Tensor RelationsLoss(const Outputs& student, const Outputs& teacher,
                         std::span<const std::int32_t> begins);

}  // namespace hone::train
