#include "base/json.h"

#include <cmath>

#include "base/json_tree.h"

namespace hone::base {
namespace {

const char* KindName(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull: return "null";
    case JsonKind::kBool: return "a boolean";
    case JsonKind::kInt: return "an integer";
    case JsonKind::kDouble: return "a number";
    case JsonKind::kString: return "a string";
    case JsonKind::kArray: return "an array";
    case JsonKind::kObject: return "an object";
  }
  return "nothing";
}

}  // namespace

StatusOr<Json> Json::Parse(std::string_view text, std::string_view source) {
  auto tree = std::make_shared<JsonTree>();
  tree->source = std::string(source);
  if (text.size() >= (std::size_t{1} << 31)) {
    return BadInput(source, ": JSON of ", text.size(), " bytes; the limit is 2 GiB");
  }
  tree->text = std::string(text);
  HONE_RETURN_IF_ERROR(ParseJson(tree.get()));
  return Json(std::move(tree));
}

JsonKind JsonValue::kind() const {
  return tree_->nodes[node_].kind;
}

Status JsonValue::Error(std::string_view message) const {
  return BadInput(Where(), ": ", message);
}

Status JsonValue::WrongKind(std::string_view expected) const {
  return Error(StrCat("expected ", expected, ", found ", KindName(kind())));
}

StatusOr<bool> JsonValue::Bool() const {
  if (kind() != JsonKind::kBool) return WrongKind("a boolean");
  return tree_->nodes[node_].integer != 0;
}

StatusOr<std::int64_t> JsonValue::Int() const {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind == JsonKind::kInt) return node.integer;
  // 2^63 is exactly representable; anything below it converts without overflow.
  if (node.kind == JsonKind::kDouble && std::abs(node.real) < 9223372036854775808.0 &&
      std::trunc(node.real) == node.real) {
    return static_cast<std::int64_t>(node.real);
  }
  return WrongKind("an integer");
}

StatusOr<int> JsonValue::IntIn(int least, int most) const {
  HONE_ASSIGN_OR_RETURN(const std::int64_t value, Int());
  if (value < least || value > most) {
    return Error(StrCat("expected ", least, " to ", most, ", found ", value));
  }
  return static_cast<int>(value);
}

StatusOr<double> JsonValue::Double() const {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind == JsonKind::kInt) return static_cast<double>(node.integer);
  if (node.kind == JsonKind::kDouble) return node.real;
  return WrongKind("a number");
}

StatusOr<std::string_view> JsonValue::String() const {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind != JsonKind::kString) return WrongKind("a string");
  return tree_->View(node.text);
}

std::string_view JsonValue::key() const {
  const JsonNode& node = tree_->nodes[node_];
  return tree_->View(node.key);
}

int JsonValue::size() const {
  return IsArray() || IsObject() ? static_cast<int>(tree_->nodes[node_].children) : 0;
}

JsonValue::Iterator JsonValue::begin() const {
  return Iterator(tree_, size() == 0 ? kNoNode : node_ + 1);
}
JsonValue::Iterator JsonValue::end() const {
  return Iterator(tree_, kNoNode);
}

JsonValue::Iterator& JsonValue::Iterator::operator++() {
  node_ = tree_->nodes[node_].next;
  return *this;
}

StatusOr<JsonValue> JsonValue::Get(std::string_view name) const {
  if (!IsObject()) return WrongKind("an object");
  for (const JsonValue member : *this) {
    if (member.key() == name) return member;
  }
  return Error(StrCat("lacks the field \"", name, "\""));
}

std::optional<JsonValue> JsonValue::Find(std::string_view name) const {
  if (!IsObject()) return std::nullopt;
  for (const JsonValue member : *this) {
    if (member.key() == name) {
      if (member.IsNull()) return std::nullopt;
      return member;
    }
  }
  return std::nullopt;
}

StatusOr<JsonValue> JsonValue::At(int index) const {
  if (!IsArray()) return WrongKind("an array");
  int i = 0;
  for (const JsonValue element : *this) {
    if (i++ == index) return element;
  }
  return Error(StrCat("has no element ", index));
}

StatusOr<std::int64_t> JsonValue::IntOr(std::string_view name, std::int64_t fallback) const {
  const std::optional<JsonValue> member = Find(name);
  return member ? member->Int() : StatusOr<std::int64_t>(fallback);
}

StatusOr<double> JsonValue::DoubleOr(std::string_view name, double fallback) const {
  const std::optional<JsonValue> member = Find(name);
  return member ? member->Double() : StatusOr<double>(fallback);
}

StatusOr<bool> JsonValue::BoolOr(std::string_view name, bool fallback) const {
  const std::optional<JsonValue> member = Find(name);
  return member ? member->Bool() : StatusOr<bool>(fallback);
}

StatusOr<std::string_view> JsonValue::StringOr(std::string_view name,
                                               std::string_view fallback) const {
  const std::optional<JsonValue> member = Find(name);
  return member ? member->String() : StatusOr<std::string_view>(fallback);
}

std::string JsonValue::Where() const {
  std::string path;
  std::uint32_t index = node_;
  while (tree_->nodes[index].parent != kNoNode) {
    const JsonNode& node = tree_->nodes[index];
    const JsonNode& parent = tree_->nodes[node.parent];
    if (parent.kind == JsonKind::kObject) {
      path = StrCat(".", tree_->View(node.key), path);
    } else {
      int position = 0;
      for (std::uint32_t i = node.parent + 1; i != index; i = tree_->nodes[i].next) ++position;
      path = StrCat("[", position, "]", path);
    }
    index = node.parent;
  }
  return StrCat(tree_->source, ": $", path);
}

}  // namespace hone::base
