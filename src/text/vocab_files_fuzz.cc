// Any bytes as the older file sets: vocab.txt, or vocab.json and, behind a zero byte, merges.txt. An error or a
// tokenizer that keeps its promises, never a crash. The first byte says which.
#include <cstdint>
#include <string_view>

#include "text/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hone::text::Tokenizer;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t vocab = bytes.substr(0, bytes.find('\0')).size();
  const std::string_view merges = bytes.substr(vocab == bytes.size() ? vocab : vocab + 1);
  auto tokenizer = data[0] % 2 == 0
                       ? Tokenizer::FromWordPieceVocab(bytes, "vocab.txt", data[0] % 4 == 0)
                       : Tokenizer::FromByteLevelBpe(bytes.substr(0, vocab), merges, "vocab.json");
  if (!tokenizer.ok()) {
    hone::text::CheckError(tokenizer.status(), "vocab.");
    return 0;
  }
  hone::text::CheckTokenizer(**tokenizer, "Hello World  a\u0301 \uff21\ufb01 \u65e5\u672c \xff");
  return 0;
}
