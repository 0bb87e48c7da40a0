#include "compress/prune/refit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "compress/prune/drop_layers.h"
#include "compress/prune/least_squares.h"
#include "tests/isa_limit.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

Draft OpenTiny(std::string_view architecture) {
  const std::string parent = testing::TempDir() + "/refit";
  std::filesystem::create_directories(parent);
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (!tiny.name.starts_with(architecture)) continue;
    if (tiny.config_json.find("hone_layers") != std::string::npos) continue;
    auto draft = Draft::Open(env::RealFileSystem(), tests::WriteTinyModel(tiny, parent));
    EXPECT_TRUE(draft.ok()) << draft.status();
    return *std::move(draft);
  }
  ADD_FAILURE() << "no tiny " << architecture;
  std::abort();
}

Calibration RandomTexts(const model::ModelConfig& config, unsigned seed) {
  std::mt19937 random(seed);
  Calibration data;
  for (int b = 0; b < 6; ++b) {
    CalibrationBatch& batch = data.batches.emplace_back();
    batch.begins.push_back(0);
    for (int text = 0; text < 20; ++text) {
      for (int i = 0; i < std::min(6 + text % 3, config.max_tokens); ++i) {
        batch.ids.push_back(
            static_cast<std::int32_t>(random() % static_cast<unsigned>(config.vocabulary)));
      }
      batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
    }
  }
  return data;
}

