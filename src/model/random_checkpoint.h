// A checkpoint that makes up every tensor it is asked for: normal(0, 0.02), from a seed.
//
// Has and HasMatrix are false for everything, so that optional parts are left out and only what the
// config requires is made. The values depend on the seed and the tensor's name alone. Names and Find
// list what was made so far.
#pragma once

#include <cstdint>
#include <memory>

#include "formats/checkpoint.h"

namespace hone::model {

std::shared_ptr<const formats::Checkpoint> MakeRandomCheckpoint(std::uint64_t seed);

}  // namespace hone::model
