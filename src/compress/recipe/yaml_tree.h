// YAML as a plain tree with line numbers: the only thing of yaml-cpp that the rest of Hone sees.
//
// Kept small on purpose, since a recipe is a page long: one document, no anchors or aliases (which
// can blow a small text up), keys are plain texts and none is there twice.
//
// Limits  text of kMaxYamlBytes, nesting of kMaxYamlDepth, kMaxYamlNodes nodes.
// Errors  path:line: what is wrong. No exception leaves.
// Source  YAML 1.2, https://yaml.org/spec/1.2.2/; the parser is yaml-cpp's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::compress {

inline constexpr std::size_t kMaxYamlBytes = 64 * 1024;
inline constexpr int kMaxYamlDepth = 16;
inline constexpr int kMaxYamlNodes = 10000;

enum class YamlKind : std::uint8_t { kNull, kScalar, kList, kMap };

struct YamlNode {
  YamlKind kind = YamlKind::kNull;
  int line = 0;         // from 1; of a map's member: where its key is
  std::string key;      // of a map's member
  bool quoted = false;  // a scalar in quotes is a text, whatever it looks like
  std::string text;     // of a scalar
  std::vector<YamlNode> items;

  const YamlNode* Find(std::string_view name) const;
};

// "a list", "a number"; for messages.
std::string_view KindOf(const YamlNode& node);

base::StatusOr<YamlNode> ParseYaml(std::string_view text, const std::string& path);

}  // namespace hone::compress
