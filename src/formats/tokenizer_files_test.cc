#include "formats/tokenizer_files.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "formats/test_directory.h"

namespace hone::formats {
namespace {

using testing::HasSubstr;
using TokenizerFiles = TestDirectory;

constexpr const char* kVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n";

TEST_F(TokenizerFiles, SaysWhatWasLookedFor) {
  const auto none = OpenTokenizer(files_, directory_);
  EXPECT_THAT(none.status().message(), HasSubstr("has no tokenizer; looked for"));
  EXPECT_FALSE(OpenTokenizer(files_, "/no/such/directory").ok());
}

// Older sentence-transformers directories keep everything of the encoder in 0_Transformer.
TEST_F(TokenizerFiles, AreFoundInTheFolderThatModulesJsonNames) {
  Put("modules.json", R"([{"type": "sentence_transformers.models.Transformer",
                           "path": "0_Transformer"}])");
  ASSERT_TRUE(files_.MakeDirectory(Path("0_Transformer")).ok());
  Put("0_Transformer/vocab.txt", kVocab);
  const auto tokenizer = OpenTokenizer(files_, directory_);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ((*tokenizer)->vocabulary_size(), 5);
  Put("vocab.txt", std::string(kVocab) + "b\n");  // the top comes first
  EXPECT_EQ((*OpenTokenizer(files_, directory_))->vocabulary_size(), 6);
}

TEST_F(TokenizerFiles, GiveFairseqsIdsForSentencepieceBpeModel) {
  std::ostringstream model;
  model << std::ifstream(HONE_SOURCE_DIR "/tests/golden/text/unigram.model").rdbuf();
  const auto beginning = [&] {
    const auto tokenizer = OpenTokenizer(files_, directory_);
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    text::Encoding encoding;
    (*tokenizer)->Encode("", {}, &encoding);
    return encoding.ids;
  };
  Put("sentencepiece.bpe.model", model.str());
  EXPECT_EQ(beginning(), (std::vector<std::int32_t>{0, 2}));
  Put("config.json", R"({"model_type": "xlm-roberta"})");
  EXPECT_EQ(beginning(), (std::vector<std::int32_t>{0, 2}));
  Put("config.json", R"({"model_type": "camembert"})");
  EXPECT_EQ(beginning(), (std::vector<std::int32_t>{5, 6}));
  Put("spiece.model", model.str());
  EXPECT_EQ(beginning(), (std::vector<std::int32_t>{}));
}

}  // namespace
}  // namespace hone::formats
