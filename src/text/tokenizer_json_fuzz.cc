// Any bytes as tokenizer.json: an error or a tokenizer that keeps its promises, never a crash.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/tokenizer.h"

namespace {

void Check(const hone::text::Tokenizer& tokenizer, std::string_view text) {
  static hone::text::Encoding encoding;
  tokenizer.Encode(text, {}, &encoding);
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    HONE_CHECK(encoding.ids[i] >= 0);
    HONE_CHECK(encoding.offsets[i].begin <= encoding.offsets[i].end);
    HONE_CHECK(encoding.offsets[i].end <= text.size());
  }
  tokenizer.EncodePair(text, "b", {.max_tokens = 5}, &encoding);
  tokenizer.Decode(encoding.ids, false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto tokenizer = hone::text::Tokenizer::FromJson(bytes, "fuzz.json");
  if (!tokenizer.ok()) return 0;
  for (const std::string_view text : {"Hello World's  a\u0301 \u65e5\u672c [MASK]\xff", ""}) {
    Check(**tokenizer, text);
  }
  return 0;
}
