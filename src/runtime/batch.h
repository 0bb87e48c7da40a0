// A ragged batch: the tokens of several texts, one after the other, without padding.
#pragma once

#include <cstdint>
#include <span>

namespace hone::runtime {

// Non-owning. Text b has the tokens [begins[b], begins[b+1]).
struct Batch {
  std::span<const std::int32_t> ids;     // [T]
  std::span<const std::int32_t> types;   // [T], or empty: all 0
  std::span<const std::int32_t> begins;  // [B+1]; begins[0] = 0, begins[B] = T

  int tokens() const { return static_cast<int>(ids.size()); }
  int texts() const { return static_cast<int>(begins.size()) - 1; }
  int begin(int text) const { return begins[static_cast<std::size_t>(text)]; }
  int length(int text) const { return begin(text + 1) - begin(text); }
};

// Layers [begin, end). The range that begins at 0 includes the embeddings, the one that ends at L
// the final norm: a pipeline stage is nothing but a range.
struct LayerRange {
  int begin = 0;
  int end = 0;
};

}  // namespace hone::runtime
