// How long a training step of MiniLM-L6's shape takes: forward, backward and AdamW of a classifier
// over 32 texts of 16 random tokens, dropout 0.1, weights made up. pytorch_step.py does the same with
// PyTorch; compare.py runs both in turn.
//
// train_step [threads] [steps] → one line of JSON: milliseconds of the fastest step by parts, of the
// median one, and the least processor time of a step (for a machine shared with others).
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <vector>

#include "base/check.h"
#include "env/clock.h"
#include "env/file.h"
#include "train/adamw.h"
#include "train/batch_parts.h"
#include "train/graph.h"
#include "train/part_gradients.h"

namespace hone {
namespace {

constexpr char kConfig[] = R"({"architectures": ["BertForSequenceClassification"],
  "model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
  "intermediate_size": 1536, "vocab_size": 30522, "max_position_embeddings": 512,
  "type_vocab_size": 2, "hidden_act": "gelu", "num_labels": 2})";
constexpr int kTexts = 32, kTokens = 16;

double ProcessorMs() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) * 1e-3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

// Other words in each step, as in an epoch: rows of the embedding are read that missed some.
train::TrainingBatch MakeBatch(std::mt19937& random) {
  train::TrainingBatch batch;
  batch.begins = {0};
  for (int b = 0; b < kTexts; ++b) {
    for (int t = 0; t < kTokens; ++t) {
      batch.ids.push_back(static_cast<std::int32_t>(random() % 30522));
    }
    batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
    batch.items.push_back(static_cast<std::uint32_t>(b));
    batch.labels.push_back(random() % 2);
  }
  return batch;
}

struct Times {
  double step = 0, gradients = 0, optimizer = 0, processor = 0;
};

Times Step(train::Graph& graph, train::AdamW& adam, const std::vector<train::BatchPart>& parts,
           std::span<const std::int32_t> ids, int step) {
  Times times;
  const double processor = ProcessorMs();
  const std::int64_t start = env::NowNs();
  adam.Touch(ids);
  train::AddGradients(graph.parameters(), parts.size(), [&](std::size_t i) {
    const train::TrainingBatch& batch = parts[i].batch;
    const auto seed = static_cast<std::uint64_t>(step) * parts.size() + i;
    const train::Outputs out = graph.Forward(batch.view(/*with_types=*/false),
                                             {.training = true, .dropout = 0.1f, .seed = seed});
    const double share = static_cast<double>(batch.items.size()) / kTexts;
    return at::cross_entropy_loss(out.heads[0], at::tensor(batch.labels, at::kLong)) * share;
  });
  times.gradients = env::MsSince(start);
  adam.Step(5e-5, 1.0);
  times.step = env::MsSince(start);
  times.optimizer = times.step - times.gradients;
  times.processor = ProcessorMs() - processor;
  return times;
}

void Run(int threads, int steps) {
  train::UseThreads(threads);
  const std::string directory = std::filesystem::temp_directory_path() / "hone_train_step";
  std::filesystem::create_directories(directory);
  std::ofstream(directory + "/config.json") << kConfig;
  const auto model = model::Model::Random(env::RealFileSystem(), directory, 1);
  HONE_CHECK(model.ok());
  const auto graph = train::Graph::Create(*model);
  HONE_CHECK(graph.ok());
  train::AdamW adam((*graph)->parameters(), {});

  std::mt19937 random(1);
  std::vector<Times> all;
  for (int i = 0; i < steps; ++i) {
    const train::TrainingBatch batch = MakeBatch(random);
    all.push_back(Step(**graph, adam, train::SplitBatch(batch, threads), batch.ids, i));
  }
  const auto by_step = [](const Times& a, const Times& b) { return a.step < b.step; };
  std::sort(all.begin(), all.end(), by_step);
  double processor = all[0].processor;
  for (const Times& times : all) processor = std::min(processor, times.processor);
  std::printf(
      "{\"step_ms\": %.1f, \"gradients_ms\": %.1f, \"optimizer_ms\": %.1f, \"median_ms\": %.1f, "
      "\"processor_ms\": %.1f}\n",
      all[0].step, all[0].gradients, all[0].optimizer, all[all.size() / 2].step, processor);
}

}  // namespace
}  // namespace hone

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 15;
  hone::Run(std::max(1, threads), std::max(1, steps));
}
