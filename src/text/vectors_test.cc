// Someone else's vectors: the GGUF vocabularies, input texts and ids that llama.cpp publishes.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <sstream>

#include "base/json.h"
#include "text/test_texts.h"
#include "text/tokenizer.h"

namespace hone::text {
namespace {

// The metadata of a GGUF file, as far as vocabularies need it: lists of texts and of numbers.
// Format: ggml-org/ggml, docs/gguf.md.
struct GgufVocabulary {
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, std::vector<double>> numbers;
};

class GgufReader {
 public:
  explicit GgufReader(const std::string& bytes) : bytes_(bytes) {}

  GgufVocabulary Read() {
    at_ = 16;  // magic, version, tensor count
    GgufVocabulary vocabulary;
    const auto count = Number<std::uint64_t>();
    for (std::uint64_t i = 0; i < count && at_ < bytes_.size(); ++i) {
      const std::string key = Text();
      Value(key, Number<std::uint32_t>(), &vocabulary);
    }
    return vocabulary;
  }

 private:
  template <typename T>
  T Number() {
    T value = {};
    if (at_ + sizeof(T) <= bytes_.size()) std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  std::string Text() {
    const auto size = Number<std::uint64_t>();
    std::string text = bytes_.substr(std::min(at_, bytes_.size()), size);
    at_ += size;
    return text;
  }
  void Value(const std::string& key, std::uint32_t type, GgufVocabulary* out) {
    switch (type) {
      case 0: out->numbers[key].push_back(Number<std::uint8_t>()); break;
      case 1: out->numbers[key].push_back(Number<std::int8_t>()); break;
      case 2: out->numbers[key].push_back(Number<std::uint16_t>()); break;
      case 3: out->numbers[key].push_back(Number<std::int16_t>()); break;
      case 4: out->numbers[key].push_back(Number<std::uint32_t>()); break;
      case 5: out->numbers[key].push_back(Number<std::int32_t>()); break;
      case 6: out->numbers[key].push_back(static_cast<double>(Number<float>())); break;
      case 7: out->numbers[key].push_back(Number<std::uint8_t>()); break;
      case 8: out->texts[key].push_back(Text()); break;
      case 9: {
        const auto element = Number<std::uint32_t>();
        const auto size = Number<std::uint64_t>();
        for (std::uint64_t i = 0; i < size && at_ < bytes_.size(); ++i) Value(key, element, out);
        break;
      }
      default: out->numbers[key].push_back(static_cast<double>(Number<std::uint64_t>())); break;
    }
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

std::string FileName(std::string_view name) {
  return base::StrCat("tokenizers/vectors/ggml-vocab-", name, ".gguf");
}

std::vector<std::string> Inputs(std::string_view name) {
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  const std::string all = ReadTestFile(DataFile(FileName(name) + ".inp"));
  std::vector<std::string> inputs;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find(kSeparator, begin), all.size());
    inputs.push_back(all.substr(begin, end - begin));
    begin = end + kSeparator.size();
  }
  return inputs;
}

void ExpectVectors(std::string_view name, const Tokenizer& tokenizer) {
  std::istringstream lines(ReadTestFile(DataFile(FileName(name) + ".out")));
  Encoding encoding;
  int compared = 0;
  for (const std::string& input : Inputs(name)) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line)) << "fewer outputs than inputs";
    std::istringstream numbers(line);
    const std::vector<std::int32_t> expected{std::istream_iterator<std::int32_t>(numbers), {}};
    tokenizer.Encode(input, {.add_special_tokens = false}, &encoding);
    EXPECT_EQ(encoding.ids, expected) << "\"" << input << "\"";
    ++compared;
  }
  EXPECT_GT(compared, 40);
}

constexpr char kTokens[] = "tokenizer.ggml.tokens";

TEST(PublishedVectors, BertBge) {
  if (DataFile(FileName("bert-bge")).empty()) GTEST_SKIP() << "no data folder (HONE_TEST_DATA)";
  const std::string bytes = ReadTestFile(DataFile(FileName("bert-bge")));
  // There a word's first token begins with ▁, and others have no ##.
  std::string vocab;
  GgufVocabulary vocabulary = GgufReader(bytes).Read();
  for (const std::string& token : vocabulary.texts[kTokens]) {
    constexpr std::string_view kMark = "▁";
    if (token.starts_with(kMark)) {
      vocab += token.substr(kMark.size());
    } else {
      vocab += token.starts_with("[") && token.ends_with("]") ? token : "##" + token;
    }
    vocab += '\n';
  }
  auto tokenizer = Tokenizer::FromWordPieceVocab(vocab, "bert-bge", true);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ExpectVectors("bert-bge", **tokenizer);
}

TEST(PublishedVectors, Gpt2) {
  if (DataFile(FileName("gpt-2")).empty()) GTEST_SKIP() << "no data folder (HONE_TEST_DATA)";
  const std::string bytes = ReadTestFile(DataFile(FileName("gpt-2")));
  GgufVocabulary vocabulary = GgufReader(bytes).Read();
  base::JsonWriter json;
  json.BeginObject();
  std::int64_t id = 0;
  for (const std::string& token : vocabulary.texts[kTokens]) json.Key(token).Int(id++);
  json.EndObject();
  const std::string merges = base::Join(vocabulary.texts["tokenizer.ggml.merges"], "\n");
  auto tokenizer = Tokenizer::FromByteLevelBpe(json.Take(), merges, "gpt-2");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ExpectVectors("gpt-2", **tokenizer);
}

// A protobuf field of bytes.
void AppendField(int number, std::string_view bytes, std::string* out) {
  out->push_back(static_cast<char>(number << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 128; size >>= 7) out->push_back(static_cast<char>(size | 128));
  out->push_back(static_cast<char>(size));
  *out += bytes;
}

TEST(PublishedVectors, LlamaSentencePiece) {
  if (DataFile(FileName("llama-spm")).empty()) GTEST_SKIP() << "no data folder (HONE_TEST_DATA)";
  const std::string bytes = ReadTestFile(DataFile(FileName("llama-spm")));
  GgufVocabulary vocabulary = GgufReader(bytes).Read();
  const auto& tokens = vocabulary.texts[kTokens];
  const auto& scores = vocabulary.numbers["tokenizer.ggml.scores"];
  const auto& types = vocabulary.numbers["tokenizer.ggml.token_type"];
  ASSERT_EQ(tokens.size(), scores.size());
  ASSERT_EQ(tokens.size(), types.size());
  std::string model;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::string piece;
    AppendField(1, tokens[i], &piece);
    const auto score = std::bit_cast<std::uint32_t>(static_cast<float>(scores[i]));
    piece.push_back(2 << 3 | 5);
    for (int byte = 0; byte < 4; ++byte) piece.push_back(static_cast<char>(score >> (8 * byte)));
    piece.push_back(3 << 3);
    piece.push_back(static_cast<char>(types[i]));
    AppendField(1, piece, &model);
  }
  AppendField(2, std::string("\x18\x02\x98\x02\x01", 5), &model);  // BPE, byte_fallback
  auto tokenizer = Tokenizer::FromSentencePiece(model, "llama-spm");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ExpectVectors("llama-spm", **tokenizer);
}

}  // namespace
}  // namespace hone::text
