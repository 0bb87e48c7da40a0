#include "compress/prune/narrow_places.h"

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "compress/moments.h"
#include "compress/prune/layer_names.h"
#include "compress/prune/least_squares.h"
#include "model/architecture.h"
#include "model/binder.h"

namespace hone::compress {
namespace {

using runtime::Tap;

// Only against channels that are nearly the same: what is fitted has as many rows as there are tokens.
constexpr double kRidge = 1e-4;

std::vector<float> Values(const tensor::TensorView& view) {
  std::vector<float> values(static_cast<std::size_t>(view.shape.elements()));
  tensor::CopyToF32(view, 0, values);
  return values;
}

class PlaceFitter {
 public:
  PlaceFitter(const model::Model& model, int width, const Calibration& data,
              const PruneOptions& options)
      : model_(model),
        data_(data),
        options_(options),
        pool_(options.threads),
        d_(static_cast<std::size_t>(model.config.width)),
        narrow_(static_cast<std::size_t>(width)) {}

  base::StatusOr<NarrowPlaces> Run() {
    ListPlaces();
    HONE_RETURN_IF_ERROR(Choose());
    HONE_RETURN_IF_ERROR(Visit([&](std::size_t p, std::span<const float> rows) {
      if (!rows.empty()) AddRegression(&places_[p], rows);
    }));
    for (Place& place : places_) Solve(&place);
    return NarrowPlaces{std::move(places_), std::move(kept_)};
  }

 private:
  bool pre() const { return model_.config.norm == model::NormPlacement::kPre; }
  void ListPlaces();
  // Calls use(place, rows) for every place and batch.
  base::Status Visit(const std::function<void(std::size_t, std::span<const float>)>& use);
  base::Status Choose();
  void AddRegression(Place* place, std::span<const float> rows) const;
  void Solve(Place* place) const;

