#include "train/graph.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "env/file.h"
#include "runtime/local_engine.h"
#include "tests/isa_limit.h"
#include "tests/support/tiny_models.h"

namespace hone::train {
namespace {

using model::Model;

// All cases of a tiny model as one ragged batch.
struct Texts {
  std::vector<std::int32_t> ids, types, begins = {0};

  explicit Texts(const tests::TinyModel& tiny) {
    for (const tests::TinyCase& c : tiny.cases) {
      ids.insert(ids.end(), c.ids.begin(), c.ids.end());
      types.insert(types.end(), c.types.begin(), c.types.end());
      begins.push_back(static_cast<std::int32_t>(ids.size()));
    }
    if (types.size() != ids.size()) types.clear();
  }
  runtime::Batch batch() const { return {.ids = ids, .types = types, .begins = begins}; }
};

Model Open(const std::string& directory) {
  auto model = Model::Open(env::RealFileSystem(), directory);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *std::move(model);
}

std::unique_ptr<Graph> MakeGraph(const Model& model) {
  auto graph = Graph::Create(model);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return *std::move(graph);
}

std::vector<float> Values(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().contiguous();
  return {plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel()};
}

void ExpectEqualsEngine(Graph& graph, const Model& model, const Texts& texts, std::int32_t mask_id,
                        const std::string& what) {
  auto engine = runtime::LocalEngine::Load(
      model, {.format = quant::Format::kF32, .threads = 1, .isa = tests::IsaLimit()});
  ASSERT_TRUE(engine.ok()) << what;
  std::vector<float> hidden(texts.ids.size() * static_cast<std::size_t>(model.config.width));
  (*engine)->Forward((*engine)->all_layers(), texts.batch(), hidden);
  const Outputs out = graph.Forward(texts.batch(), {.hidden_states = true, .mask_id = mask_id});
  tests::ExpectClose(Values(out.hidden), hidden, 1e-4, what + " hidden");
  EXPECT_EQ(out.hidden_states.size(), model.config.layers.size() + 1);
  ASSERT_EQ(out.heads.size(), model.head.outputs.size());
  for (std::size_t o = 0; o < out.heads.size(); ++o) {
    std::vector<float> rows;
    (*engine)->ApplyHead(static_cast<int>(o), texts.batch(), hidden, mask_id, &rows);
    tests::ExpectClose(Values(out.heads[o]), rows, 1e-4, what + " " + model.head.outputs[o].name);
  }
}

TEST(Graph, EqualsTheEngineForEveryArchitectureAndHead) {
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    const Model model = Open(tests::WriteTinyModel(tiny, testing::TempDir()));
    const auto graph = MakeGraph(model);
    ExpectEqualsEngine(*graph, model, Texts(tiny), tiny.mask_id, tiny.name);
  }
}

// Moves every value a little, by a seed.
void Perturb(Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0, 0.02f);
  const c10::NoGradGuard guard;
  for (const Parameter& parameter : graph.parameters()) {
    float* values = parameter.value.data_ptr<float>();
    for (std::int64_t i = 0; i < parameter.value.numel(); ++i) values[i] += noise(random);
  }
}

TEST(Graph, ExportsWhatTheEngineThenComputes) {
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    const std::string directory = tests::WriteTinyModel(tiny, testing::TempDir());
    const Model model = Open(directory);
    const auto graph = MakeGraph(model);
    Perturb(*graph, 5);
    const auto edited = std::make_shared<formats::EditedCheckpoint>(model.checkpoint);
    graph->Export(edited.get());
    const auto changed = Model::Bind(env::RealFileSystem(), directory, tiny.config_json, edited);
    ASSERT_TRUE(changed.ok()) << tiny.name << ": " << changed.status().message();
    ExpectEqualsEngine(*graph, *changed, Texts(tiny), tiny.mask_id, tiny.name);
  }
}

// A model of made-up weights from a config of its own.
Model RandomModel(const std::string& name, const std::string& config) {
  const std::string directory = testing::TempDir() + "/" + name;
  std::filesystem::create_directories(directory);
  std::ofstream(directory + "/config.json") << config;
  auto model = Model::Random(env::RealFileSystem(), directory, 3);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *std::move(model);
}

TEST(Graph, EqualsTheEngineWhereLayersArePruned) {
  constexpr char kLayers[] =
      R"("num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 60,
         "max_position_embeddings": 64, "hidden_size": 32, "hone_layers": [
         {"heads": 3, "ffn": 20}, {"heads": 0, "ffn": 7}, {"heads": 1, "ffn": 0},
         {"heads": 0, "ffn": 0}]})";
  const Model models[] = {
      RandomModel("pruned_bert", std::string(R"({"architectures": ["BertForTokenClassification"],
        "model_type": "bert", "type_vocab_size": 2, "num_labels": 5, )") +
                                     kLayers),
      RandomModel("pruned_modernbert",
                  std::string(R"({"architectures": ["ModernBertForSequenceClassification"],
        "model_type": "modernbert", "num_labels": 3, "local_attention": 8, )") +
                      kLayers)};
  tests::TinyModel tiny;
  std::mt19937 random(4);
  for (const int length : {5, 1, 33, 5}) {
    tests::TinyCase& c = tiny.cases.emplace_back();
    for (int t = 0; t < length; ++t) c.ids.push_back(static_cast<std::int32_t>(random() % 60));
  }
  for (const Model& model : models) {
    const auto graph = MakeGraph(model);
    ExpectEqualsEngine(*graph, model, Texts(tiny), -1, model.config.architecture);
  }
}

