// What every fuzzer of a tokenizer's files holds a tokenizer to, whatever it was made from.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

namespace hone::text {

inline void CheckEncoding(const Tokenizer& tokenizer, const Encoding& encoding) {
  HONE_CHECK(encoding.offsets.size() == encoding.ids.size());
  HONE_CHECK(encoding.types.size() == encoding.ids.size());
  for (const std::int32_t id : encoding.ids) HONE_CHECK(id >= 0 && id < tokenizer.id_limit());
}

inline void CheckTokenizer(const Tokenizer& tokenizer, std::string_view text) {
  static Encoding encoding, pair;
  tokenizer.Encode(text, {}, &encoding);
  CheckEncoding(tokenizer, encoding);
  for (const Span& span : encoding.offsets) {
    HONE_CHECK(span.begin <= span.end && span.end <= text.size());
  }
  for (const bool skip_special : {false, true}) {
    HONE_CHECK(base::IsValidUtf8(tokenizer.Decode(encoding.ids, skip_special)));
  }
  // Of a limit only the special tokens stay where there is no room for others.
  tokenizer.EncodePair("", "", {}, &pair);
  const std::size_t special = pair.ids.size();
  constexpr std::size_t kMost = 5;
  tokenizer.EncodePair(text, "b", {.max_tokens = kMost}, &pair);
  CheckEncoding(tokenizer, pair);
  HONE_CHECK(pair.ids.size() <= (special > kMost ? special : kMost));
}

// Of a file that is refused: the message names it.
inline void CheckError(const base::Status& status, std::string_view file) {
  HONE_CHECK(status.message().find(file) != std::string_view::npos);
}

}  // namespace hone::text
