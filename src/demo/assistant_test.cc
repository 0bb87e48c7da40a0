// The assistant that ./dev demo ships, held to what it is said to reach.
#include "demo/assistant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/strings.h"
#include "demo/baseline.h"
#include "demo/commands.h"
#include "env/clock.h"
#include "eval/model_predictor.h"
#include "eval/run.h"
#include "formats/tokenizer_files.h"
#include "model/config.h"

namespace hone::demo {
namespace {

const std::string kAssistant = std::string(HONE_SOURCE_DIR) + "/demo/assistant";

const eval::Task& Task() {
  return **eval::FindTask("intent_slots");
}

const CommandSet& Commands() {
  static const CommandSet set = MakeCommands(1, {});
  return set;
}

double Exact(quant::Format format) {
  runtime::TextModelOptions options;
  options.engine.format = format;
  options.engine.threads = 2;
  const auto model = runtime::TextModel::Open(env::RealFileSystem(), kAssistant, options);
  EXPECT_TRUE(model.ok()) << model.status();
  if (!model.ok()) return 0;
  const auto predictor = eval::MakePredictor(Task(), **model);
  EXPECT_TRUE(predictor.ok()) << predictor.status();
  eval::Examples test;
  test.items = Commands().test;
  const auto report =
      eval::Run(Task(), test, *predictor, {.batch = 32, .now_ns = env::NowNs, .progress = {}});
  EXPECT_TRUE(report.ok()) << report.status();
  return eval::PrimaryMetric(Task(), report->metrics);
}

TEST(Assistant, AnswersUnseenCommandsInF32AndInt8FarBetterThanCountedWords) {
  const double f32 = Exact(quant::Format::kF32);
  EXPECT_GE(f32, 0.80);
  EXPECT_GE(Exact(quant::Format::kInt8), f32 - 0.01);
  const Baseline baseline(Commands().train);
  const double words =
      eval::PrimaryMetric(Task(), Task().score(Commands().test, baseline.Predict(Commands().test)));
  EXPECT_GT(words, 0.3);  // it is a fair one
  EXPECT_LE(words, f32 - 0.08);
}

TEST(Assistant, IsSmallEnoughToShip) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kAssistant)) {
    bytes += entry.file_size();
  }
  EXPECT_LE(bytes, 8u << 20);
}

TEST(WriteBlank, DescribesAModelAndATokenizerThatReadsTheSame) {
  const std::string directory = testing::TempDir() + "/blank";
  const CommandSet small = MakeCommands(4, {.train = 800, .dev = 1, .test = 1});
  const AssistantShape shape{.layers = 2, .width = 32, .heads = 2, .ffn = 64, .vocabulary = 400};
  ASSERT_TRUE(WriteBlank(env::RealFileSystem(), directory, shape, small.train).ok());
  const auto config = env::RealFileSystem().Read(directory + "/config.json", 1 << 20);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto json = base::Json::Parse(*config, "config.json");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(*json->root().Get("num_hidden_layers")->Int(), 2);
  EXPECT_EQ(json->root().Get("id2label")->size(), static_cast<int>(IntentNames().size()));
  EXPECT_EQ(json->root().Get("slot_id2label")->size(), static_cast<int>(TagNames().size()));

  // tokenizer.json and vocab.txt are one tokenizer.
  const auto tokenizer = formats::OpenTokenizer(env::RealFileSystem(), directory);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto vocabulary = env::RealFileSystem().Read(directory + "/vocab.txt", 1 << 20);
  const auto plain = text::Tokenizer::FromWordPieceVocab(*vocabulary, "vocab.txt", true);
  ASSERT_TRUE(plain.ok()) << plain.status();
  for (const char* text : {"Wake me at 7:30, please", "what's the weather", "zqx"}) {
    text::Encoding a, b;
    (*tokenizer)->Encode(text, {}, &a);
    (*plain)->Encode(text, {}, &b);
    EXPECT_EQ(a.ids, b.ids) << text;
  }
  EXPECT_EQ(*(*tokenizer)->mask_id(), 4);
}

}  // namespace
}  // namespace hone::demo
