#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/json.h"
#include "base/utf8.h"

namespace hone::base {

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
  if (value == 0 && std::signbit(value)) {
    text_ += "-0.0";  // "-0" is the integer zero to most readers
    return *this;
  }
  char buffer[40];
  const std::to_chars_result result = digits == 0
                                          ? std::to_chars(buffer, buffer + sizeof buffer, value)
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

JsonWriter& JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  text_ += json;
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
