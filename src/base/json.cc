#include "base/json.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "nlohmann/json.hpp"

namespace hone::base {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;

struct Node {
  std::uint32_t parent = kNone;
  std::uint32_t next = kNone;         // next sibling
  std::uint32_t first_child = kNone;
  std::uint32_t children = 0;
  std::uint32_t key_begin = 0, key_size = 0;
  std::uint32_t text_begin = 0, text_size = 0;
  std::int64_t integer = 0;           // also the bool
  double real = 0;
  JsonKind kind = JsonKind::kNull;
};

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

struct JsonTree {
  std::string source;
  std::string arena;
  std::vector<Node> nodes;

  std::string_view Text(std::uint32_t begin, std::uint32_t size) const {
    return std::string_view(arena).substr(begin, size);
  }
};

namespace {

// Receives nlohmann's events and appends nodes in document order.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TreeBuilder(JsonTree* tree) : tree_(*tree) {}

  bool null() override { return Add(JsonKind::kNull), true; }
  bool boolean(bool value) override { return Add(JsonKind::kBool).integer = value, true; }
  bool number_integer(number_integer_t value) override {
    return Add(JsonKind::kInt).integer = value, true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) {
      Add(JsonKind::kDouble).real = static_cast<double>(value);
    } else {
      Add(JsonKind::kInt).integer = static_cast<std::int64_t>(value);
    }
    return true;
  }
  bool number_float(number_float_t value, const string_t&) override {
    return Add(JsonKind::kDouble).real = value, true;
  }
  bool string(string_t& value) override {
    const auto [begin, size] = Store(value);
    Node& node = Add(JsonKind::kString);
    node.text_begin = begin;
    node.text_size = size;
    return true;
  }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& value) override {
    std::tie(key_begin_, key_size_) = Store(value);
    return true;
  }
  bool start_object(std::size_t) override { return Open(JsonKind::kObject); }
  bool end_object() override { return open_.pop_back(), true; }
  bool start_array(std::size_t) override { return Open(JsonKind::kArray); }
  bool end_array() override { return open_.pop_back(), true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    // nlohmann's text is "[json.exception.parse_error.101] parse error at …: <reason>".
    const std::string_view text = error.what();
    const std::size_t reason = text.find(": ");
    error_ = BadInput(tree_.source, ": not valid JSON at byte ", position, ": ",
                      reason == std::string_view::npos ? text : text.substr(reason + 2));
    return false;
  }

  Status TakeError() { return std::move(error_); }

 private:
  struct Level {
    std::uint32_t node;
    std::uint32_t last_child;
  };

  Node& Add(JsonKind kind) {
    const auto index = static_cast<std::uint32_t>(tree_.nodes.size());
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.key_begin = key_begin_;
    node.key_size = key_size_;
    key_begin_ = key_size_ = 0;
    if (open_.empty()) return node;
    Level& level = open_.back();
    node.parent = level.node;
    ++tree_.nodes[level.node].children;
    if (level.last_child == kNone) {
      tree_.nodes[level.node].first_child = index;
    } else {
      tree_.nodes[level.last_child].next = index;
    }
    level.last_child = index;
    return node;
  }

  bool Open(JsonKind kind) {
    if (static_cast<int>(open_.size()) == Json::kMaxDepth) {
      error_ = BadInput(tree_.source, ": nested deeper than ", Json::kMaxDepth, " levels");
      return false;
    }
    Add(kind);
    open_.push_back({static_cast<std::uint32_t>(tree_.nodes.size() - 1), kNone});
    return true;
  }

  std::pair<std::uint32_t, std::uint32_t> Store(const std::string& text) {
    const auto begin = static_cast<std::uint32_t>(tree_.arena.size());
    tree_.arena += text;
    return {begin, static_cast<std::uint32_t>(text.size())};
  }

  JsonTree& tree_;
  std::vector<Level> open_;
  std::uint32_t key_begin_ = 0, key_size_ = 0;
  Status error_;
};

}  // namespace

StatusOr<Json> Json::Parse(std::string_view text, std::string_view source) {
  auto tree = std::make_shared<JsonTree>();
  tree->source = std::string(source);
  if (text.size() >= (std::size_t{1} << 31)) {
    return BadInput(source, ": JSON of ", text.size(), " bytes; the limit is 2 GiB");
  }
  TreeBuilder builder(tree.get());
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    Status error = builder.TakeError();
    return error.ok() ? BadInput(source, ": not valid JSON") : error;
  }
  return Json(std::move(tree));
}

JsonKind JsonValue::kind() const { return tree_->nodes[node_].kind; }

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
  const Node& node = tree_->nodes[node_];
  if (node.kind == JsonKind::kInt) return node.integer;
  // 2^63 is exactly representable; anything below it converts without overflow.
  if (node.kind == JsonKind::kDouble && std::abs(node.real) < 9223372036854775808.0 &&
      std::trunc(node.real) == node.real) {
    return static_cast<std::int64_t>(node.real);
  }
  return WrongKind("an integer");
}