  const model::Model& model_;
  const Calibration& data_;
  const PruneOptions& options_;
  base::ThreadPool pool_;
  std::size_t d_, narrow_;
  std::vector<Place> places_;
  std::vector<int> kept_;
};

void PlaceFitter::ListPlaces() {
  const model::Architecture& architecture = *model::FindArchitecture(model_.config.architecture);
  const std::string prefix = model::FindPrefix(architecture, *model_.checkpoint);
  const auto add = [&](const std::string& name, const model::Norm& norm) {
    Place& place = places_.emplace_back();
    if (norm.empty()) return;
    place.norm = name;
    place.gain = Values(norm.gain);
    if (!norm.bias.empty()) place.bias = Values(norm.bias);
  };
  const auto full = [&](std::string_view module) { return base::StrCat(prefix, module); };
  add(full(architecture.tensors.embeddings_norm), model_.weights.embeddings_norm);
  for (int l = 0; l < model_.config.layer_count(); ++l) {
    const LayerNames names = NamesOfLayer(model_.config, *model_.checkpoint, l);
    const model::LayerWeights& layer = model_.weights.layers[static_cast<std::size_t>(l)];
    add(names.attention_norm, layer.attention_norm);
    add(names.ffn_norm, layer.ffn_norm);
  }
  if (pre()) add(full(architecture.tensors.final_norm), model_.weights.final_norm);
}

base::Status PlaceFitter::Visit(
    const std::function<void(std::size_t, std::span<const float>)>& use) {
  HONE_ASSIGN_OR_RETURN(const auto engine,
                        runtime::LocalEngine::Load(model_, {.format = quant::Format::kF32,
                                                            .threads = options_.threads,
                                                            .isa = options_.isa}));
  CalibrationStream stream(data_, model_.config.width);
  stream.Start(*engine);
  for (std::size_t b = 0; b < data_.batches.size(); ++b) use(0, stream.hidden(b));
  const Tap taps[] = {Tap::kQkvInput, Tap::kUpInput};
  for (int l = 0; l < model_.config.layer_count(); ++l) {
    const bool last = l + 1 == model_.config.layer_count();
    stream.RunLayer(*engine, l, taps, true, [&](const LayerInputs& inputs) {
      if (pre()) {
        use(PlaceOf(l, false), inputs.rows(Tap::kQkvInput));
        use(PlaceOf(l, true), inputs.rows(Tap::kUpInput));
        if (last) use(places_.size() - 1, inputs.after());
      } else {
        use(PlaceOf(l, false), inputs.rows(Tap::kUpInput));
        use(PlaceOf(l, true), inputs.after());
      }
    });
  }
  return base::OkStatus();
}

base::Status PlaceFitter::Choose() {
  std::vector<std::optional<Moments>> sums(places_.size());
  HONE_RETURN_IF_ERROR(Visit([&](std::size_t p, std::span<const float> rows) {
    if (rows.empty()) return;
    if (!sums[p]) sums[p].emplace(model_.config.width, pool_, options_.isa);
    sums[p]->Add(rows);
  }));
  std::vector<double> all(d_ * d_);
  for (std::size_t p = 0; p < places_.size(); ++p) {
    if (!sums[p]) continue;
    Place& place = places_[p];
    place.rows = sums[p]->rows();
    place.mean = sums[p]->means();
    place.covariance = sums[p]->Take(1.0 / static_cast<double>(place.rows));
    double trace = 0;
    for (std::size_t i = 0; i < d_; ++i) {
      for (std::size_t j = 0; j < d_; ++j) {
        place.covariance[i * d_ + j] -= place.mean[i] * place.mean[j];
      }
      trace += place.covariance[i * d_ + i];
    }
    // Every place counts the same, whatever its scale.
    for (std::size_t i = 0; trace > 0 && i < all.size(); ++i) all[i] += place.covariance[i] / trace;
    sums[p].reset();
  }
  std::vector<float> identity(d_ * d_);
  for (std::size_t i = 0; i < d_; ++i) identity[i * d_ + i] = 1;
  HONE_ASSIGN_OR_RETURN(
      const std::vector<Level> levels,
      RemoveOneAtATime({.weight = identity,
                        .hessian = all,
                        .mean = {},
                        .rows = static_cast<int>(d_),
                        .columns = static_cast<int>(d_),
                        .counts = {static_cast<int>(d_), static_cast<int>(narrow_)}},
                       pool_));
  kept_ = levels.back().structures;
  return base::OkStatus();
}

void PlaceFitter::AddRegression(Place* place, std::span<const float> rows) const {
  if (place->v_mean.empty()) {
    place->v_mean.resize(narrow_);
    place->v_square.resize(narrow_);
    place->v_y.resize(narrow_);
  }
  std::vector<double> v(narrow_);
  for (std::size_t t = 0; t < rows.size() / d_; ++t) {
    const float* y = rows.data() + t * d_;
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < narrow_; ++i) {
      const auto c = static_cast<std::size_t>(kept_[i]);
      const double gain = place->gain.empty() ? 1.0 : double{place->gain[c]};
      const double bias = place->bias.empty() ? 0.0 : double{place->bias[c]};
      // A channel without gain says nothing of what went into the norm.
      v[i] = gain == 0 ? 0 : (double{y[c]} - bias) / gain;
      mean += v[i] / static_cast<double>(narrow_);
    }
    for (double& value : v) {
      value -= mean;
      square += value * value / static_cast<double>(narrow_);
    }
    const double scale = 1 / std::sqrt(square + double{model_.config.norm_epsilon});
    for (std::size_t i = 0; i < narrow_; ++i) {
      const double value = v[i] * scale;
      place->v_mean[i] += value;
      place->v_square[i] += value * value;
      place->v_y[i] += value * double{y[static_cast<std::size_t>(kept_[i])]};
    }
  }
}

void PlaceFitter::Solve(Place* place) const {
  if (place->rows == 0) {
    // Nothing reads what this norm gives, but the stream goes through it: no rows were seen.
    for (std::vector<float>* values : {&place->gain, &place->bias}) {
      std::vector<float> all = std::move(*values);
      values->clear();
      for (const int c : kept_) {
        if (!all.empty()) values->push_back(all[static_cast<std::size_t>(c)]);
      }
    }
    return;
  }
  const double n = static_cast<double>(place->rows);
  if (!place->gain.empty()) {
    std::vector<float> gain(narrow_), bias(place->bias.empty() ? 0 : narrow_);
    for (std::size_t i = 0; i < narrow_; ++i) {
      const double y = place->mean[static_cast<std::size_t>(kept_[i])];
      const double v = place->v_mean[i] / n;
      // Without a bias the line goes through 0.
      const double at = bias.empty() ? 0 : v;
      const double variance = place->v_square[i] / n - at * at;
      const double slope = variance > 0 ? (place->v_y[i] / n - at * y) / variance
                                        : double{place->gain[static_cast<std::size_t>(kept_[i])]};
      gain[i] = static_cast<float>(slope);
      if (!bias.empty()) bias[i] = static_cast<float>(y - slope * v);
    }
    place->gain = std::move(gain);
    place->bias = std::move(bias);
  }
  // y − mean ≈ R (y_S − mean_S), from the channel itself where it stays.
  place->read.assign(d_ * narrow_, 0);
  std::vector<double> h(narrow_ * narrow_), c(d_ * narrow_);
  for (std::size_t i = 0; i < narrow_; ++i) {
    const auto from = static_cast<std::size_t>(kept_[i]);
    place->read[from * narrow_ + i] = 1;
    for (std::size_t j = 0; j < narrow_; ++j) {
      h[i * narrow_ + j] = place->covariance[from * d_ + static_cast<std::size_t>(kept_[j])];
    }
    for (std::size_t r = 0; r < d_; ++r) c[r * narrow_ + i] = place->covariance[r * d_ + from];
  }
  FitNear(h, c, static_cast<int>(d_), static_cast<int>(narrow_), kRidge, &place->read);
  place->shift.resize(d_);
  for (std::size_t r = 0; r < d_; ++r) {
    double sum = place->mean[r];
    for (std::size_t i = 0; i < narrow_; ++i) {
      sum -= double{place->read[r * narrow_ + i]} * place->mean[static_cast<std::size_t>(kept_[i])];
    }
    place->shift[r] = static_cast<float>(sum);
  }
}

}  // namespace

base::StatusOr<NarrowPlaces> FitPlaces(const model::Model& model, int width,
                                       const Calibration& data, const PruneOptions& options) {
  return PlaceFitter(model, width, data, options).Run();
}

}  // namespace hone::compress
