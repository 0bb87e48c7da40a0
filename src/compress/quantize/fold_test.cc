#include "compress/quantize/fold.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "compress/quantize/layer_rounder.h"
#include "compress/quantize/scale_search.h"
#include "env/file.h"
#include "model/reference.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

using runtime::Tap;

// Every place there is, over every architecture: the model computes what it did before.
TEST(Fold, LeavesTheModelsOutputsAsTheyAre) {
  std::set<std::pair<std::string, Tap>> folded;
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    const std::string directory = tests::WriteTinyModel(tiny, testing::TempDir());
    auto draft = Draft::Open(env::RealFileSystem(), directory);
    ASSERT_TRUE(draft.ok()) << tiny.name << ": " << draft.status();
    for (int layer = 0; layer < draft->model().config.layer_count(); ++layer) {
      const auto matrices = LayerMatrices(draft->model(), layer);
      ASSERT_TRUE(matrices.ok()) << matrices.status();
      for (const Tap tap : {Tap::kQkvInput, Tap::kOutputInput, Tap::kUpInput, Tap::kDownInput}) {
        if (!CanFold(draft->model(), layer, tap)) continue;
        const auto reader = std::ranges::find(*matrices, tap, &LayerMatrix::input);
        ASSERT_NE(reader, matrices->end());
        std::vector<float> scale(static_cast<std::size_t>(reader->k));
        for (std::size_t i = 0; i < scale.size(); ++i) {
          scale[i] = 0.5f + 0.25f * static_cast<float>(i % 7);
        }
        ASSERT_TRUE(Fold(&*draft, layer, tap, scale).ok()) << tiny.name;
        ASSERT_TRUE(draft->Bind().ok()) << tiny.name;
        folded.emplace(draft->model().config.architecture, tap);
      }
    }
    const tests::TinyCase& c = tiny.cases.front();
    const model::Model& model = draft->model();
    tests::ExpectClose(
        tests::KeepGolden(model::ReferenceForward(model.config, model.weights, c.ids, c.types)),
        c.hidden, 1e-5, tiny.name);
  }
  // What the header says of the architectures.
  EXPECT_TRUE(folded.contains({"bert", Tap::kOutputInput}));
  EXPECT_FALSE(folded.contains({"bert", Tap::kQkvInput}));
  EXPECT_FALSE(folded.contains({"bert", Tap::kDownInput}));
  for (const Tap tap : {Tap::kQkvInput, Tap::kOutputInput, Tap::kUpInput, Tap::kDownInput}) {
    EXPECT_TRUE(folded.contains({"modernbert", tap})) << static_cast<int>(tap);
  }
}

// Channels far larger than the rest, as trained models have them, are what scales are for.
TEST(SearchScale, HelpsWhereAFewChannelsAreLarge) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const int n = 32, k = 64, tokens = 96;
  std::vector<float> rows(tokens * k), even(tokens * k);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    even[i] = normal(random);
    rows[i] = even[i] * (i % 64 == 5 || i % 64 == 40 ? 40.0f : 1.0f);
  }
  std::vector<float> weights(n * k);
  for (float& w : weights) w = 0.05f * normal(random);
  base::ThreadPool pool(2);
  for (const quant::Format format : {quant::Format::kInt8, quant::Format::kInt4}) {
    const std::vector<ScaledMatrix> matrices = {{weights, n, format}};
    const ScaleChoice choice = SearchScale(rows, k, matrices, 0, pool);
    ASSERT_EQ(choice.scale.size(), 64u);
    EXPECT_LT(choice.after, 0.7 * choice.before) << quant::NameOf(format);
    EXPECT_GT(choice.scale[5], 2 * choice.scale[6]) << "the large channels are divided by more";
  }
  const std::vector<ScaledMatrix> exact = {{weights, n, quant::Format::kF32}};
  EXPECT_TRUE(SearchScale(rows, k, exact, 0, pool).scale.empty()) << "nothing is rounded";
}

}  // namespace
}  // namespace hone::compress
