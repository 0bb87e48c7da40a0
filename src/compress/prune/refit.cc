#include "compress/prune/refit.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "compress/moments.h"
#include "compress/prune/least_squares.h"
#include "compress/row_product.h"

namespace hone::compress {
namespace {

using runtime::LocalEngine;
using runtime::Tap;

std::vector<float> Values(const tensor::TensorView& view) {
  std::vector<float> values(static_cast<std::size_t>(view.shape.elements()));
  tensor::CopyToF32(view, 0, values);
  return values;
}

// One of the two models on its way through the data.
class Side {
 public:
  Side(const Calibration& data, const PruneOptions& options, base::ThreadPool& pool, int width)
      : options_(options), pool_(pool), stream_(data, width) {}

  base::Status Load(const model::Model& model) {
    model_ = &model;
    HONE_ASSIGN_OR_RETURN(engine_, LocalEngine::Load(model, {.format = quant::Format::kF32,
                                                             .threads = options_.threads,
                                                             .isa = options_.isa}));
    output_.reset();
    return base::OkStatus();
  }
  void Start() { stream_.Start(*engine_); }
  void Advance(int layer) { stream_.RunLayer(*engine_, layer, {}, true, {}); }

  // Runs a layer up to the inputs of its output (or down) matrix: x. `residual` becomes the stream
  // that the block's output is added to.
  std::span<const float> Inputs(int layer, Block block, std::size_t batch,
                                std::vector<float>* residual);

 private:
  const PruneOptions& options_;
  base::ThreadPool& pool_;
  CalibrationStream stream_;
  const model::Model* model_ = nullptr;
  std::unique_ptr<LocalEngine> engine_;
  int output_layer_ = -1;
  std::unique_ptr<RowProduct> output_;  // of output_layer_, pre-norm models
};

std::span<const float> Side::Inputs(int layer, Block block, std::size_t batch,
                                    std::vector<float>* residual) {
  if (block == Block::kAttention) {
    const Tap taps[] = {Tap::kOutputInput};
    const LayerInputs& inputs = stream_.RunBatch(*engine_, layer, taps, false, batch);
    residual->assign(inputs.before().begin(), inputs.before().end());
    return inputs.rows(Tap::kOutputInput);
  }
  const Tap taps[] = {Tap::kOutputInput, Tap::kUpInput, Tap::kDownInput};
  const LayerInputs& inputs = stream_.RunBatch(*engine_, layer, taps, false, batch);
  if (model_->config.norm == model::NormPlacement::kPost) {
    residual->assign(inputs.rows(Tap::kUpInput).begin(), inputs.rows(Tap::kUpInput).end());
    return inputs.rows(Tap::kDownInput);
  }
  // What enters `up` is normed; the stream itself is the layer's input and attention's output.
  residual->assign(inputs.before().begin(), inputs.before().end());
  const model::Linear& linear = model_->weights.layers[static_cast<std::size_t>(layer)].output;
  if (!linear.weight.empty()) {
    if (output_ == nullptr || output_layer_ != layer) {
      output_ = std::make_unique<RowProduct>(Values(linear.weight.values), linear.weight.n,
                                             linear.weight.k, pool_, options_.isa);
      output_layer_ = layer;
    }
    std::vector<float> y;
    output_->Apply(inputs.rows(Tap::kOutputInput), &y);
    std::vector<float> bias(static_cast<std::size_t>(linear.weight.n));
    if (!linear.bias.empty()) bias = Values(linear.bias);
    for (std::size_t i = 0; i < y.size(); ++i) (*residual)[i] += y[i] + bias[i % bias.size()];
  }
  return inputs.rows(Tap::kDownInput);
}

class Refitter {
 public:
  Refitter(const Draft& dense, const Calibration& data, const PruneOptions& options)
      : dense_(dense),
        data_(data),
        options_(options),
        pool_(options.threads),
        before_(data, options, pool_, dense.model().config.width),
        after_(data, options, pool_, dense.model().config.width) {}

  base::StatusOr<Draft> Run(const std::vector<PrunedShape>& shapes);

 private:
  base::StatusOr<Draft> PruneBlock(const Draft& draft, int layer, Block block, int kept);
  Level Fit(const model::Linear& linear, int group, int kept, Moments* square, Moments* cross,
            base::Status* status);

