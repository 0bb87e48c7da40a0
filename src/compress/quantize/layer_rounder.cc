#include "compress/quantize/layer_rounder.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/check.h"
#include "compress/moments.h"
#include "compress/quantize/clip.h"
#include "compress/quantize/fold.h"
#include "compress/quantize/gptq.h"
#include "compress/quantize/nearest.h"
#include "compress/quantize/scale_search.h"
#include "compress/quantize/set_matrix.h"
#include "model/dequantize.h"
#include "runtime/local_engine.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;
using quant::Format;
using runtime::Tap;

// Rows of each input that the search for scales computes with.
constexpr std::size_t kSampleRows = 256;
// Of each batch's rows, one in so many judges the methods (best) and teaches none of them.
constexpr std::size_t kHeldShare = 8;

// Layer `layer` alone, at its own index, so that an engine packs nothing else: the layers below it
// are empty. Embeddings stay where it is the first.
model::Model OneLayer(const model::Model& model, int layer) {
  model::Model one = model;
  one.head.outputs.clear();
  one.weights.final_norm = {};
  one.config.layers.resize(static_cast<std::size_t>(layer) + 1);
  one.weights.layers.resize(static_cast<std::size_t>(layer) + 1);
  for (int below = 0; below < layer; ++below) {
    one.config.layers[static_cast<std::size_t>(below)].heads = 0;
    one.config.layers[static_cast<std::size_t>(below)].ffn = 0;
    one.weights.layers[static_cast<std::size_t>(below)] = {};
  }
  if (layer > 0) one.weights.embedding_projection = {};
  return one;
}

// What the calibration texts give one of a layer's inputs.
struct InputStatistics {
  std::vector<double> hessian = {};  // Σ x·xᵀ [K,K]
  std::vector<double> held = {};     // of rows that are not in `hessian`: what judges (best)
  std::vector<float> sample = {};    // some of the rows [·,K]
  int k = 0;
};

// What rounds to a format, by each method, and puts the result into a checkpoint.
template <typename Matrix>
struct FormatRounding {
  Matrix (*nearest)(std::span<const float> weights, int n, int k, base::ThreadPool& pool);
  Matrix (*gptq)(std::span<const float> weights, int n, const GptqFactor& factor,
                 base::ThreadPool& pool);
  Matrix (*clipped)(std::span<const float> weights, int n, int k, std::span<const double> hessian,
                    base::ThreadPool& pool);
  void (*set)(const std::string& module, const Matrix& matrix, formats::EditedCheckpoint* to);
};
constexpr FormatRounding<quant::Int8Matrix> kInt8 = {NearestInt8, GptqInt8, ClippedInt8, SetInt8};
constexpr FormatRounding<quant::Int4Matrix> kInt4 = {NearestInt4, GptqInt4, ClippedInt4, SetInt4};

class LayerRounder {
 public:
  LayerRounder(Draft* draft, const std::map<std::string, Format>& formats,
               const RoundingOptions& options, base::ThreadPool& pool)
      : draft_(*draft),
        formats_(formats),
        options_(options),
        pool_(pool),
        stream_(*options.calibration, draft->model().config.width) {}

  Status Round(int layer, const std::function<void(const LayerMatrix&)>& rounded);

 private:
  StatusOr<std::unique_ptr<runtime::LocalEngine>> Engine(int layer) const {
    return runtime::LocalEngine::Load(
        OneLayer(draft_.model(), layer),
        {.format = {}, .threads = options_.threads, .isa = options_.isa});
  }
  Status Measure(int layer);
  Status FoldScales(int layer);
  Status RoundMatrix(const LayerMatrix& matrix);
  template <typename Matrix>
  Status RoundMatrixTo(const FormatRounding<Matrix>& to, const LayerMatrix& matrix);
  template <typename Matrix>
  StatusOr<Matrix> Rounded(const FormatRounding<Matrix>& to, const LayerMatrix& matrix,
                           const std::vector<float>& weights, Rounding method);
  bool Scales() const {
    return options_.method == Rounding::kAwq || options_.method == Rounding::kBest;
  }
  std::optional<Format> FormatOf(const std::string& module) const {
    const auto found = formats_.find(module);
    if (found == formats_.end()) return std::nullopt;
    const bool integer = found->second == Format::kInt8 || found->second == Format::kInt4;
    return integer ? std::optional(found->second) : std::nullopt;
  }
  StatusOr<std::vector<float>> Weights(const LayerMatrix& matrix) const {
    HONE_ASSIGN_OR_RETURN(const formats::StoredMatrix stored,
                          draft_.weights().Matrix(matrix.module, matrix.n, matrix.k));
    return model::Dequantize(stored);
  }
  InputStatistics& Input(Tap tap) { return inputs_[static_cast<std::size_t>(tap)]; }

