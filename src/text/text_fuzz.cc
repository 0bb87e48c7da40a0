// Any bytes as text, through small tokenizers of every kind. The first byte chooses the tokenizer.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "text/tokenizer.h"

namespace {

using hone::text::Tokenizer;

// Without post-processor, so that every token is of the text.
constexpr std::string_view kModels[] = {
    R"({"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
        "added_tokens":[{"content":"[MASK]","special":true,"lstrip":true}],
        "model":{"type":"WordPiece","vocab":{"[UNK]":0,"a":1,"##b":2,"the":3,"##e":4,"[MASK]":5}}})",
    R"({"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true},
        "post_processor":{"type":"ByteLevel"},
        "model":{"type":"BPE","unk_token":"a","merges":["a b","ab c"],
        "vocab":{"a":0,"b":1,"c":2,"ab":3,"abc":4,"Ġ":5}}})",
    R"({"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"Lowercase"},
        {"type":"Strip"},{"type":"Prepend","prepend":"▁"},
        {"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
        "added_tokens":[{"content":"abc","single_word":true,"rstrip":true},{"content":"<s>"}],
        "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"merges":["▁ a","▁a b"],
        "vocab":{"<unk>":0,"▁":1,"a":2,"b":3,"▁a":4,"▁ab":5}}})",
    R"({"normalizer":{"type":"Nmt"},"pre_tokenizer":{"type":"Metaspace","prepend_scheme":"first"},
        "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁",-2],["a",-3],["ab",-3.5],
        ["▁a",-2.5],["b",-4]]}})",
    R"({"pre_tokenizer":{"type":"Split","behavior":"Isolated","invert":false,"pattern":{"Regex":
        "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
        "model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1,"ab":2}}})",
};

const std::vector<std::unique_ptr<Tokenizer>>& Tokenizers() {
  static const auto* const tokenizers = [] {
    auto* list = new std::vector<std::unique_ptr<Tokenizer>>;
    for (const std::string_view model : kModels) {
      auto tokenizer = Tokenizer::FromJson(model, "built in");
      HONE_CHECK(tokenizer.ok());
      list->push_back(*std::move(tokenizer));
    }
    return list;
  }();
  return *tokenizers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Tokenizer& tokenizer = *Tokenizers()[data[0] % Tokenizers().size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  // One for each tokenizer, so that their memory is not made anew for each text.
  static std::vector<hone::text::Encoding> encodings(Tokenizers().size());
  hone::text::Encoding& encoding = encodings[data[0] % Tokenizers().size()];
  tokenizer.Encode(text, {}, &encoding);
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    const hone::text::Span span = encoding.offsets[i];
    HONE_CHECK(encoding.ids[i] >= 0 && encoding.ids[i] < tokenizer.vocabulary_size());
    HONE_CHECK(span.begin <= span.end && span.end <= text.size());
    HONE_CHECK(i == 0 || encoding.word[i] >= encoding.word[i - 1]);
  }
  // What was remembered from the first time changes nothing.
  const std::vector<std::int32_t> ids = encoding.ids;
  const std::vector<hone::text::Span> offsets = encoding.offsets;
  tokenizer.Encode(text, {}, &encoding);
  HONE_CHECK(encoding.ids == ids && encoding.offsets == offsets);
  tokenizer.Decode(encoding.ids, false);
  return 0;
}