  const Draft& dense_;
  const Calibration& data_;
  const PruneOptions& options_;
  base::ThreadPool pool_;
  Side before_, after_;  // the dense model, and the one that is being pruned
};

// Chooses what stays, by the pruned model's own inputs, and fits it to the dense model's outputs.
Level Refitter::Fit(const model::Linear& linear, int group, int kept, Moments* square,
                    Moments* cross, base::Status* status) {
  const auto n = static_cast<std::size_t>(linear.weight.k);
  const int rows = linear.weight.n, whole = linear.weight.k / group;
  const bool shift = options_.shift_bias && !linear.bias.empty();
  const std::vector<double> mean = shift ? square->means() : std::vector<double>(n);
  const std::vector<double> mean_y = cross->left_means();
  const double scale = 1.0 / static_cast<double>(square->rows());
  std::vector<double> h = square->Take(scale), c = cross->Take(scale);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) h[i * n + j] -= mean[i] * mean[j];
  }
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    for (std::size_t j = 0; j < n; ++j) c[r * n + j] -= mean_y[r] * mean[j];
  }
  const std::vector<float> weight = Values(linear.weight.values);
  const RemovalRequest request{
      .weight = weight,
      .hessian = h,
      .mean = shift ? std::span<const double>(mean) : std::span<const double>(),
      .rows = rows,
      .columns = linear.weight.k,
      .group = group,
      .counts = kept == whole ? std::vector<int>{whole} : std::vector<int>{whole, kept},
      .damping = options_.damping};
  auto levels = options_.magnitude ? RemoveByMagnitude(request) : RemoveOneAtATime(request, pool_);
  if (!levels.ok()) {
    *status = base::Annotate(levels.status(), linear.weight.name);
    return {};
  }
  Level level = std::move(levels->back());
  if (options_.refit == RefitTarget::kOwn) return level;
  std::vector<std::size_t> columns;
  for (const int s : level.structures) {
    for (int i = 0; i < group; ++i) columns.push_back(static_cast<std::size_t>(s * group + i));
  }
  const std::size_t k = columns.size();
  std::vector<double> kept_h(k * k), kept_c(static_cast<std::size_t>(rows) * k);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) kept_h[i * k + j] = h[columns[i] * n + columns[j]];
  }
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    for (std::size_t j = 0; j < k; ++j) kept_c[r * k + j] = c[r * n + columns[j]];
  }
  FitNear(kept_h, kept_c, rows, static_cast<int>(k), options_.ridge, &level.weight);
  if (!shift) return level;
  level.bias_shift.assign(static_cast<std::size_t>(rows), 0);
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    double sum = mean_y[r];
    for (std::size_t j = 0; j < k; ++j) sum -= double{level.weight[r * k + j]} * mean[columns[j]];
    level.bias_shift[r] = static_cast<float>(sum);
  }
  return level;
}

base::StatusOr<Draft> Refitter::PruneBlock(const Draft& draft, int layer, Block block, int kept) {
  const auto l = static_cast<std::size_t>(layer);
  const bool attention = block == Block::kAttention;
  const auto linear_of = [&](const Draft& of) -> const model::Linear& {
    const model::LayerWeights& weights = of.model().weights.layers[l];
    return attention ? weights.output : weights.down;
  };
  const model::Linear& linear = linear_of(draft);
  if (linear.weight.empty()) return draft.Copy();
  const int group = attention ? draft.model().config.head_size : 1;
  const int whole = linear.weight.k / group;
  if (kept > whole || kept < 0) {
    return base::BadInput(linear.weight.name, ": ", kept, " of ", whole, " structures to keep");
  }
  const Level unchanged{
      .kept = whole, .error = 0, .structures = {}, .weight = {}, .bias_shift = {}};
  Level level{.kept = 0, .error = 1, .structures = {}, .weight = {}, .bias_shift = {}};
  if (kept > 0) {
    const model::Linear& dense = linear_of(dense_);
    RowProduct product(Values(dense.weight.values), dense.weight.n, dense.weight.k, pool_,
                       options_.isa);
    Moments square(linear.weight.k, pool_, options_.isa);
    Moments cross(linear.weight.n, linear.weight.k, pool_, options_.isa);
    std::vector<float> y, residual, dense_residual;
    for (std::size_t b = 0; b < data_.batches.size(); ++b) {
      product.Apply(before_.Inputs(layer, block, b, &dense_residual), &y);
      const std::span<const float> x = after_.Inputs(layer, block, b, &residual);
      if (options_.refit == RefitTarget::kResidual) {
        for (std::size_t i = 0; i < y.size(); ++i) y[i] += dense_residual[i] - residual[i];
      }
      square.Add(x);
      cross.Add(y, x);
    }
    base::Status status;
    level = Fit(linear, group, kept, &square, &cross, &status);
    HONE_RETURN_IF_ERROR(status);
  }
  const std::vector<BlockSnapshots> blocks = {{layer, block, {unchanged, std::move(level)}}};
  return Stitch(draft, blocks, {1});
}

base::StatusOr<Draft> Refitter::Run(const std::vector<PrunedShape>& shapes) {
  const int layers = dense_.model().config.layer_count();
  HONE_CHECK(shapes.size() == static_cast<std::size_t>(layers));
  HONE_RETURN_IF_ERROR(before_.Load(dense_.model()));
  HONE_ASSIGN_OR_RETURN(Draft draft, dense_.Copy());
  HONE_RETURN_IF_ERROR(after_.Load(draft.model()));
  before_.Start();
  after_.Start();
  for (int l = 0; l < layers; ++l) {
    const PrunedShape& shape = shapes[static_cast<std::size_t>(l)];
    for (const auto& [block, kept] :
         {std::pair(Block::kAttention, shape.heads), std::pair(Block::kFeedForward, shape.ffn)}) {
      // What the recipe leaves alone keeps its very weights, though what it reads has changed.
      if (options_.wanted && !options_.wanted(l, block)) continue;
      HONE_ASSIGN_OR_RETURN(draft, PruneBlock(draft, l, block, kept));
      HONE_RETURN_IF_ERROR(after_.Load(draft.model()));
    }
    before_.Advance(l);
    after_.Advance(l);
    if (options_.progress) options_.progress(l + 1, layers);
  }
  return draft;
}

}  // namespace

base::StatusOr<Draft> Refit(const Draft& dense, const std::vector<PrunedShape>& shapes,
                            const Calibration& data, const PruneOptions& options) {
  return Refitter(dense, data, options).Run(shapes);
}

}  // namespace hone::compress
