#include "text/json_fields.h"

#include <cstdint>

namespace hone::text {

base::StatusOr<std::string_view> ComponentType(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue type, json.Get("type"));
  return type.String();
}

base::Status UnsupportedComponent(const base::JsonValue& json, std::string_view kind,
                                  std::string_view type) {
  return base::Unsupported(json.Where(), ": the ", kind, " \"", type, "\" is not supported");
}

base::StatusOr<Pattern> PatternFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue pattern, json.Get("pattern"));
  for (const char* kind : {"String", "Regex"}) {
    if (const auto text = pattern.Find(kind)) {
      HONE_ASSIGN_OR_RETURN(const std::string_view value, text->String());
      return Pattern{value, kind[0] == 'R'};
    }
  }
  return pattern.Error("expected {\"String\": …} or {\"Regex\": …}");
}

base::StatusOr<Vocabulary> VocabularyFromMap(const base::JsonValue& map) {
  if (!map.IsObject()) return map.Error("expected an object of tokens and ids");
  std::size_t bytes = 0;
  for (const base::JsonValue item : map) bytes += item.key().size();
  Vocabulary vocabulary(bytes, static_cast<std::size_t>(map.size()));
  for (const base::JsonValue item : map) {
    HONE_ASSIGN_OR_RETURN(const std::int32_t id, item.IntIn(0, Vocabulary::kMaxId - 1));
    vocabulary.Add(item.key(), id);
  }
  if (const auto repeat = vocabulary.RepeatText()) return map.Error(*repeat);
  return vocabulary;
}

base::StatusOr<std::string> DecodeBase64(std::string_view text, std::string_view where) {
  const auto value = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::uint32_t bits = 0;
  int count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int six = value(text[i]);
    if (six < 0) return base::BadInput(where, ": not base64 at character ", i);
    bits = bits << 6 | static_cast<std::uint32_t>(six);
    if ((count += 6) >= 8) bytes.push_back(static_cast<char>(bits >> (count -= 8)));
  }
  return bytes;
}

}  // namespace hone::text
