// A trie over bytes, built once: which of many strings are prefixes of a text.
//
// The children of a node lie together, sorted, so that a small node costs one cache line; the
// root's are found by table. Building sorts nothing: it buckets the keys byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace hone::text {

class ByteTrie {
 public:
  ByteTrie() { root_.fill(-1); }
  // Keys are not empty and values not negative; of equal keys the last counts.
  explicit ByteTrie(std::vector<std::pair<std::string_view, std::int32_t>> keys);

  // Calls found(length, value) for each key that `text` begins with, shortest first.
  template <typename Found>
  void Prefixes(std::string_view text, Found&& found) const {
    if (text.empty()) return;
    std::int32_t node = root_[static_cast<unsigned char>(text[0])];
    for (std::size_t i = 1; node >= 0; ++i) {
      const Node& at = nodes_[static_cast<std::size_t>(node)];
      if (at.value >= 0) found(i, at.value);
      if (i == text.size()) return;
      node = Child(at, static_cast<unsigned char>(text[i]));
    }
  }
  bool CanBegin(unsigned char byte) const { return root_[byte] >= 0; }

 private:
  struct Node {
    std::int32_t value = -1;
    std::uint32_t first_child = 0;
    std::uint16_t children = 0;
    unsigned char label = 0;
  };
  std::int32_t Child(const Node& node, unsigned char label) const {
    std::uint32_t low = node.first_child, high = node.first_child + node.children;
    while (high - low > 4) {
      const std::uint32_t middle = (low + high) / 2;
      (nodes_[middle].label <= label ? low : high) = middle;
    }
    for (; low < high; ++low) {
      if (nodes_[low].label == label) return static_cast<std::int32_t>(low);
    }
    return -1;
  }

  std::array<std::int32_t, 256> root_;
  std::vector<Node> nodes_;
};

}  // namespace hone::text