  Draft& draft_;
  const std::map<std::string, Format>& formats_;
  const RoundingOptions& options_;
  base::ThreadPool& pool_;
  CalibrationStream stream_;
  std::vector<LayerMatrix> matrices_;  // of the layer in hand
  std::array<InputStatistics, runtime::kTapCount> inputs_;
  std::map<Tap, GptqFactor> factors_;
};

// Runs the layer, still in float, over all texts.
Status LayerRounder::Measure(int layer) {
  HONE_ASSIGN_OR_RETURN(const auto engine, Engine(layer));
  if (layer == 0) stream_.Start(*engine);
  std::map<Tap, Moments> sums, held;
  std::vector<Tap> taps;
  for (const LayerMatrix& matrix : matrices_) {
    if (sums.contains(matrix.input)) continue;
    sums.try_emplace(matrix.input, matrix.k, pool_, options_.isa);
    if (options_.method == Rounding::kBest) {
      held.try_emplace(matrix.input, matrix.k, pool_, options_.isa);
    }
    taps.push_back(matrix.input);
    Input(matrix.input) = {};
    Input(matrix.input).k = matrix.k;
  }
  stream_.RunLayer(*engine, layer, taps, false, [&](const LayerInputs& rows) {
    for (auto& [tap, sum] : sums) {
      std::span<const float> x = rows.rows(tap);
      InputStatistics& input = Input(tap);
      const auto k = static_cast<std::size_t>(input.k);
      if (const auto judge = held.find(tap); judge != held.end()) {
        const std::size_t kept = x.size() / k - x.size() / k / kHeldShare;
        judge->second.Add(x.subspan(kept * k));
        x = x.first(kept * k);
      }
      sum.Add(x);
      // The first rows of each batch: batches differ in their texts' length.
      const std::size_t batches = options_.calibration->batches.size();
      const std::size_t share = (kSampleRows + batches - 1) / batches * k;
      input.sample.insert(input.sample.end(), x.begin(),
                          x.begin() + static_cast<std::ptrdiff_t>(std::min(share, x.size())));
    }
  });
  for (auto& [tap, sum] : sums) Input(tap).hessian = sum.Take(1.0);
  for (auto& [tap, sum] : held) Input(tap).held = sum.Take(1.0);
  return base::OkStatus();
}

Status LayerRounder::FoldScales(int layer) {
  for (const Tap tap : {Tap::kQkvInput, Tap::kOutputInput, Tap::kUpInput, Tap::kDownInput}) {
    if (!CanFold(draft_.model(), layer, tap)) continue;
    std::vector<ScaledMatrix> readers;
    for (const LayerMatrix& matrix : matrices_) {
      const std::optional<Format> format = FormatOf(matrix.module);
      if (matrix.input != tap || !format) continue;
      // Smoothing is for int8; awq's scales are for both.
      if (!Scales() && *format != Format::kInt8) continue;
      HONE_ASSIGN_OR_RETURN(std::vector<float> weights, Weights(matrix));
      readers.push_back({std::move(weights), matrix.n, *format});
    }
    InputStatistics& input = Input(tap);
    if (readers.empty() || input.sample.empty()) continue;
    const ScaleChoice choice = SearchScale(input.sample, input.k, readers, options_.smooth, pool_);
    if (choice.scale.empty()) continue;
    HONE_RETURN_IF_ERROR(Fold(&draft_, layer, tap, choice.scale));
    HONE_RETURN_IF_ERROR(draft_.Bind());
    const auto k = static_cast<std::size_t>(input.k);
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) {
        const double scales = double{choice.scale[i]} * choice.scale[j];
        input.hessian[i * k + j] /= scales;
        if (!input.held.empty()) input.held[i * k + j] /= scales;
      }
    }
  }
  return base::OkStatus();
}

