// The tree behind base::Json; private to json.cc and json_parser.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone::base {

inline constexpr std::uint32_t kNoNode = 0xffffffff;

struct JsonText {
  std::uint32_t begin, size;  // of JsonTree::text
};

// 32 bytes, so that a vocabulary of a hundred thousand words stays small. Children follow their
// parent in document order: the first child, where there is one, is the next node.
struct JsonNode {
  std::uint32_t parent = kNoNode;
  std::uint32_t next = kNoNode;  // next sibling
  JsonText key = {0, 0};
  union {
    std::int64_t integer = 0;  // kInt, and kBool as 0 or 1
    double real;               // kDouble
    JsonText text;             // kString
    std::uint32_t children;    // kArray, kObject
  };
  JsonKind kind = JsonKind::kNull;
};
static_assert(sizeof(JsonNode) == 32);

struct JsonTree {
  std::string source;
  std::string text;  // the document's bytes; strings with escapes were decoded in place
  std::vector<JsonNode> nodes;

  std::string_view View(JsonText part) const {
    return std::string_view(text).substr(part.begin, part.size);
  }
};

// Fills tree->nodes from tree->text.
Status ParseJson(JsonTree* tree);

}  // namespace hone::base
