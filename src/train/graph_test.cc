#include "train/graph.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

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
  EXPECT_TRUE(model.ok()) << std::string(model.status().message());
  return *std::move(model);
}

std::unique_ptr<Graph> MakeGraph(const Model& model) {
  auto graph = Graph::Create(model);
  EXPECT_TRUE(graph.ok()) << std::string(graph.status().message());
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

}  // namespace
}  // namespace hone::train
