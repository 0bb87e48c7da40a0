#include "compress/prune/pruner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>

#include "model/reference.h"
#include "tests/isa_limit.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

// One model of every architecture.
std::vector<tests::TinyModel> OneOfEach() {
  std::vector<tests::TinyModel> models;
  std::set<std::string> seen;
  for (tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.config_json.find("hone_layers") != std::string::npos) continue;
    if (seen.insert(tiny.name.substr(0, tiny.name.find('/'))).second) {
      models.push_back(std::move(tiny));
    }
  }
  return models;
}

Draft OpenDraft(const tests::TinyModel& tiny) {
  const std::string parent = testing::TempDir() + "/pruner";
  std::filesystem::create_directories(parent);
  auto draft = Draft::Open(env::RealFileSystem(), tests::WriteTinyModel(tiny, parent));
  EXPECT_TRUE(draft.ok()) << draft.status();
  return *std::move(draft);
}

// Texts of random tokens: more of them than a matrix has inputs.
Calibration RandomTexts(const model::ModelConfig& config) {
  std::mt19937 random(11);
  Calibration data;
  for (int b = 0; b < 4; ++b) {
    CalibrationBatch& batch = data.batches.emplace_back();
    batch.begins.push_back(0);
    for (int text = 0; text < 12; ++text) {
      const int length = std::min(5 + text % 4, config.max_tokens);
      for (int i = 0; i < length; ++i) {
        batch.ids.push_back(
            static_cast<std::int32_t>(random() % static_cast<unsigned>(config.vocabulary)));
      }
      batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
    }
    data.tokens += batch.ids.size();
  }
  return data;
}

PruneOptions Options() {
  return {.threads = 2, .isa = tests::IsaLimit()};
}

std::vector<float> Forward(const model::Model& model, const CalibrationBatch& batch) {
  const auto engine = runtime::LocalEngine::Load(
      model, {.format = quant::Format::kF32, .threads = 2, .isa = tests::IsaLimit()});
  EXPECT_TRUE(engine.ok()) << engine.status();
  std::vector<float> hidden(batch.ids.size() * static_cast<std::size_t>(model.config.width));
  (*engine)->Forward((*engine)->all_layers(), batch.batch(), hidden);
  return hidden;
}

// Of text 0 of the batch, by the readable forward pass.
void ExpectLikeReference(const model::Model& model, const CalibrationBatch& batch,
                         const std::vector<float>& hidden, const std::string& what) {
  const std::vector<std::int32_t> ids(batch.ids.begin(), batch.ids.begin() + batch.begins[1]);
  const std::vector<float> expected = model::ReferenceForward(model.config, model.weights, ids, {});
  tests::ExpectClose(std::span(hidden).first(expected.size()), expected, 1e-4, what);
}

// Every second block at a middle level, the others at those around it; the last one gone.
Assignment Mixed(const std::vector<BlockSnapshots>& blocks, bool heads_too) {
  Assignment assignment;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const int levels = static_cast<int>(blocks[i].levels.size());
    const bool partial = blocks[i].block == Block::kFeedForward || heads_too;
    assignment.push_back(partial ? std::min(levels - 2, levels / 2 + static_cast<int>(i % 2)) : 0);
  }
  assignment.back() = static_cast<int>(blocks.back().levels.size()) - 1;
  return assignment;
}

TEST(Pruner, StitchesEveryArchitectureAtEveryKindOfLevel) {
  for (const tests::TinyModel& tiny : OneOfEach()) {
    SCOPED_TRACE(tiny.name);
    const Draft draft = OpenDraft(tiny);
    const model::Model& model = draft.model();
    const Calibration data = RandomTexts(model.config);
    const auto blocks = TakeSnapshots(draft, data, Options());
    ASSERT_TRUE(blocks.ok()) << blocks.status();
    ASSERT_EQ(blocks->size(), 2 * model.config.layers.size());

    // Whole: the very bits of the dense model.
    const auto whole = Stitch(draft, *blocks, Assignment(blocks->size(), 0));
    ASSERT_TRUE(whole.ok()) << whole.status();
    const std::vector<float> dense = Forward(model, data.batches[0]);
    EXPECT_EQ(Forward(whole->model(), data.batches[0]), dense);

    // Pruned: what the reference makes of the stitched weights, and again from disk.
    const bool heads_too = model.config.relative_buckets == 0;
    const Assignment assignment = Mixed(*blocks, heads_too);
    const auto pruned = Stitch(draft, *blocks, assignment);
    ASSERT_TRUE(pruned.ok()) << pruned.status();
    const std::vector<PrunedShape> shapes = ShapesOf(draft, *blocks, assignment);
    for (std::size_t l = 0; l < shapes.size(); ++l) {
      EXPECT_EQ(pruned->model().config.layers[l].heads, shapes[l].heads);
      EXPECT_EQ(pruned->model().config.layers[l].ffn, shapes[l].ffn);
    }
    EXPECT_EQ(shapes.back().ffn, 0);
    const std::vector<float> hidden = Forward(pruned->model(), data.batches[0]);
    EXPECT_NE(hidden, dense);
    ExpectLikeReference(pruned->model(), data.batches[0], hidden, "stitched");
    const std::string out = testing::TempDir() + "/pruner-out";
    std::filesystem::remove_all(out);
    ASSERT_TRUE(pruned->Write(out, {}).ok());
    const auto reopened = model::Model::Open(env::RealFileSystem(), out);
    ASSERT_TRUE(reopened.ok()) << reopened.status();
    EXPECT_EQ(Forward(*reopened, data.batches[0]), hidden);
    EXPECT_LT(reopened->checkpoint->Names().size(), model.checkpoint->Names().size());

    // With every block gone only embeddings and norms are left.
    Assignment gone;
    for (const BlockSnapshots& block : *blocks) {
      gone.push_back(static_cast<int>(block.levels.size()) - 1);
    }
    const auto nothing = Stitch(draft, *blocks, gone);
    ASSERT_TRUE(nothing.ok()) << nothing.status();
    ExpectLikeReference(nothing->model(), data.batches[0],
                        Forward(nothing->model(), data.batches[0]), "gone");
  }
}

