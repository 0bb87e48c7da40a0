#include "server/api/fields.h"

#include <limits>

namespace hone::server {
namespace {

constexpr std::string_view kSource = "body";

// Status messages read "body: $.input[3]: expected a string, found a number".
Fault FromStatus(const base::JsonValue& value, const base::Status& status) {
  std::string_view message = status.message();
  const std::string where = value.Where() + ": ";
  if (message.starts_with(where)) message.remove_prefix(where.size());
  return Wrong(value, message);
}

std::string_view KindName(const base::JsonValue& value) {
  switch (value.kind()) {
    case base::JsonKind::kNull: return "null";
    case base::JsonKind::kBool: return "a boolean";
    case base::JsonKind::kInt:
    case base::JsonKind::kDouble: return "a number";
    case base::JsonKind::kString: return "a string";
    case base::JsonKind::kArray: return "an array";
    case base::JsonKind::kObject: return "an object";
  }
  return "nothing";
}

}  // namespace

MaybeFault ParseBody(std::string_view body, std::optional<base::Json>* json) {
  if (body.empty()) return BadRequest("", "the body is empty; a JSON object is wanted");
  auto parsed = base::Json::Parse(body, kSource);
  if (!parsed.ok()) {
    const auto message = parsed.status().message();
    return BadRequest("", "malformed JSON: ", std::string_view(message.data(), message.size()));
  }
  if (!parsed->root().IsObject()) {
    return BadRequest("", "the body must be a JSON object, not ", KindName(parsed->root()));
  }
  *json = *std::move(parsed);
  return {};
}

std::string FieldOf(const base::JsonValue& value) {
  std::string where = value.Where();
  const std::size_t dollar = where.find('$');
  if (dollar == std::string::npos) return where;
  std::string field = where.substr(dollar + 1);
  if (field.starts_with('.')) field.erase(0, 1);
  return field;
}

Fault Wrong(const base::JsonValue& value, std::string_view message) {
  return BadRequest(FieldOf(value), message);
}

MaybeFault Require(const base::JsonValue& object, std::string_view name,
                   std::optional<base::JsonValue>* value) {
  *value = object.Find(name);
  if (!*value) {
    const std::string parent = FieldOf(object);
    return BadRequest(parent.empty() ? std::string(name) : base::StrCat(parent, ".", name),
                      "is missing");
  }
  return {};
}

MaybeFault AsString(const base::JsonValue& value, std::string* text) {
  if (!value.IsString()) {
    return Wrong(value, base::StrCat("expected a string, found ", KindName(value)));
  }
  *text = *value.String();
  return {};
}

MaybeFault AsInt(const base::JsonValue& value, std::int64_t low, std::int64_t high,
                 std::int64_t* number) {
  auto read = value.Int();
  if (!read.ok()) return FromStatus(value, read.status());
  if (*read < low || *read > high) {
    return Wrong(value, base::StrCat(*read, " is not from ", low, " to ", high));
  }
  *number = *read;
  return {};
}

MaybeFault ReadBool(const base::JsonValue& object, std::string_view name, bool* out) {
  const auto value = object.Find(name);
  if (!value) return {};
  auto read = value->Bool();
  if (!read.ok()) return FromStatus(*value, read.status());
  *out = *read;
  return {};
}

MaybeFault ReadInt(const base::JsonValue& object, std::string_view name, std::int64_t low,
                   std::int64_t high, std::int64_t* out) {
  const auto value = object.Find(name);
  return value ? AsInt(*value, low, high, out) : MaybeFault();
}

MaybeFault ReadString(const base::JsonValue& object, std::string_view name, std::string* out) {
  const auto value = object.Find(name);
  return value ? AsString(*value, out) : MaybeFault();
}

MaybeFault AsIds(const base::JsonValue& value, int limit, std::vector<std::int32_t>* ids) {
  if (!value.IsArray()) {
    return Wrong(value, base::StrCat("expected an array of token ids, found ", KindName(value)));
  }
  if (value.size() == 0) return Empty(FieldOf(value), "has no tokens");
  if (value.size() > limit) {
    return TooLarge(FieldOf(value), value.size(), " token ids are more than the limit of ", limit);
  }
  ids->reserve(static_cast<std::size_t>(value.size()));
  for (const base::JsonValue element : value) {
    std::int64_t id = 0;
    HONE_RETURN_IF_FAULT(AsInt(element, 0, std::numeric_limits<std::int32_t>::max(), &id));
    ids->push_back(static_cast<std::int32_t>(id));
  }
  return {};
}

MaybeFault CheckCount(const base::JsonValue& array, int limit) {
  if (array.size() == 0) return Empty(FieldOf(array), "is empty");
  if (array.size() > limit) {
    return TooLarge(FieldOf(array), array.size(), " elements are more than the limit of ", limit);
  }
  return {};
}

}  // namespace hone::server
