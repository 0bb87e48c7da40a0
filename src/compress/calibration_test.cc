#include "compress/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace hone::compress {
namespace {

// Words of one letter each are tokens, [CLS] and [SEP] around them.
std::unique_ptr<text::Tokenizer> Letters() {
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char c = 'a'; c <= 'z'; ++c) vocabulary += std::string(1, c) + "\n";
  auto tokenizer = text::Tokenizer::FromWordPieceVocab(vocabulary, "vocab.txt", true);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

model::Model ModelFor(model::Task task, int max_tokens) {
  model::Model model;
  model.head.task = task;
  model.config.token_types = 2;
  model.config.vocabulary = 31;
  model.max_text_tokens = max_tokens;
  return model;
}

eval::Examples Texts(std::size_t count) {
  eval::Examples examples;
  for (std::size_t i = 0; i < count; ++i) {
    eval::Example& example = examples.items.emplace_back();
    for (std::size_t w = 0; w <= i % 7; ++w) {
      example.text += std::string(1, static_cast<char>('a' + i % 26)) + " ";
    }
    example.label = static_cast<int>(i % 2);
  }
  return examples;
}

const eval::Task& TaskOf(std::string_view name) {
  return **eval::FindTask(name);
}

TEST(Calibration, FillsBatchesWithSimilarLengths) {
  const auto tokenizer = Letters();
  const auto data = MakeCalibration(Texts(100), TaskOf("sst2"), *tokenizer,
                                    ModelFor(model::Task::kSequenceClassification, 64),
                                    {.count = 40, .seed = 3, .tokens_per_batch = 50});
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->examples.size(), 40u);
  std::set<std::size_t> seen;
  std::size_t longest = 0, tokens = 0;
  for (const CalibrationBatch& batch : data->batches) {
    EXPECT_LE(batch.ids.size(), 50u);
    EXPECT_EQ(batch.ids.size(), static_cast<std::size_t>(batch.begins.back()));
    EXPECT_EQ(batch.types.size(), batch.ids.size());
    ASSERT_EQ(batch.begins.size(), batch.texts.size() + 1);
    for (std::size_t t = 0; t < batch.texts.size(); ++t) {
      EXPECT_TRUE(seen.insert(batch.texts[t]).second);
      const auto length = static_cast<std::size_t>(batch.begins[t + 1] - batch.begins[t]);
      EXPECT_GE(length, longest) << "shortest first";
      longest = length;
      // [CLS], its words, [SEP].
      const std::string& text = data->examples[batch.texts[t]].text;
      EXPECT_EQ(length, text.size() / 2 + 2);
      EXPECT_EQ(batch.ids[static_cast<std::size_t>(batch.begins[t]) + 1], 5 + text[0] - 'a');
    }
    tokens += batch.ids.size();
  }
  EXPECT_EQ(seen.size(), 40u);
  EXPECT_EQ(tokens, data->tokens);
}

TEST(Calibration, SeedChoosesAndRepeats) {
  const auto tokenizer = Letters();
  const model::Model model = ModelFor(model::Task::kSequenceClassification, 64);
  const auto chosen = [&](std::uint64_t seed) {
    const auto data =
        MakeCalibration(Texts(100), TaskOf("sst2"), *tokenizer, model, {.count = 10, .seed = seed});
    std::vector<std::string> texts;
    for (const eval::Example& example : data->examples) texts.push_back(example.text);
    return texts;
  };
  EXPECT_EQ(chosen(1), chosen(1));
  EXPECT_NE(chosen(1), chosen(2));
  EXPECT_EQ(MakeCalibration(Texts(3), TaskOf("sst2"), *tokenizer, model, {})->examples.size(), 3u);
  EXPECT_FALSE(MakeCalibration({}, TaskOf("sst2"), *tokenizer, model, {}).ok());
}

TEST(Calibration, TakesPairsApartForEmbeddingsOnly) {
  const auto tokenizer = Letters();
  eval::Examples examples = Texts(2);
  for (eval::Example& example : examples.items) {
    example.second = std::make_shared<std::string>("x y");
  }
  const auto apart = MakeCalibration(examples, TaskOf("stsb"), *tokenizer,
                                     ModelFor(model::Task::kEmbedding, 64), {});
  ASSERT_TRUE(apart.ok());
  EXPECT_EQ(apart->texts_per_example, 2);
  std::vector<std::size_t> texts = apart->batches[0].texts;
  std::ranges::sort(texts);
  EXPECT_EQ(texts, (std::vector<std::size_t>{0, 1, 2, 3}));
  const auto together = MakeCalibration(examples, TaskOf("stsb"), *tokenizer,
                                        ModelFor(model::Task::kSequenceClassification, 64), {});
  ASSERT_TRUE(together.ok());
  EXPECT_EQ(together->batches[0].texts.size(), 2u);
  EXPECT_EQ(together->tokens, std::size_t{1 + 2 + 3 + 4 + 3 + 3});  // [CLS] a [SEP] x y [SEP] …
}

TEST(Calibration, TakesTheWindowThatHoldsTheAnswer) {
  const auto tokenizer = Letters();
  eval::Examples examples;
  eval::Example& example = examples.items.emplace_back();
  example.text = "q";
  std::string context;
  for (int i = 0; i < 200; ++i) context += i == 170 ? "z " : "c ";
  example.second = std::make_shared<std::string>(context);
  example.answers = {"z"};
  const auto data = MakeCalibration(examples, TaskOf("squad"), *tokenizer,
                                    ModelFor(model::Task::kQuestionAnswering, 64), {});
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_EQ(data->batches.size(), 1u);
  const std::vector<std::int32_t>& ids = data->batches[0].ids;
  EXPECT_LE(ids.size(), 64u);
  EXPECT_EQ(std::ranges::count(ids, 5 + 'z' - 'a'), 1);
}

TEST(Calibration, ReadsPlainLines) {
  const auto tokenizer = Letters();
  const auto data =
      MakeTextCalibration("a b\r\n\n  \nc", *tokenizer, ModelFor(model::Task::kEmbedding, 64), {});
  ASSERT_TRUE(data.ok());
  ASSERT_EQ(data->examples.size(), 2u);
  EXPECT_EQ(data->examples[0].text, "a b");
  EXPECT_EQ(data->tokens, 4u + 3u);
  EXPECT_FALSE(
      MakeTextCalibration("\n \n", *tokenizer, ModelFor(model::Task::kEmbedding, 64), {}).ok());
}

}  // namespace
}  // namespace hone::compress