// Σ of all head outputs, each times a weight of its own, so that no gradient cancels.
at::Tensor WeightedSum(const Outputs& out) {
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (const at::Tensor& head : out.heads) {
    const at::Tensor weights = at::arange(head.numel(), at::kDouble).mul(0.7).cos();
    sum = sum + (head.to(at::kDouble).flatten() * weights).sum();
  }
  return sum;
}

TEST(Graph, HasTheGradientsOfFiniteDifferences) {
  int models = 0;
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    const bool one_of_each = tiny.name.ends_with("ForSequenceClassification") ||
                             tiny.name == "bert/ForMaskedLM" ||
                             tiny.name == "bert/HoneForIntentAndSlots";
    if (!one_of_each) continue;
    ++models;
    const Model model = Open(tests::WriteTinyModel(tiny, testing::TempDir()));
    const auto graph = MakeGraph(model);
    const Texts texts(tiny);
    const auto value = [&] {
      return WeightedSum(graph->Forward(
          texts.batch(), {.training = true, .dropout = 0.2f, .seed = 11, .mask_id = tiny.mask_id}));
    };
    value().backward();
    double largest = 0;
    for (const Parameter& parameter : graph->parameters()) {
      if (parameter.value.grad().defined()) {
        largest = std::max(largest, parameter.value.grad().to_dense().norm().item<double>());
      }
    }
    const c10::NoGradGuard guard;
    for (const Parameter& parameter : graph->parameters()) {
      // Along the gradient the value must rise by its norm.
      const at::Tensor gradient = parameter.value.grad();
      if (!gradient.defined()) continue;
      const at::Tensor dense = gradient.to_dense();
      const double norm = dense.norm().item<double>();
      if (norm < 1e-2 * largest) continue;  // lost in the rounding of f32
      const at::Tensor before = parameter.value.clone();
      double error = norm;
      // Long steps pass corners of a ReLU, short ones are lost in rounding: one of them must agree.
      for (const double h : {1e-3, 1e-4, 2e-5}) {
        parameter.value.add_(dense, h / norm);
        const double above = value().item<double>();
        parameter.value.copy_(before);
        parameter.value.sub_(dense, h / norm);
        const double below = value().item<double>();
        parameter.value.copy_(before);
        error = std::min(error, std::abs((above - below) / (2 * h) - norm));
        if (error < 0.01 * norm) break;
      }
      EXPECT_LT(error, 0.02 * norm) << tiny.name << " " << parameter.name;
    }
  }
  EXPECT_GE(models, 8);
}

TEST(Graph, RepeatsWithASeedAndDropsByIt) {
  const tests::TinyModel tiny = tests::AllTinyModels().front();
  const Model model = Open(tests::WriteTinyModel(tiny, testing::TempDir()));
  const Texts texts(tiny);
  const auto run = [&](std::uint64_t seed, float dropout) {
    const auto graph = MakeGraph(model);
    const Outputs out =
        graph->Forward(texts.batch(), {.training = true, .dropout = dropout, .seed = seed});
    out.hidden.square().sum().backward();
    std::vector<float> all = Values(out.hidden);
    for (const Parameter& parameter : graph->parameters()) {
      if (!parameter.value.grad().defined()) continue;
      const std::vector<float> gradient = Values(parameter.value.grad().to_dense());
      all.insert(all.end(), gradient.begin(), gradient.end());
    }
    return all;
  };
  EXPECT_EQ(run(1, 0.1f), run(1, 0.1f));
  EXPECT_NE(run(1, 0.1f), run(2, 0.1f));
  EXPECT_EQ(run(1, 0.0f), run(2, 0.0f));
}

TEST(Graph, RefusesAWeightThatIsNotFinite) {
  const tests::TinyModel tiny = tests::AllTinyModels().front();
  const std::string directory = tests::WriteTinyModel(tiny, testing::TempDir());
  const Model model = Open(directory);
  const auto edited = std::make_shared<formats::EditedCheckpoint>(model.checkpoint);
  const std::string name = model.weights.layers[0].output.weight.name + ".weight";
  const tensor::Shape shape = edited->Find(name)->shape;
  std::vector<float> values(static_cast<std::size_t>(shape.elements()), 0.5f);
  values[3] = NAN;
  edited->SetF32(name, shape, values);
  const auto changed = Model::Bind(env::RealFileSystem(), directory, tiny.config_json, edited);
  ASSERT_TRUE(changed.ok());
  const auto graph = Graph::Create(*changed);
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.status().message().find(name), std::string::npos);
}

}  // namespace
}  // namespace hone::train
