// What is timed and calibrated for a joint task, whose texts are words: the demo's assistant.
#include "compress/ladder/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/calibration.h"
#include "compress/ladder/module_formats.h"
#include "formats/tokenizer_files.h"

namespace hone::compress {
namespace {

using testing::Each;
using testing::ElementsAre;

class AssistantTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string directory = std::string(HONE_SOURCE_DIR) + "/demo/assistant";
    auto opened = runtime::TextModel::Open(files_, directory, {});
    ASSERT_TRUE(opened.ok()) << opened.status();
    model_ = *std::move(opened);
    task_ = *eval::FindTask("intent_slots");
    auto read = eval::ReadExamples(
        *task_,
        R"({"words": ["stop"], "tags": ["O"], "intent": "media_pause"})"
        "\n"
        R"({"words": ["turn", "off", "the", "light"], "tags": ["O", "O", "O", "O"],)"
        R"( "intent": "light_off"})"
        "\n",
        "dev.jsonl", {});
    ASSERT_TRUE(read.ok()) << read.status();
    examples_ = *std::move(read);
    ASSERT_EQ(examples_.items.size(), 2u);
  }

  // Of every layer both blocks, levels left out: formats are given by block.
  std::vector<BlockSnapshots> Blocks() const {
    std::vector<BlockSnapshots> blocks;
    for (int layer = 0; layer < model_->model().config.layer_count(); ++layer) {
      for (const Block block : {Block::kAttention, Block::kFeedForward}) {
        blocks.push_back({.layer = layer, .block = block, .levels = {}});
      }
    }
    return blocks;
  }

  env::FileSystem& files_ = env::RealFileSystem();
  std::unique_ptr<runtime::TextModel> model_;
  const eval::Task* task_ = nullptr;
  eval::Examples examples_;
};

TEST_F(AssistantTest, NaturalLengthsCountTheWordsOfAJointTask) {
  // Each of these words is one token of the assistant's; [CLS] and [SEP] are around them.
  EXPECT_THAT(NaturalLengths(*task_, examples_.items, *model_), ElementsAre(3, 6));
}

TEST_F(AssistantTest, CalibrationReadsTheWordsOfAJointTask) {
  const auto texts = MakeCalibration(examples_, *task_, model_->tokenizer(), model_->model(), {});
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ(texts->tokens, 9u);
  ASSERT_EQ(texts->batches.size(), 1u);
  text::Encoding expected;
  model_->tokenizer().Encode("stop", {}, &expected);
  const std::vector<std::int32_t>& ids = texts->batches[0].ids;
  EXPECT_EQ(std::vector<std::int32_t>(ids.begin(), ids.begin() + 3), expected.ids);
}

TEST_F(AssistantTest, EveryModuleHasTheFormatOfItsBlock) {
  // One format for all, and not the first that a stage names ([int8, int4]): it must be said of
  // every module, or the engine would time int8 and the quantiser write it.
  const std::vector<BlockSnapshots> blocks = Blocks();
  const model::Model& model = model_->model();
  const BlockFormats uniform(blocks.size(), {quant::Format::kInt4, quant::Format::kInt4});
  const ModuleFormats formats = FormatsByModule(model, blocks, uniform);
  EXPECT_EQ(formats.size(), 6u * static_cast<std::size_t>(model.config.layer_count()));
  for (const model::LayerWeights& layer : model.weights.layers) {
    for (const model::Linear* linear :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
      ASSERT_TRUE(formats.contains(linear->weight.name)) << linear->weight.name;
    }
  }
  EXPECT_THAT(formats, Each(testing::Pair(testing::_, quant::Format::kInt4)));

  for (const LayerForm& form : FormsOf(model, formats, quant::Format::kF32)) {
    EXPECT_EQ(form.attention_format, "int4");
    EXPECT_EQ(form.ffn_format, "int4");
  }
  // A block without snapshots is nobody's.
  const std::vector<BlockSnapshots> one = {blocks[1]};
  const BlockFormats differ = {{quant::Format::kInt8, quant::Format::kInt4}};
  const model::LayerWeights& first = model.weights.layers[0];
  ModuleFormats of_one = FormatsByModule(model, one, differ);
  EXPECT_THAT(of_one, testing::UnorderedElementsAre(
                          testing::Pair(first.up.weight.name, quant::Format::kInt8),
                          testing::Pair(first.down.weight.name, quant::Format::kInt4)));
  // It is predicted in the format that it is written in.
  const std::vector<LayerForm> forms = FormsOf(model, of_one, quant::Format::kInt4);
  EXPECT_EQ(forms[0].attention_format, "int4");
  EXPECT_EQ(forms[0].ffn_format, "int8+int4");
  of_one[first.query.weight.name] = quant::Format::kF32;
  EXPECT_EQ(FormsOf(model, of_one, quant::Format::kInt4)[0].attention_format, "f32+int4")
      << "a matrix that the recipe ignores";
}

}  // namespace
}  // namespace hone::compress