// The error of a level is what the matrix's output really loses on the calibration data: with only
// this block pruned, the sums over the layer's residual stream must agree.
TEST(Pruner, LevelsHaveTheErrorThatTheEngineSees) {
  const tests::TinyModel tiny = OneOfEach().front();
  const Draft draft = OpenDraft(tiny);
  const Calibration data = RandomTexts(draft.model().config);
  for (const bool magnitude : {false, true}) {
    for (const bool shift_bias : {false, true}) {
      PruneOptions options = Options();
      options.magnitude = magnitude;
      options.shift_bias = shift_bias;
      options.damping = 1e-9;
      options.wanted = [](int layer, Block block) {
        return layer == 0 && block == Block::kFeedForward;
      };
      const auto blocks = TakeSnapshots(draft, data, options);
      ASSERT_TRUE(blocks.ok()) << blocks.status();
      ASSERT_EQ(blocks->size(), 1u);
      const int chosen = static_cast<int>(blocks->front().levels.size()) / 2;
      const Level& level = blocks->front().levels[static_cast<std::size_t>(chosen)];
      const auto pruned = Stitch(draft, *blocks, {chosen});
      ASSERT_TRUE(pruned.ok());
      const auto output = [&](const model::Model& model, std::vector<double>* bias) {
        const auto engine = runtime::LocalEngine::Load(
            model, {.format = quant::Format::kF32, .threads = 1, .isa = tests::IsaLimit()});
        EXPECT_TRUE(engine.ok());
        const model::Linear& down = model.weights.layers[0].down;
        std::vector<float> weight(static_cast<std::size_t>(down.weight.n * down.weight.k));
        std::vector<float> shift(static_cast<std::size_t>(down.weight.n));
        tensor::CopyToF32(down.weight.values, 0, weight);
        tensor::CopyToF32(down.bias, 0, shift);
        bias->assign(shift.begin(), shift.end());
        std::vector<double> y;  // without the bias
        CalibrationStream stream(data, model.config.width);
        const runtime::Tap taps[] = {runtime::Tap::kDownInput};
        stream.RunLayer(**engine, 0, taps, false, [&](const LayerInputs& inputs) {
          const std::span<const float> x = inputs.rows(runtime::Tap::kDownInput);
          const auto k = static_cast<std::size_t>(down.weight.k);
          for (std::size_t t = 0; t < x.size() / k; ++t) {
            for (std::size_t r = 0; r < shift.size(); ++r) {
              double sum = 0;
              for (std::size_t j = 0; j < k; ++j) sum += double{weight[r * k + j]} * x[t * k + j];
              y.push_back(sum);
            }
          }
        });
        return y;
      };
      std::vector<double> dense_bias, pruned_bias;
      const std::vector<double> dense = output(draft.model(), &dense_bias);
      const std::vector<double> left = output(pruned->model(), &pruned_bias);
      double error = 0, energy = 0;
      for (std::size_t i = 0; i < dense.size(); ++i) {
        const std::size_t r = i % dense_bias.size();
        const double shift = pruned_bias[r] - dense_bias[r];
        error += (left[i] + shift - dense[i]) * (left[i] + shift - dense[i]);
        energy += dense[i] * dense[i];
      }
      EXPECT_NEAR(level.error, error / energy, 1e-4) << magnitude << shift_bias;
      EXPECT_GT(level.error, 1e-3);
    }
  }
}

TEST(Pruner, RefusesPartOfTheHeadsWhereEachHasARelativeBias) {
  for (const tests::TinyModel& tiny : OneOfEach()) {
    if (!tiny.name.starts_with("mpnet")) continue;
    const Draft draft = OpenDraft(tiny);
    auto blocks = TakeSnapshots(draft, RandomTexts(draft.model().config), Options());
    ASSERT_TRUE(blocks.ok());
    ASSERT_EQ(blocks->front().block, Block::kAttention);
    EXPECT_EQ(blocks->front().levels.size(), 2u) << "whole and gone";
    Level half = blocks->front().levels.front();
    half.kept -= 1;
    half.structures.pop_back();
    blocks->front().levels.insert(blocks->front().levels.begin() + 1, half);
    Assignment assignment(blocks->size(), 0);
    assignment.front() = 1;
    const auto stitched = Stitch(draft, *blocks, assignment);
    EXPECT_NE(stitched.status().message().find("relative position bias allows"), std::string::npos)
        << stitched.status();
    return;
  }
  FAIL() << "there is no tiny MPNet";
}

TEST(Pruner, RefusesSnapshotsOfAnotherShape) {
  const Draft draft = OpenDraft(OneOfEach().front());
  const auto blocks = TakeSnapshots(draft, RandomTexts(draft.model().config), Options());
  ASSERT_TRUE(blocks.ok());
  Assignment assignment(blocks->size(), 0);
  assignment[1] = 1;
  const auto once = Stitch(draft, *blocks, assignment);
  ASSERT_TRUE(once.ok());
  const auto twice = Stitch(*once, *blocks, assignment);
  EXPECT_NE(twice.status().message().find("but its snapshots were taken of"), std::string::npos)
      << twice.status();
  EXPECT_FALSE(Stitch(draft, *blocks, Assignment(blocks->size(), 99)).ok());
}

}  // namespace
}  // namespace hone::compress
