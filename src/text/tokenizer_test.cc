// The tokenizers against what the original implementations say: tools/golden/text.py.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/json.h"
#include "text/test_texts.h"

namespace hone::text {
namespace {

using Files = std::map<std::string, std::unique_ptr<Tokenizer>>;

// A golden tokenizer.json with the vocabulary and the merges of the data folder put in.
std::string FillIn(std::string_view shell, std::string_view folder) {
  std::string json = ReadTestFile(GoldenFile(shell));
  const std::string path = base::StrCat("tokenizers/", folder, "/");
  const std::string vocab = ReadTestFile(DataFile(path + "vocab.json"));
  base::JsonWriter merges;
  merges.BeginArray();
  std::istringstream lines(ReadTestFile(DataFile(path + "merges.txt")));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with("#version")) merges.String(line);
  }
  merges.EndArray();
  const auto replace = [&json](std::string_view from, std::string_view to) {
    json.replace(json.find(from), from.size(), to);
  };
  replace("\"merges\":[]", base::StrCat("\"merges\":", merges.Take()));
  replace("\"vocab\":{}", base::StrCat("\"vocab\":", vocab));
  return json;
}

base::StatusOr<std::unique_ptr<Tokenizer>> Load(std::string_view name) {
  const auto data = [](std::string_view path) { return ReadTestFile(DataFile(path)); };
  if (name == "bert" || name == "bert_cased") {
    return Tokenizer::FromWordPieceVocab(data("tokenizers/bert-base-uncased/vocab.txt"),
                                         "vocab.txt", name == "bert");
  }
  if (name == "gpt2") {
    return Tokenizer::FromByteLevelBpe(data("tokenizers/gpt2/vocab.json"),
                                       data("tokenizers/gpt2/merges.txt"), "gpt2");
  }
  if (name == "roberta") return Tokenizer::FromJson(FillIn("roberta.json", "gpt2"), "roberta.json");
  if (name == "qwen2") return Tokenizer::FromJson(FillIn("qwen2.json", "qwen2"), "qwen2.json");
  if (name == "smollm") {
    return Tokenizer::FromJson(data("tokenizers/smollm/tokenizer.json"), "smollm");
  }
  if (name == "llama2") {
    return Tokenizer::FromSentencePiece(data("tokenizers/llama2/tokenizer.model"), "llama2");
  }
  return Tokenizer::FromJson(ReadTestFile(GoldenFile("unigram.json")), "unigram.json");
}

std::vector<std::string> Texts(std::string_view kind) {
  std::vector<std::string> texts;
  if (kind == "generated") return GeneratedTexts(1, 20000);
  if (kind == "wikitext") {
    const std::string all = ReadTestFile(DataFile("lm/wikitext-2/wiki.test.raw"));
    for (std::size_t begin = 0; begin <= all.size();) {
      const std::size_t end = std::min(all.find('\n', begin), all.size());
      texts.push_back(all.substr(begin, end - begin));
      begin = end + 1;
    }
    return texts;
  }
  const std::string bytes = ReadTestFile(DataFile("squad/xquad.en.json"));
  const base::Json json = *base::Json::Parse(bytes, "xquad");
  for (const base::JsonValue article : base::JsonValue(*json.root().Get("data"))) {
    for (const base::JsonValue paragraph : base::JsonValue(*article.Get("paragraphs"))) {
      texts.emplace_back(*paragraph.Get("context")->String());
    }
  }
  return texts;
}

class AgainstOriginal : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    // The small one is made here; the others' vocabularies are too large to keep.
    if (GetParam() != std::string_view("unigram") && DataFile("tokenizers").empty()) {
      GTEST_SKIP() << "no data folder (HONE_TEST_DATA)";
    }
    auto loaded = Load(GetParam());
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    tokenizer_ = *std::move(loaded);
  }

  void ExpectHashes(std::string_view kind) {
    const std::vector<std::string> hashes = BlockHashes(*tokenizer_, Texts(kind), false);
    std::istringstream lines(ReadTestFile(GoldenFile("hashes.txt")));
    std::string name, set, hash;
    std::size_t block, seen = 0;
    while (lines >> name >> set >> block >> hash) {
      if (name != GetParam() || set != kind) continue;
      ++seen;
      ASSERT_LT(block, hashes.size());
      EXPECT_EQ(hashes[block], hash) << kind << " texts from " << block * kHashBlock << " on";
    }
    EXPECT_EQ(seen, hashes.size());
  }

  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(AgainstOriginal, GeneratedTexts) {
  ExpectHashes("generated");
}
TEST_P(AgainstOriginal, WikiText) {
  if (DataFile("lm").empty()) GTEST_SKIP() << "no data folder (HONE_TEST_DATA)";
  ExpectHashes("wikitext");
}
TEST_P(AgainstOriginal, Xquad) {
  if (DataFile("squad").empty()) GTEST_SKIP() << "no data folder (HONE_TEST_DATA)";
  ExpectHashes("xquad");
}

