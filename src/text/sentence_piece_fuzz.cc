// Any bytes as tokenizer.model: an error or a tokenizer that keeps its promises, never a crash.
#include <cstdint>
#include <string_view>

#include "text/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone::text;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The same bytes always give the same ids.
  const auto ids = static_cast<SentencePieceIds>(size % 3);
  const auto tokenizer = Tokenizer::FromSentencePiece(bytes, "fuzz.model", ids);
  if (!tokenizer.ok()) {
    CheckError(tokenizer.status(), "fuzz.model");
    return 0;
  }
  CheckTokenizer(**tokenizer, "Hello World  a\u0301 \uff21\ufb01 \u65e5\u672c \xff");
  return 0;
}
