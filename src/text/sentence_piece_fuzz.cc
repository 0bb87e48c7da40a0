// Any bytes as tokenizer.model: an error or a tokenizer, never a crash.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  using hone::text::SentencePieceIds;
  // The same bytes always give the same ids.
  const auto ids = static_cast<SentencePieceIds>(size % 3);
  auto tokenizer = hone::text::Tokenizer::FromSentencePiece(bytes, "fuzz.model", ids);
  if (!tokenizer.ok()) return 0;
  constexpr std::string_view kText = "Hello World  a\u0301 \uff21\ufb01 \u65e5\u672c \xff";
  hone::text::Encoding encoding;
  (*tokenizer)->Encode(kText, {}, &encoding);
  for (const hone::text::Span& span : encoding.offsets) {
    HONE_CHECK(span.begin <= span.end && span.end <= kText.size());
  }
  (*tokenizer)->Decode(encoding.ids, true);
  return 0;
}