TEST_P(AgainstOriginal, ReadableCases) {
  const std::string bytes = ReadTestFile(GoldenFile("cases.json"));
  const base::Json json = *base::Json::Parse(bytes, "cases.json");
  int seen = 0;
  for (const base::JsonValue row : json.root()) {
    if (*row.Get("tokenizer")->String() != GetParam()) continue;
    ++seen;
    const std::string_view text = *row.Get("text")->String();
    std::vector<std::int32_t> ids, types;
    for (const base::JsonValue id : base::JsonValue(*row.Get("ids")))
      ids.push_back(static_cast<int>(*id.Int()));
    Encoding encoding;
    if (const auto pair = row.Find("pair")) {
      tokenizer_->EncodePair(text, *pair->String(), {}, &encoding);
      for (const base::JsonValue type : base::JsonValue(*row.Get("types"))) {
        types.push_back(static_cast<int>(*type.Int()));
      }
      EXPECT_EQ(encoding.types, types) << text;
      EXPECT_EQ(encoding.ids, ids) << text;
      continue;
    }
    tokenizer_->Encode(text, {}, &encoding);
    EXPECT_EQ(encoding.ids, ids) << text;
    if (row.Find("decoded") && std::string_view(GetParam()) != "llama2") {
      EXPECT_EQ(tokenizer_->Decode(ids, true), *row.Get("decoded")->String()) << text;
    }
  }
  EXPECT_EQ(seen, 8);
}

INSTANTIATE_TEST_SUITE_P(Text, AgainstOriginal,
                         testing::Values("bert", "bert_cased", "gpt2", "roberta", "qwen2", "smollm",
                                         "llama2", "unigram"),
                         [](const auto& name) { return std::string(name.param); });

// ids are the bytes of the normalised text, so that each step shows in them.
std::string ByteModelJson(const base::JsonValue& component) {
  base::JsonWriter w;
  w.BeginObject();
  for (const char* part : {"normalizer", "pre_tokenizer"}) {
    w.Key(part).Value(*component.Get(part));
  }
  w.Key("model").BeginObject().Key("type").String("BPE").Key("byte_fallback").Bool(true);
  w.Key("merges").BeginArray().EndArray().Key("vocab").BeginObject();
  for (int byte = 0; byte < 256; ++byte) {
    char token[8];
    std::snprintf(token, sizeof token, "<0x%02X>", byte);
    w.Key(token).Int(byte);
  }
  w.EndObject().EndObject().EndObject();
  return w.Take();
}

TEST(Components, AgreeWithTheOriginalOneByOne) {
  const std::string bytes = ReadTestFile(GoldenFile("components.json"));
  const base::Json json = *base::Json::Parse(bytes, "components.json");
  const std::vector<std::string> texts = GeneratedTexts(7, 1500);
  for (const base::JsonValue component : json.root()) {
    const std::string_view name = *component.Get("name")->String();
    auto tokenizer = Tokenizer::FromJson(ByteModelJson(component), name);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    const std::vector<std::string> hashes = BlockHashes(**tokenizer, texts, true);
    std::size_t block = 0;
    for (const base::JsonValue hash : base::JsonValue(*component.Get("hash"))) {
      ASSERT_LT(block, hashes.size());
      EXPECT_EQ(hashes[block], *hash.String()) << name << ", block " << block;
      ++block;
    }
  }
  EXPECT_GE(json.root().size(), 30);
}

}  // namespace
}  // namespace hone::text