std::unique_ptr<runtime::LocalEngine> Load(const model::Model& model) {
  auto engine = runtime::LocalEngine::Load(
      model, {.format = quant::Format::kF32, .threads = 2, .isa = tests::IsaLimit()});
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

// Σ‖h − h'‖² / Σ‖h‖² of the two models' outputs.
double Distance(const model::Model& dense, const model::Model& pruned, const Calibration& data) {
  const auto a = Load(dense), b = Load(pruned);
  double error = 0, energy = 0;
  for (const CalibrationBatch& batch : data.batches) {
    std::vector<float> x(batch.ids.size() * static_cast<std::size_t>(dense.config.width)), y = x;
    a->Forward(a->all_layers(), batch.batch(), x);
    b->Forward(b->all_layers(), batch.batch(), y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      error += std::pow(double{x[i]} - y[i], 2);
      energy += std::pow(double{x[i]}, 2);
    }
  }
  return error / energy;
}

TEST(Refit, ComesCloserToTheDenseModelThanSnapshotsOfIt) {
  // Norms after the blocks and before them, with and without biases, gated and not.
  for (const std::string_view architecture : {"bert", "modernbert"}) {
    SCOPED_TRACE(architecture);
    const Draft draft = OpenTiny(architecture);
    const Calibration data = RandomTexts(draft.model().config, 3);
    const PruneOptions options{.threads = 2, .isa = tests::IsaLimit()};
    const auto blocks = TakeSnapshots(draft, data, options);
    ASSERT_TRUE(blocks.ok()) << blocks.status();
    Assignment assignment;
    for (const BlockSnapshots& block : *blocks) {
      assignment.push_back(static_cast<int>(block.levels.size()) / 2);
    }
    const auto stitched = Stitch(draft, *blocks, assignment);
    ASSERT_TRUE(stitched.ok());
    const std::vector<PrunedShape> shapes = ShapesOf(draft, *blocks, assignment);
    const auto refitted = Refit(draft, shapes, data, options);
    ASSERT_TRUE(refitted.ok()) << refitted.status();
    for (std::size_t l = 0; l < shapes.size(); ++l) {
      EXPECT_EQ(refitted->model().config.layers[l].heads, shapes[l].heads);
      EXPECT_EQ(refitted->model().config.layers[l].ffn, shapes[l].ffn);
    }
    EXPECT_LT(Distance(draft.model(), refitted->model(), data),
              Distance(draft.model(), stitched->model(), data));
  }
}

TEST(Refit, LeavesAModelThatStaysWholeAlmostAsItIs) {
  const Draft draft = OpenTiny("bert");
  const Calibration data = RandomTexts(draft.model().config, 4);
  std::vector<PrunedShape> shapes;
  for (const model::LayerShape& layer : draft.model().config.layers) {
    shapes.push_back({.heads = layer.heads, .ffn = layer.ffn});
  }
  const auto same = Refit(draft, shapes, data, {.threads = 1, .isa = tests::IsaLimit()});
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_LT(Distance(draft.model(), same->model(), data), 1e-8);
  shapes[0].ffn += 1;
  EXPECT_FALSE(Refit(draft, shapes, data, {.threads = 1, .isa = tests::IsaLimit()}).ok());
}

TEST(Refit, LeavesBlocksAloneThatAreNotWanted) {
  const Draft draft = OpenTiny("bert");
  const Calibration data = RandomTexts(draft.model().config, 6);
  std::vector<PrunedShape> shapes;
  for (const model::LayerShape& layer : draft.model().config.layers) {
    shapes.push_back({.heads = layer.heads, .ffn = layer.ffn});
  }
  shapes[0].ffn = 0;  // what the layers above read becomes something else
  const auto refitted = Refit(draft, shapes, data,
                              {.wanted = [](int layer, Block) { return layer == 0; },
                               .threads = 1,
                               .isa = tests::IsaLimit()});
  ASSERT_TRUE(refitted.ok()) << refitted.status();
  for (const auto weight : {&model::LayerWeights::output, &model::LayerWeights::down}) {
    const tensor::TensorView& before = (draft.model().weights.layers[1].*weight).weight.values;
    const tensor::TensorView& after = (refitted->model().weights.layers[1].*weight).weight.values;
    ASSERT_EQ(after.bytes(), before.bytes());
    EXPECT_EQ(std::memcmp(after.data, before.data, before.bytes()), 0);
  }
}

TEST(FitNear, IsTheMinimumOfItsFormula) {
  // H = diag(2, 1), C one row: W = W_0 + (C − W_0 H)(H + λ)⁻¹ with λ = 0.5·1.5.
  const std::vector<double> h = {2, 0, 0, 1}, c = {3, -1};
  std::vector<float> w = {1, 1};
  FitNear(h, c, 1, 2, 0.5, &w);
  EXPECT_NEAR(w[0], 1 + (3 - 2) / 2.75, 1e-6);
  EXPECT_NEAR(w[1], 1 + (-1 - 1) / 1.75, 1e-6);
  // A strong ridge keeps the weights, a weak one gives least squares.
  w = {1, 1};
  FitNear(h, c, 1, 2, 1e9, &w);
  EXPECT_NEAR(w[0], 1, 1e-6);
  FitNear(h, c, 1, 2, 1e-9, &w);
  EXPECT_NEAR(w[0], 1.5, 1e-6);
  EXPECT_NEAR(w[1], -1, 1e-6);
}

// Dropping layers is running only those that stay: the same bits, layer by layer.
TEST(DropLayers, RunsTheKeptLayersOnly) {
  for (const std::string_view architecture :
       {"bert", "distilbert", "roberta", "mpnet", "electra", "modernbert"}) {
    SCOPED_TRACE(architecture);
    const Draft draft = OpenTiny(architecture);
    const int layers = draft.model().config.layer_count();
    const int keep = layers > 2 ? layers - 1 : 1;
    const auto student = DropLayers(draft, keep);
    ASSERT_TRUE(student.ok()) << student.status();
    ASSERT_EQ(student->model().config.layer_count(), keep);
    const std::string out = testing::TempDir() + "/dropped";
    std::filesystem::remove_all(out);
    ASSERT_TRUE(student->Write(out, {}).ok());
    const auto reopened = model::Model::Open(env::RealFileSystem(), out);
    ASSERT_TRUE(reopened.ok()) << reopened.status();
    const CalibrationBatch batch = RandomTexts(draft.model().config, 5).batches[0];
    std::vector<float> expected(batch.ids.size() *
                                static_cast<std::size_t>(draft.model().config.width));
    std::vector<float> actual = expected;
    const auto teacher = Load(draft.model());
    const std::vector<int> kept = EvenlySpaced(layers, keep);
    teacher->Forward({0, 0}, batch.batch(), expected);
    for (const int l : kept) {
      // A range that begins at 0 includes the embeddings; the final norm, where there is one, comes
      // with the last layer alone.
      teacher->Forward({l, l + 1}, batch.batch(), expected);
    }
    const auto few = Load(*reopened);
    few->Forward(few->all_layers(), batch.batch(), actual);
    if (draft.model().weights.final_norm.empty() || kept.back() == layers - 1) {
      EXPECT_EQ(actual, expected);
    }
  }
  EXPECT_FALSE(DropLayers(OpenTiny("bert"), 0).ok());
  EXPECT_EQ(EvenlySpaced(6, 3), (std::vector<int>{0, 3, 5}));
  EXPECT_EQ(EvenlySpaced(12, 6), (std::vector<int>{0, 2, 4, 7, 9, 11}));
  EXPECT_EQ(EvenlySpaced(5, 1), (std::vector<int>{0}));
}

}  // namespace
}  // namespace hone::compress
