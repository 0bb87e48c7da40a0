#include "compress/prune/narrow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "model/reference.h"
#include "tests/isa_limit.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

base::StatusOr<Draft> OpenTiny(const std::string& name) {
  const std::string parent = testing::TempDir() + "/narrow";
  std::filesystem::create_directories(parent);
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.name == name) {
      return Draft::Open(env::RealFileSystem(), tests::WriteTinyModel(tiny, parent));
    }
  }
  return base::NotFound(name);
}

Calibration RandomTexts(const model::ModelConfig& config) {
  std::mt19937 random(6);
  Calibration data;
  CalibrationBatch& batch = data.batches.emplace_back();
  batch.begins.push_back(0);
  for (int text = 0; text < 60; ++text) {
    for (int i = 0; i < std::min(7, config.max_tokens); ++i) {
      batch.ids.push_back(
          static_cast<std::int32_t>(random() % static_cast<unsigned>(config.vocabulary)));
    }
    batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
  }
  return data;
}

TEST(Narrow, GivesAModelThatLoadsAndRunsAsItsWeightsSay) {
  for (const char* name : {"bert/ForSequenceClassification", "distilbert/ForSequenceClassification",
                           "bert/ForTokenClassification", "roberta/ForQuestionAnswering"}) {
    SCOPED_TRACE(name);
    const auto draft = OpenTiny(name);
    ASSERT_TRUE(draft.ok()) << draft.status();
    const model::ModelConfig& config = draft->model().config;
    const Calibration data = RandomTexts(config);
    const int width = config.width - config.head_size;
    const auto narrow = Narrow(*draft, width, data, {.threads = 2, .isa = tests::IsaLimit()});
    ASSERT_TRUE(narrow.ok()) << narrow.status();
    EXPECT_EQ(narrow->model().config.width, width);
    EXPECT_EQ(narrow->model().config.head_size, config.head_size);
    EXPECT_EQ(narrow->model().head.outputs[0].width, draft->model().head.outputs[0].width);

    const std::string out = testing::TempDir() + "/narrowed";
    std::filesystem::remove_all(out);
    ASSERT_TRUE(narrow->Write(out, {}).ok());
    const auto reopened = model::Model::Open(env::RealFileSystem(), out);
    ASSERT_TRUE(reopened.ok()) << reopened.status();
    const auto engine = runtime::LocalEngine::Load(
        *reopened, {.format = quant::Format::kF32, .threads = 1, .isa = tests::IsaLimit()});
    ASSERT_TRUE(engine.ok());
    const std::vector<std::int32_t> ids(data.batches[0].ids.begin(),
                                        data.batches[0].ids.begin() + data.batches[0].begins[1]);
    const std::vector<std::int32_t> begins = {0, static_cast<std::int32_t>(ids.size())};
    std::vector<float> hidden(ids.size() * static_cast<std::size_t>(width));
    (*engine)->Forward((*engine)->all_layers(), {.ids = ids, .types = {}, .begins = begins},
                       hidden);
    tests::ExpectClose(
        hidden, model::ReferenceForward(reopened->config, reopened->weights, ids, {}), 1e-4, name);
  }
}

TEST(Narrow, RefusesWhatItCannotDo) {
  const auto message = [](const std::string& name, int width) {
    const auto draft = OpenTiny(name);
    EXPECT_TRUE(draft.ok()) << draft.status();
    const auto narrow =
        Narrow(*draft, width, RandomTexts(draft->model().config), {.isa = tests::IsaLimit()});
    return narrow.status().message();
  };
  EXPECT_NE(
      message("bert/ForSequenceClassification", 3).find("expected a multiple of the head size"),
      std::string::npos);
  EXPECT_NE(message("bert/ForSequenceClassification", 1 << 20).find("expected a multiple"),
            std::string::npos);
  EXPECT_NE(message("mpnet/ForSequenceClassification", 16).find("cannot be narrowed"),
            std::string::npos);
  EXPECT_NE(message("bert/ForMaskedLM", 16).find("only classifiers"), std::string::npos);
}

}  // namespace
}  // namespace hone::compress
