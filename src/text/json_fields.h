// What the components of tokenizer.json have in common.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "text/vocabulary.h"

namespace hone::text {

// The "type" of a component; an error where there is none.
base::StatusOr<std::string_view> ComponentType(const base::JsonValue& json);

// tokenizer.json: $.pre_tokenizer: the pre-tokenizer "X" is not supported
base::Status UnsupportedComponent(const base::JsonValue& json, std::string_view kind,
                                  std::string_view type);

// "pattern": {"String": ..} or {"Regex": ..}
struct Pattern {
  std::string_view text;
  bool is_regex;
};
base::StatusOr<Pattern> PatternFromJson(const base::JsonValue& json);

// {"token": id, …}
base::StatusOr<Vocabulary> VocabularyFromMap(const base::JsonValue& map);

base::StatusOr<std::string> DecodeBase64(std::string_view text, std::string_view where);

}  // namespace hone::text
