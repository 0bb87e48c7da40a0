// UTF-8: decoding consumes every byte once, and replacement gives valid text that it leaves alone.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone::base;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string rebuilt;
  bool valid = true;
  std::size_t at = 0;
  while (at < text.size()) {
    const DecodedRune rune = DecodeRune(text, at);
    HONE_CHECK(rune.size >= 1 && rune.size <= 4);
    at += rune.size;
    valid = valid && rune.valid;
    AppendRune(rune.rune, &rebuilt);
  }
  HONE_CHECK(at == text.size() && valid == IsValidUtf8(text));
  HONE_CHECK(rebuilt == ToValidUtf8(text) && IsValidUtf8(rebuilt));
  HONE_CHECK(!valid || rebuilt == text);
  return 0;
}
