// The plain forward pass that every fast path is held to: loops, f32 data, double sums, no
// cleverness.
//
// Quantised matrices are dequantised to f32 first, so that it is the oracle of the stored format
// too.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/model.h"

namespace hone::model {

// One text: ids [T], types [T] (empty: zeros). Returns the encoder's output [T,D].
std::vector<float> ReferenceForward(const ModelConfig& config, const EncoderWeights& weights,
                                    std::span<const std::int32_t> ids,
                                    std::span<const std::int32_t> types);

// One output of the head from hidden [T,D]: [rows, width]. mask_id is used by Rows::kMasked only.
std::vector<float> ReferenceHead(const ModelConfig& config, const Head& head,
                                 const HeadOutput& output, std::span<const float> hidden,
                                 std::span<const std::int32_t> ids, std::int32_t mask_id);

}  // namespace hone::model
