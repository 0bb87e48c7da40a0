#include "compress/prune/pruner.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "compress/moments.h"

namespace hone::compress {
namespace {

using runtime::Tap;

// One block while its inputs are summed and its levels made.
struct Work {
  int layer;
  Block block;
  const model::Linear* linear;  // output or down
  Moments sum;
};

std::vector<int> CountsOf(const model::ModelConfig& config, Block block, int whole) {
  if (block == Block::kFeedForward) return ColumnCounts(whole);
  // The table of relative position biases has a column for each original head.
  if (config.relative_buckets > 0) return {whole, 0};
  return HeadCounts(whole);
}

base::StatusOr<BlockSnapshots> MakeLevels(const model::ModelConfig& config, Work* work,
                                          const PruneOptions& options, base::ThreadPool& pool) {
  const model::Linear& linear = *work->linear;
  const auto n = static_cast<std::size_t>(linear.weight.k);
  std::vector<float> weight(static_cast<std::size_t>(linear.weight.n) * n);
  tensor::CopyToF32(linear.weight.values, 0, weight);
  std::vector<double> mean;
  if (options.shift_bias && !linear.bias.empty()) mean = work->sum.means();
  std::vector<double> hessian = work->sum.Take(1.0 / static_cast<double>(work->sum.rows()));
  for (std::size_t i = 0; i < mean.size(); ++i) {
    for (std::size_t j = 0; j < n; ++j) hessian[i * n + j] -= mean[i] * mean[j];
  }
  const int group = work->block == Block::kAttention ? config.head_size : 1;
  const RemovalRequest request{
      .weight = weight,
      .hessian = hessian,
      .mean = mean,
      .rows = linear.weight.n,
      .columns = linear.weight.k,
      .group = group,
      .counts = CountsOf(config, work->block, linear.weight.k / group),
      .damping = options.damping,
  };
  auto levels = options.magnitude ? RemoveByMagnitude(request) : RemoveOneAtATime(request, pool);
  if (!levels.ok()) return base::Annotate(levels.status(), linear.weight.name);
  return BlockSnapshots{work->layer, work->block, *std::move(levels)};
}

base::Status CheckFloat(const model::Linear& linear) {
  if (linear.weight.kind == formats::StoredKind::kFloat) return base::OkStatus();
  return base::BadInput(linear.weight.name,
                        ": is quantised already; pruning comes before quantisation");
}

}  // namespace

base::StatusOr<std::vector<BlockSnapshots>> TakeSnapshots(const Draft& draft,
                                                          const Calibration& data,
                                                          const PruneOptions& options) {
  const model::Model& model = draft.model();
  HONE_ASSIGN_OR_RETURN(
      const std::unique_ptr<runtime::LocalEngine> engine,
      runtime::LocalEngine::Load(
          model, {.format = quant::Format::kF32, .threads = options.threads, .isa = options.isa}));
  base::ThreadPool pool(options.threads);
  CalibrationStream stream(data, model.config.width);
  std::vector<BlockSnapshots> snapshots;
  const int layers = model.config.layer_count();
  for (int l = 0; l < layers; ++l) {
    const model::LayerWeights& weights = model.weights.layers[static_cast<std::size_t>(l)];
    std::optional<Work> attention, feed_forward;
    const auto begin = [&](Block block, const model::Linear& linear, std::optional<Work>* work) {
      if (linear.weight.empty() || (options.wanted && !options.wanted(l, block))) return;
      work->emplace(Work{l, block, &linear, Moments(linear.weight.k, pool, options.isa)});
    };
    begin(Block::kAttention, weights.output, &attention);
    begin(Block::kFeedForward, weights.down, &feed_forward);
    std::vector<Tap> taps;
    if (attention) taps.push_back(Tap::kOutputInput);
    if (feed_forward) taps.push_back(Tap::kDownInput);
    stream.RunLayer(*engine, l, taps, true, [&](const LayerInputs& inputs) {
      if (attention) attention->sum.Add(inputs.rows(Tap::kOutputInput));
      if (feed_forward) feed_forward->sum.Add(inputs.rows(Tap::kDownInput));
    });
    for (std::optional<Work>* work : {&attention, &feed_forward}) {
      if (!*work) continue;
      HONE_RETURN_IF_ERROR(CheckFloat(*(*work)->linear));
      HONE_ASSIGN_OR_RETURN(BlockSnapshots block, MakeLevels(model.config, &**work, options, pool));
      snapshots.push_back(std::move(block));
      work->reset();
    }
    if (options.progress) options.progress(l + 1, layers);
  }
  return snapshots;
}

std::uint64_t SnapshotBytes(const model::ModelConfig& config, int tokens_per_batch,
                            std::size_t tokens) {
  std::uint64_t snapshots = 0, work = 0;
  const auto width = static_cast<std::uint64_t>(config.width);
  for (const model::LayerShape& layer : config.layers) {
    const auto f = static_cast<std::uint64_t>(layer.ffn);
    const auto inner =
        static_cast<std::uint64_t>(layer.heads) * static_cast<std::uint64_t>(config.head_size);
    // Widths fall by a tenth, a geometric series that sums to 10; head counts one by one.
    snapshots +=
        sizeof(float) * width * (10 * f + inner * static_cast<std::uint64_t>(layer.heads) / 2);
    const std::uint64_t n = std::max(f, inner);
    // H, its centred copy, its factor, its inverse, the inverse's next state; W twice.
    work = std::max(work,
                    sizeof(double) * (5 * n * n + 2 * width * n) +
                        Moments::Bytes(static_cast<int>(n), static_cast<int>(n), tokens_per_batch));
  }
  return snapshots + work + sizeof(float) * width * tokens;
}

std::vector<PrunedShape> ShapesOf(const Draft& draft, const std::vector<BlockSnapshots>& blocks,
                                  const Assignment& assignment) {
  HONE_CHECK(blocks.size() == assignment.size());
  std::vector<PrunedShape> shapes;
  for (const model::LayerShape& layer : draft.model().config.layers) {
    shapes.push_back({.heads = layer.heads, .ffn = layer.ffn});
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const int kept = blocks[i].levels[static_cast<std::size_t>(assignment[i])].kept;
    PrunedShape& shape = shapes[static_cast<std::size_t>(blocks[i].layer)];
    (blocks[i].block == Block::kAttention ? shape.heads : shape.ffn) = kept;
  }
  return shapes;
}

}  // namespace hone::compress