StatusOr<double> JsonValue::Double() const {
  const Node& node = tree_->nodes[node_];
  if (node.kind == JsonKind::kInt) return static_cast<double>(node.integer);
  if (node.kind == JsonKind::kDouble) return node.real;
  return WrongKind("a number");
}

StatusOr<std::string_view> JsonValue::String() const {
  const Node& node = tree_->nodes[node_];
  if (node.kind != JsonKind::kString) return WrongKind("a string");
  return tree_->Text(node.text_begin, node.text_size);
}

std::string_view JsonValue::key() const {
  const Node& node = tree_->nodes[node_];
  return tree_->Text(node.key_begin, node.key_size);
}

int JsonValue::size() const { return static_cast<int>(tree_->nodes[node_].children); }

JsonValue::Iterator JsonValue::begin() const {
  return Iterator(tree_, tree_->nodes[node_].first_child);
}
JsonValue::Iterator JsonValue::end() const { return Iterator(tree_, kNone); }

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
  while (tree_->nodes[index].parent != kNone) {
    const Node& node = tree_->nodes[index];
    const Node& parent = tree_->nodes[node.parent];
    if (parent.kind == JsonKind::kObject) {
      path = StrCat(".", tree_->Text(node.key_begin, node.key_size), path);
    } else {
      int position = 0;
      for (std::uint32_t i = parent.first_child; i != index; i = tree_->nodes[i].next) ++position;
      path = StrCat("[", position, "]", path);
    }
    index = node.parent;
  }
  return StrCat(tree_->source, ": $", path);
}

void JsonWriter::NewLine() {
  if (indent_ == 0) return;
  text_ += '\n';
  text_.append(has_items_.size() * static_cast<std::size_t>(indent_), ' ');
}

void JsonWriter::BeforeValue() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_items_.empty()) return;
  if (has_items_.back() != 0) text_ += ',';
  has_items_.back() = 1;
  NewLine();
}

JsonWriter& JsonWriter::BeginObject() {
  BeforeValue();
  text_ += '{';
  has_items_ += '\0';
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  const bool any = has_items_.back() != 0;
  has_items_.pop_back();
  if (any) NewLine();
  text_ += '}';
  return *this;
}

JsonWriter& JsonWriter::BeginArray() {
  BeforeValue();
  text_ += '[';
  has_items_ += '\0';
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  const bool any = has_items_.back() != 0;
  has_items_.pop_back();
  if (any) NewLine();
  text_ += ']';
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  String(key);
  text_ += indent_ == 0 ? ":" : ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  BeforeValue();
  text_ += '"';
  for (const char c : ToValidUtf8(value)) {
    switch (c) {
      case '"': text_ += "\\\""; break;
      case '\\': text_ += "\\\\"; break;
      case '\n': text_ += "\\n"; break;
      case '\r': text_ += "\\r"; break;
      case '\t': text_ += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr std::string_view kHex = "0123456789abcdef";
          StrAppend(&text_, "\\u00", kHex[static_cast<std::size_t>(c) >> 4],
                    kHex[static_cast<std::size_t>(c) & 15]);
        } else {
          text_ += c;
        }
    }
  }
  text_ += '"';
  return *this;
}

JsonWriter& JsonWriter::Int(std::int64_t value) {
  BeforeValue();
  StrAppend(&text_, value);
  return *this;
}

JsonWriter& JsonWriter::Double(double value, int digits) {
  if (!std::isfinite(value)) return Null();
  BeforeValue();
  char buffer[40];
  const std::to_chars_result result =
      digits == 0 ? std::to_chars(buffer, buffer + sizeof buffer, value)
                  : std::to_chars(buffer, buffer + sizeof buffer, value,
                                  std::chars_format::general, digits);
  HONE_CHECK(result.ec == std::errc());
  text_.append(buffer, result.ptr);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  BeforeValue();
  text_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::Null() {
  BeforeValue();
  text_ += "null";
  return *this;
}

JsonWriter& JsonWriter::Value(const JsonValue& value) {
  switch (value.kind()) {
    case JsonKind::kNull: return Null();
    case JsonKind::kBool: return Bool(*value.Bool());
    case JsonKind::kInt: return Int(*value.Int());
    case JsonKind::kDouble: return Double(*value.Double());
    case JsonKind::kString: return String(*value.String());
    case JsonKind::kArray:
      BeginArray();
      for (const JsonValue item : value) Value(item);
      return EndArray();
    case JsonKind::kObject:
      BeginObject();
      for (const JsonValue item : value) Key(item.key()).Value(item);
      return EndObject();
  }
  return *this;
}

}  // namespace hone::base
