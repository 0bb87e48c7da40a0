#include "text/byte_trie.h"

namespace hone::text {

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, std::int32_t>> keys) {
  root_.fill(-1);
  struct Range {
    std::uint32_t node;  // kNoNode: the root
    std::size_t begin, end, depth;
  };
  constexpr std::uint32_t kNoNode = 0xFFFFFFFF;
  std::vector<std::pair<std::string_view, std::int32_t>> bucketed(keys.size());
  std::vector<Range> ranges = {{kNoNode, 0, keys.size(), 0}};
  // Ranges are taken in order of depth, so that the children of a node are laid side by side.
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    const Range range = ranges[r];
    std::size_t ended = range.begin;
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if (keys[i].first.size() == range.depth) {
        if (range.node != kNoNode) nodes_[range.node].value = keys[i].second;
        std::swap(keys[i], keys[ended]);
        ++ended;
      }
    }
    if (ended == range.end) continue;
    const auto first = static_cast<std::uint32_t>(nodes_.size());
    const auto add_child = [&](std::size_t byte, std::size_t from, std::size_t to) {
      const auto child = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back().label = static_cast<unsigned char>(byte);
      if (range.node == kNoNode) root_[byte] = static_cast<std::int32_t>(child);
      ranges.push_back({child, from, to, range.depth + 1});
    };
    // A key alone has one child a byte; sorting it into 256 buckets would take a long one seconds.
    if (range.end - ended == 1) {
      add_child(static_cast<unsigned char>(keys[ended].first[range.depth]), ended, range.end);
      if (range.node != kNoNode) {
        nodes_[range.node].first_child = first;
        nodes_[range.node].children = 1;
      }
      continue;
    }
    std::array<std::uint32_t, 257> begin = {};
    for (std::size_t i = ended; i < range.end; ++i) {
      ++begin[static_cast<unsigned char>(keys[i].first[range.depth]) + std::size_t{1}];
    }
    for (std::size_t b = 0; b < 256; ++b) begin[b + 1] += begin[b];
    std::array<std::uint32_t, 257> at = begin;
    for (std::size_t i = ended; i < range.end; ++i) {
      const auto byte = static_cast<unsigned char>(keys[i].first[range.depth]);
      bucketed[ended + at[byte]++] = keys[i];
    }
    for (std::size_t i = ended; i < range.end; ++i) keys[i] = bucketed[i];
    for (std::size_t b = 0; b < 256; ++b) {
      if (begin[b] != begin[b + 1]) add_child(b, ended + begin[b], ended + begin[b + 1]);
    }
    if (range.node != kNoNode) {
      nodes_[range.node].first_child = first;
      nodes_[range.node].children = static_cast<std::uint16_t>(nodes_.size() - first);
    }
  }
}

}  // namespace hone::text