template <typename Matrix>
StatusOr<Matrix> LayerRounder::Rounded(const FormatRounding<Matrix>& to, const LayerMatrix& matrix,
                                       const std::vector<float>& weights, Rounding method) {
  const InputStatistics& input = Input(matrix.input);
  switch (method) {
    case Rounding::kNearest: return to.nearest(weights, matrix.n, matrix.k, pool_);
    case Rounding::kAwq: return to.clipped(weights, matrix.n, matrix.k, input.hessian, pool_);
    case Rounding::kGptq: break;
    case Rounding::kBest: {
      HONE_ASSIGN_OR_RETURN(Matrix gptq, Rounded(to, matrix, weights, Rounding::kGptq));
      HONE_ASSIGN_OR_RETURN(Matrix awq, Rounded(to, matrix, weights, Rounding::kAwq));
      const auto error = [&](const Matrix& rounded) {
        return OutputError(weights, Dequantized(rounded), matrix.n, matrix.k, input.held);
      };
      return error(awq) < error(gptq) ? std::move(awq) : std::move(gptq);
    }
  }
  if (!factors_.contains(matrix.input)) {
    HONE_ASSIGN_OR_RETURN(factors_[matrix.input], FactorHessian(input.hessian, input.k));
  }
  return to.gptq(weights, matrix.n, factors_[matrix.input], pool_);
}

template <typename Matrix>
Status LayerRounder::RoundMatrixTo(const FormatRounding<Matrix>& to, const LayerMatrix& matrix) {
  HONE_ASSIGN_OR_RETURN(const std::vector<float> weights, Weights(matrix));
  HONE_ASSIGN_OR_RETURN(const Matrix rounded, Rounded(to, matrix, weights, options_.method));
  to.set(matrix.module, rounded, &draft_.weights());
  return base::OkStatus();
}

Status LayerRounder::RoundMatrix(const LayerMatrix& matrix) {
  const std::optional<Format> format = FormatOf(matrix.module);
  if (!format) return base::OkStatus();
  return *format == Format::kInt4 ? RoundMatrixTo(kInt4, matrix) : RoundMatrixTo(kInt8, matrix);
}

Status LayerRounder::Round(int layer, const std::function<void(const LayerMatrix&)>& rounded) {
  HONE_ASSIGN_OR_RETURN(matrices_, LayerMatrices(draft_.model(), layer));
  HONE_RETURN_IF_ERROR(Measure(layer));
  if (Scales() || options_.smooth > 0) {
    HONE_RETURN_IF_ERROR(FoldScales(layer));
  }
  factors_.clear();
  for (const LayerMatrix& matrix : matrices_) {
    HONE_RETURN_IF_ERROR(RoundMatrix(matrix));
    if (rounded) rounded(matrix);
  }
  HONE_RETURN_IF_ERROR(draft_.Bind());
  // On, through the layer as it is now.
  HONE_ASSIGN_OR_RETURN(const auto engine, Engine(layer));
  stream_.RunLayer(*engine, layer, {}, true, [](const LayerInputs&) {});
  return base::OkStatus();
}

}  // namespace

StatusOr<std::vector<LayerMatrix>> LayerMatrices(const model::Model& model, int layer) {
  const model::LayerWeights& weights = model.weights.layers[static_cast<std::size_t>(layer)];
  std::vector<LayerMatrix> matrices;
  for (const auto& [linear, tap] :
       {std::pair(&weights.query, Tap::kQkvInput), std::pair(&weights.key, Tap::kQkvInput),
        std::pair(&weights.value, Tap::kQkvInput), std::pair(&weights.output, Tap::kOutputInput),
        std::pair(&weights.up, Tap::kUpInput), std::pair(&weights.down, Tap::kDownInput)}) {
    const std::string& name = linear->weight.name;
    if (linear->weight.empty() ||
        std::ranges::any_of(matrices, [&](const LayerMatrix& m) { return m.module == name; })) {
      continue;
    }
    HONE_ASSIGN_OR_RETURN(const formats::StoredMatrix whole,
                          model.checkpoint->Matrix(name, -1, -1));
    matrices.push_back({name, tap, whole.n, whole.k});
  }
  return matrices;
}

Status RoundLayers(Draft* draft, const std::map<std::string, Format>& formats,
                   const RoundingOptions& options, base::ThreadPool& pool,
                   const std::function<void(const LayerMatrix&)>& rounded) {
  HONE_CHECK(options.calibration != nullptr);
  LayerRounder rounder(draft, formats, options, pool);
  for (int layer = 0; layer < draft->model().config.layer_count(); ++layer) {
    HONE_RETURN_IF_ERROR(rounder.Round(layer, rounded));
  }
  return base::OkStatus();
}

}  // namespace hone::compress
