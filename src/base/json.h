// JSON as an immutable tree whose errors say where.
//
// Every accessor that can fail returns a Status naming the source and the path, for instance
//   minilm/config.json: $.hidden_size: expected an integer, found a string
//
// Usage
//   HONE_ASSIGN_OR_RETURN(base::Json document, base::Json::Parse(bytes, "config.json"));
//   HONE_ASSIGN_OR_RETURN(base::JsonValue width, document.root().Get("hidden_size"));
//   HONE_ASSIGN_OR_RETURN(std::int64_t d, width.Int());
//   for (base::JsonValue item : list) Use(item.key(), item);   // arrays and objects alike
//
// Lifetime  a JsonValue and the string_views it gives live as long as the Json they came from.
// Limits    nesting of kMaxDepth; text of 2 GiB; numbers beyond int64 become doubles, beyond double
//           are errors. Memory: the text and 32 bytes a value, at most 17 times the text; three times that for a
//           moment, while the list of values grows.
// Order     members keep the file's order; duplicates are kept, and Find gives the first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace hone::base {

enum class JsonKind : std::uint8_t { kNull, kBool, kInt, kDouble, kString, kArray, kObject };

struct JsonTree;  // flat nodes over one copy of the text; see json_tree.h

class JsonValue {
 public:
  JsonKind kind() const;
  bool IsNull() const { return kind() == JsonKind::kNull; }
  bool IsString() const { return kind() == JsonKind::kString; }
  bool IsArray() const { return kind() == JsonKind::kArray; }
  bool IsObject() const { return kind() == JsonKind::kObject; }
  bool IsNumber() const { return kind() == JsonKind::kInt || kind() == JsonKind::kDouble; }

  StatusOr<bool> Bool() const;
  StatusOr<std::int64_t> Int() const;  // a double without fraction counts
  // Int() from least to most; another is the error "expected 1 to 256, found 300".
  StatusOr<int> IntIn(int least, int most) const;
  StatusOr<double> Double() const;  // an integer counts
  StatusOr<std::string_view> String() const;

  // Members and elements.
  std::string_view key() const;                                // of a member; empty in an array
  int size() const;                                            // children; 0 for a scalar
  StatusOr<JsonValue> Get(std::string_view name) const;        // error when absent
  std::optional<JsonValue> Find(std::string_view name) const;  // null counts as absent
  StatusOr<JsonValue> At(int index) const;

  // Find(name) as a scalar, or `fallback` when absent or null. A wrong kind is an error.
  StatusOr<std::int64_t> IntOr(std::string_view name, std::int64_t fallback) const;
  StatusOr<double> DoubleOr(std::string_view name, double fallback) const;
  StatusOr<bool> BoolOr(std::string_view name, bool fallback) const;
  StatusOr<std::string_view> StringOr(std::string_view name, std::string_view fallback) const;

  // "config.json: $.layers[3].name", for messages of the caller's own.
  std::string Where() const;
  // BadInput(Where(), ": ", message).
  Status Error(std::string_view message) const;

  class Iterator {
   public:
    JsonValue operator*() const { return JsonValue(tree_, node_); }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return node_ == other.node_; }

   private:
    friend class JsonValue;
    Iterator(const JsonTree* tree, std::uint32_t node) : tree_(tree), node_(node) {}
    const JsonTree* tree_;
    std::uint32_t node_;
  };
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class Json;
  JsonValue(const JsonTree* tree, std::uint32_t node) : tree_(tree), node_(node) {}
  Status WrongKind(std::string_view expected) const;

  const JsonTree* tree_;
  std::uint32_t node_;
};

class Json {
 public:
  static constexpr int kMaxDepth = 128;

  // `source` names the text in error messages. Syntax errors name the byte offset.
  static StatusOr<Json> Parse(std::string_view text, std::string_view source);

  JsonValue root() const { return JsonValue(tree_.get(), 0); }

 private:
  explicit Json(std::shared_ptr<const JsonTree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<const JsonTree> tree_;
};

// Writes JSON text member by member; strings are escaped, invalid UTF-8 becomes U+FFFD, and a
// number that JSON cannot hold (NaN, infinities) becomes null.
//
//   JsonWriter w;
//   w.BeginObject().Key("n").Int(3).Key("names").BeginArray().String("a").EndArray().EndObject();
//   w.Take()  →  {"n":3,"names":["a"]}
class JsonWriter {
 public:
  // indent 0 writes one line; otherwise that many spaces a level.
  explicit JsonWriter(int indent = 0) : indent_(indent) {}

  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value);
  JsonWriter& Int(std::int64_t value);
  // `digits` significant digits; the shortest text that reads back the same when 0.
  JsonWriter& Double(double value, int digits = 0);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // Text that is JSON already, as it is.
  JsonWriter& Raw(std::string_view json);
  // Copies a parsed value.
  JsonWriter& Value(const JsonValue& value);

  std::string Take() { return std::move(text_); }

 private:
  void BeforeValue();
  void NewLine();

  std::string text_;
  std::string has_items_;  // one char a nesting level: 1 when a comma is due
  int indent_;
  bool after_key_ = false;
};

}  // namespace hone::base
