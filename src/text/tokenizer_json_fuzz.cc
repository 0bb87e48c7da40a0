// Any bytes as tokenizer.json: an error or a tokenizer that keeps its promises, never a crash.
#include <cstdint>
#include <string_view>

#include "text/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone::text;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = Tokenizer::FromJson(bytes, "fuzz.json");
  if (!tokenizer.ok()) {
    CheckError(tokenizer.status(), "fuzz.json");
    return 0;
  }
  for (const std::string_view text : {"Hello World's  a\u0301 \u65e5\u672c [MASK]\xff", ""}) {
    CheckTokenizer(**tokenizer, text);
  }
  return 0;
}
