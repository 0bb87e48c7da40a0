#include "train/memory.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "env/cpus.h"
#include "env/file.h"
#include "runtime/local_engine.h"
#include "train/adamw.h"
#include "train/graph.h"

namespace hone::train {
namespace {

constexpr char kConfig[] = R"({"architectures": ["BertForSequenceClassification"],
  "model_type": "bert", "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 8,
  "intermediate_size": 1024, "vocab_size": 30000, "max_position_embeddings": 128,
  "type_vocab_size": 2, "hidden_act": "gelu", "num_labels": 2})";

TEST(ForeseeMemory, IsWithinAFactorOfWhatATrainingStepTakes) {
  env::FileSystem& files = env::RealFileSystem();
  const std::string directory = testing::TempDir() + "/memory_model";
  std::filesystem::create_directories(directory);
  std::ofstream(directory + "/config.json") << kConfig;
  const int texts = 16, length = 96;
  std::unique_ptr<Graph> graph;
  TrainingMemory foreseen;
  {
    const auto model = model::Model::Random(files, directory, 1);
    ASSERT_TRUE(model.ok());
    foreseen =
        ForeseeMemory(*model, {.tokens = texts * length, .texts = texts, .longest_text = length});
    auto made = Graph::Create(*model);
    ASSERT_TRUE(made.ok());
    graph = *std::move(made);
  }
  AdamW adam(graph->parameters(), {});
  std::mt19937 random(2);
  std::vector<std::int32_t> ids, begins = {0};
  for (int t = 0; t < texts * length; ++t) {
    ids.push_back(static_cast<std::int32_t>(random() % 30000));
    if (t % length == length - 1) begins.push_back(t + 1);
  }
  const at::Tensor labels = at::zeros({texts}, at::kLong);
  for (int step = 0; step < 2; ++step) {
    const Outputs out = graph->Forward({.ids = ids, .types = {}, .begins = begins},
                                       {.training = true, .dropout = 0.1f, .seed = 1});
    at::cross_entropy_loss(out.heads[0], labels).backward();
    EXPECT_GT(adam.Step(1e-4, 1.0), 0);
  }
  const auto exported = std::make_shared<formats::EditedCheckpoint>(nullptr);
  graph->Export(exported.get());
  const auto bound = model::Model::Bind(files, directory, kConfig, exported);
  ASSERT_TRUE(bound.ok()) << bound.status().message();
  ASSERT_TRUE(runtime::LocalEngine::Load(*bound, {.threads = 1}).ok());

  // Each part of a batch has gradients of its own: those of all but the word embedding.
  const TrainingShape whole{.tokens = 100, .texts = 2, .longest_text = 50};
  TrainingShape halves = whole;
  halves.parts = 2;
  const std::uint64_t one = ForeseeMemory(*bound, whole).gradients;
  const std::uint64_t two = ForeseeMemory(*bound, halves).gradients;
  EXPECT_GT(two, one + one / 2);
  EXPECT_LT(two, 2 * one);

  TrainingShape twice = whole;
  twice.passes = 2;
  const std::uint64_t once = ForeseeMemory(*bound, whole).activations;
  EXPECT_GT(ForeseeMemory(*bound, twice).activations, once + once / 2);
  EXPECT_LT(ForeseeMemory(*bound, twice).activations, 2 * once);

  const auto measured = static_cast<double>(env::PeakResidentBytes());
  const auto expected = static_cast<double>(foreseen.total());
  RecordProperty("measured_mib", static_cast<int>(measured / (1 << 20)));
  RecordProperty("foreseen_mib", static_cast<int>(expected / (1 << 20)));
  EXPECT_LT(measured, 1.5 * expected);
  EXPECT_GT(measured, expected / 1.5);
}

}  // namespace
}  // namespace hone::train
