// A device profile for tests of compression: with one of another device nothing is timed, so every
// run gives the same ladder.
#pragma once

#include "compress/latency/device_profile.h"

namespace hone::compress {

// Another processor's: blocks cost what they have of heads and columns, int8 half of f32.
inline DeviceProfile ProfileElsewhere(const model::ModelConfig& config) {
  DeviceProfile profile;
  profile.processor = "Cortex-A76";
  profile.isa = "neondot";
  profile.workload = {1, 2, {8}};
  profile.architecture = config.architecture;
  profile.width = config.width;
  profile.head_size = config.head_size;
  const int heads = config.layers[0].heads, ffn = config.layers[0].ffn;
  for (const quant::Format format : {quant::Format::kF32, quant::Format::kInt8}) {
    const double unit = format == quant::Format::kF32 ? 1 : 0.5;
    profile.fixed.push_back({format, 0.2});
    for (int h = 0; h <= heads; ++h) {
      profile.costs.push_back({Block::kAttention, format, h, unit * (0.02 + 1.0 * h / heads)});
    }
    profile.costs.push_back({Block::kFeedForward, format, 0, unit * 0.02});
    profile.costs.push_back({Block::kFeedForward, format, ffn, unit * 1.02});
  }
  return profile;
}

}  // namespace hone::compress
