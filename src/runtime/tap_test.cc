#include "runtime/tap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "env/file.h"
#include "runtime/local_engine.h"
#include "tests/isa_limit.h"
#include "tests/support/tiny_models.h"

namespace hone::runtime {
namespace {

// What a tap saw of one layer's input, put together: [T, width], and how often each row came.
struct Seen {
  int width = 0;
  std::vector<float> values;
  std::vector<int> times;
};

using SeenAll = std::map<std::pair<int, Tap>, Seen>;

// Runs the batch with a tap that copies; the rows of each (layer, input) are made room for before,
// as workers write at once.
SeenAll RunTapped(LocalEngine& engine, const model::Model& model, const Batch& batch,
                  std::vector<float>* hidden) {
  SeenAll seen;
  for (int l = 0; l < model.config.layer_count(); ++l) {
    const model::LayerShape& shape = model.config.layers[static_cast<std::size_t>(l)];
    const int widths[] = {model.config.width, shape.heads * model.config.head_size,
                          model.config.width, shape.ffn};
    for (int t = 0; t < kTapCount; ++t) {
      const auto rows = static_cast<std::size_t>(batch.tokens());
      seen[{l, static_cast<Tap>(t)}] = {
          widths[t], std::vector<float>(rows * static_cast<std::size_t>(widths[t])),
          std::vector<int>(rows)};
    }
  }
  engine.SetTap([&](const TappedRows& rows) {
    Seen& to = seen.at({rows.layer, rows.tap});
    EXPECT_EQ(rows.width, to.width);
    EXPECT_LT(rows.worker, engine.threads());
    for (int r = 0; r < rows.rows; ++r) {
      const auto row = static_cast<std::size_t>(rows.first_row) + static_cast<std::size_t>(r);
      ++to.times[row];
      std::copy_n(rows.x + r * rows.stride, rows.width,
                  to.values.begin() + static_cast<std::ptrdiff_t>(row) * rows.width);
    }
  });
  hidden->resize(batch.ids.size() * static_cast<std::size_t>(engine.width()));
  engine.Forward(engine.all_layers(), batch, *hidden);
  engine.SetTap({});
  return seen;
}

// y = W x + b of every row, in double.
std::vector<double> Apply(const model::Linear& linear, const Seen& input) {
  const auto n = static_cast<std::size_t>(linear.weight.n);
  const auto k = static_cast<std::size_t>(linear.weight.k);
  std::vector<float> weight(n * k), bias(n);
  tensor::CopyToF32(linear.weight.values, 0, weight);
  if (!linear.bias.empty()) tensor::CopyToF32(linear.bias, 0, bias);
  std::vector<double> y;
  for (std::size_t row = 0; row < input.times.size(); ++row) {
    for (std::size_t i = 0; i < n; ++i) {
      double sum = double{bias[i]};
      for (std::size_t j = 0; j < k; ++j)
        sum += double{weight[i * k + j]} * input.values[row * k + j];
      y.push_back(sum);
    }
  }
  return y;
}

TEST(Tap, SeesEveryRowOnceAndChangesNothing) {
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.cases.empty()) continue;
    const std::string directory = tests::WriteTinyModel(tiny, testing::TempDir());
    const auto model = model::Model::Open(env::RealFileSystem(), directory);
    ASSERT_TRUE(model.ok());
    // The case's tokens as one short text (products split by columns), and many times (by rows).
    for (const int copies : {1, 40}) {
      std::vector<std::int32_t> ids, begins = {0};
      for (int i = 0; i < copies; ++i) {
        ids.insert(ids.end(), tiny.cases[0].ids.begin(), tiny.cases[0].ids.end());
        begins.push_back(static_cast<std::int32_t>(ids.size()));
      }
      const Batch batch{.ids = ids, .types = {}, .begins = begins};
      const auto engine = LocalEngine::Load(
          *model, {.format = quant::Format::kF32, .threads = 2, .isa = tests::IsaLimit()});
      ASSERT_TRUE(engine.ok());
      std::vector<float> plain(ids.size() * static_cast<std::size_t>((*engine)->width())), hidden;
      (*engine)->Forward((*engine)->all_layers(), batch, plain);
      const SeenAll seen = RunTapped(**engine, *model, batch, &hidden);
      EXPECT_EQ(hidden, plain) << tiny.name;
      for (const auto& [where, input] : seen) {
        if (input.width == 0) continue;
        for (const int times : input.times) ASSERT_EQ(times, 1) << tiny.name;
      }
    }
  }
}

// Between what enters down and what enters the next layer there is only W x + b, the residual and a
// norm: recomputed from the tapped rows, they must meet.
TEST(Tap, InputsOfDownLeadToInputsOfTheNextLayer) {
  const std::vector<tests::TinyModel> all = tests::AllTinyModels();
  const auto tiny = std::ranges::find_if(all, [](const tests::TinyModel& m) {
    return m.name.starts_with("bert/") && m.config_json.find("hone_layers") == std::string::npos;
  });
  ASSERT_NE(tiny, all.end());
  const auto model =
      model::Model::Open(env::RealFileSystem(), tests::WriteTinyModel(*tiny, testing::TempDir()));
  ASSERT_TRUE(model.ok());
  ASSERT_GE(model->config.layer_count(), 2);
  const auto engine = LocalEngine::Load(
      *model, {.format = quant::Format::kF32, .threads = 2, .isa = tests::IsaLimit()});
  ASSERT_TRUE(engine.ok());
  const std::vector<std::int32_t> begins = {0,
                                            static_cast<std::int32_t>(tiny->cases[0].ids.size())};
  const Batch batch{.ids = tiny->cases[0].ids, .types = tiny->cases[0].types, .begins = begins};
  std::vector<float> hidden;
  const SeenAll seen = RunTapped(**engine, *model, batch, &hidden);
  const model::LayerWeights& layer = model->weights.layers[0];
  const Seen& up = seen.at({0, Tap::kUpInput});
  const std::vector<double> down = Apply(layer.down, seen.at({0, Tap::kDownInput}));
  const auto width = static_cast<std::size_t>(model->config.width);
  std::vector<float> gain(width), bias(width);
  tensor::CopyToF32(layer.ffn_norm.gain, 0, gain);
  tensor::CopyToF32(layer.ffn_norm.bias, 0, bias);
  const std::vector<float>& next = seen.at({1, Tap::kQkvInput}).values;
  for (std::size_t row = 0; row < up.times.size(); ++row) {
    std::vector<double> x(width);
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < width; ++i) {
      x[i] = double{up.values[row * width + i]} + down[row * width + i];
      mean += x[i] / static_cast<double>(width);
    }
    for (const double value : x) variance += (value - mean) * (value - mean);
    variance /= static_cast<double>(width);
    for (std::size_t i = 0; i < width; ++i) {
      const double expected = (x[i] - mean) /
                                  std::sqrt(variance + double{model->config.norm_epsilon}) *
                                  double{gain[i]} +
                              double{bias[i]};
      EXPECT_NEAR(next[row * width + i], expected, 1e-4);
    }
  }
}

}  // namespace
}  // namespace hone::runtime
