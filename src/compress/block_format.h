// The number formats of one block's matrices (a layer's attention, or its feed-forward).
//
//   in   what reads the block's input: query, key and value, which are one product; or up (and gate)
//   out  what writes its output: the attention's output matrix, or down
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "compress/prune/snapshots.h"
#include "quant/format.h"

namespace hone::compress {

struct BlockFormat {
  quant::Format in = quant::Format::kF32;
  quant::Format out = quant::Format::kF32;

  bool operator==(const BlockFormat&) const = default;
};

// Names of two formats as one: "int8" where they are the same, "int4+int8" (in, out) where not.
std::string NameOfPair(std::string_view in, std::string_view out);
std::string NameOf(BlockFormat format);
// What NameOfPair has made. An error names the format that is unknown.
base::StatusOr<BlockFormat> ParseBlockFormat(std::string_view name);

// The part of a block's weights that is in `in`.
double ShareOfIn(Block block, bool gated_ffn);

}  // namespace hone::compress
