#include "compress/quantize/layer_rounder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "env/file.h"
#include "model/reference.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

using quant::Format;

Calibration RandomTexts(const model::ModelConfig& config, int texts) {
  std::mt19937 random(7);
  Calibration data;
  CalibrationBatch& batch = data.batches.emplace_back();
  batch.begins = {0};
  for (int i = 0; i < texts; ++i) {
    const int length = std::min(config.max_tokens, 4 + i % 5);
    for (int t = 0; t < length; ++t) {
      batch.ids.push_back(static_cast<std::int32_t>(random() % config.vocabulary));
    }
    batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
    batch.texts.push_back(static_cast<std::size_t>(i));
  }
  data.tokens = batch.ids.size();
  return data;
}

// Relative error of the hidden vectors against those of the model before.
double ErrorOf(const Draft& draft, const model::Model& before, const Calibration& data) {
  double error = 0, norm = 0;
  const CalibrationBatch& batch = data.batches.front();
  for (std::size_t b = 0; b + 1 < batch.begins.size(); ++b) {
    const std::span<const std::int32_t> ids(batch.ids.data() + batch.begins[b],
                                            batch.ids.data() + batch.begins[b + 1]);
    const auto a = model::ReferenceForward(draft.model().config, draft.model().weights, ids, {});
    const auto c = model::ReferenceForward(before.config, before.weights, ids, {});
    for (std::size_t i = 0; i < a.size(); ++i) {
      error += std::pow(double{a[i]} - c[i], 2);
      norm += std::pow(double{c[i]}, 2);
    }
  }
  return std::sqrt(error / norm);
}

// One model of every architecture through every method: what comes out is bound, in the formats
// asked for, and near what went in; GPTQ is nearer than rounding alone, and so is the best of a matrix.
TEST(RoundLayers, EveryArchitectureByEveryMethod) {
  std::map<std::string, std::string> one_of_each;
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    const std::string architecture = tiny.name.substr(0, tiny.name.find('/'));
    if (one_of_each.contains(architecture)) continue;
    one_of_each[architecture] = tests::WriteTinyModel(tiny, testing::TempDir());
  }
  ASSERT_GE(one_of_each.size(), 7u);
  double nearest_sum = 0, gptq_sum = 0, best_sum = 0;
  for (const auto& [architecture, directory] : one_of_each) {
    const auto before = model::Model::Open(env::RealFileSystem(), directory);
    ASSERT_TRUE(before.ok()) << architecture;
    const Calibration data = RandomTexts(before->config, 60);
    for (const Format format : {Format::kInt8, Format::kInt4}) {
      std::map<std::string, double> errors;
      for (const char* method : {"nearest", "gptq", "awq", "best", "smooth"}) {
        auto draft = Draft::Open(env::RealFileSystem(), directory);
        ASSERT_TRUE(draft.ok()) << architecture;
        RoundingOptions options{.calibration = &data, .threads = 2};
        if (std::string_view(method) == "smooth") {
          options.smooth = 0.5f;
        } else {
          options.method = *ParseRounding(method);
        }
        const base::Status status = QuantizeDraft(&*draft, {.all = format}, options, {});
        ASSERT_TRUE(status.ok()) << architecture << " " << method << ": " << status;
        for (const model::LayerWeights& layer : draft->model().weights.layers) {
          EXPECT_NE(layer.down.weight.kind, formats::StoredKind::kFloat) << architecture;
          EXPECT_NE(layer.value.weight.kind, formats::StoredKind::kFloat) << architecture;
        }
        errors[method] = ErrorOf(*draft, *before, data);
        EXPECT_LT(errors[method], format == Format::kInt8 ? 0.02 : 0.2)
            << architecture << " " << method << " " << quant::NameOf(format);
      }
      nearest_sum += errors["nearest"];
      gptq_sum += errors["gptq"];
      best_sum += errors["best"];
    }
  }
  EXPECT_LT(gptq_sum, nearest_sum);
  EXPECT_LT(best_sum, 1.1 * gptq_sum) << "taught by an eighth less, and never by the worse method";
}

}  // namespace
}  // namespace hone::compress
