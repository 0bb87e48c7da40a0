#include "compress/prune/narrow.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "compress/moments.h"
#include "compress/prune/layer_names.h"
#include "compress/prune/least_squares.h"
#include "compress/prune/refit.h"
#include "model/architecture.h"
#include "model/binder.h"

namespace hone::compress {
namespace {

using formats::EditedCheckpoint;
using runtime::Tap;

constexpr double kRidge = 1e-4;

std::vector<float> Values(const tensor::TensorView& view) {
  std::vector<float> values(static_cast<std::size_t>(view.shape.elements()));
  tensor::CopyToF32(view, 0, values);
  return values;
}

// What is known of the rows y [T,D] that one norm gives.
struct Place {
  std::string norm;               // module; empty: none of its own
  std::vector<float> gain, bias;  // of the norm; an empty bias: zeros
  std::vector<double> mean, covariance;
  // Over the channels kept, of v = (u − mean_S u) / std_S u with u = (y − bias) / gain: its
  // deviations' sums with y's, for the regression.
  std::vector<double> v_mean, v_square, v_y;
  std::int64_t rows = 0;
  // The result: y ≈ read · y_S + shift.
  std::vector<float> read;   // [D, d]
  std::vector<float> shift;  // [D]
};

class Narrower {
 public:
  Narrower(const Draft& draft, int width, const Calibration& data, const PruneOptions& options)
      : draft_(draft),
        model_(draft.model()),
        data_(data),
        options_(options),
        pool_(options.threads),
        d_(static_cast<std::size_t>(model_.config.width)),
        narrow_(static_cast<std::size_t>(width)) {}

  base::StatusOr<Draft> Run();

 private:
  // Place 0 is the embeddings, 1 + 2l and 2 + 2l the two norms of layer l, the last the final norm.
  std::size_t PlaceOf(int layer, bool ffn) const {
    return static_cast<std::size_t>(1 + 2 * layer + (ffn ? 1 : 0));
  }
  bool pre() const { return model_.config.norm == model::NormPlacement::kPre; }
  void ListPlaces();
  // Calls use(place, rows) for every place and batch.
  base::Status Visit(const std::function<void(std::size_t, std::span<const float>)>& use);
  base::Status Choose();
  void AddRegression(Place* place, std::span<const float> rows) const;
  void Solve(Place* place) const;
  void Reader(const model::Linear& linear, const Place& place, std::vector<float>* weight,
              std::vector<float>* bias) const;
  void StoreReader(const std::string& module, std::span<const model::Linear* const> parts,
                   const Place& place, EditedCheckpoint* weights) const;
  void StoreWriter(const std::string& module, const model::Linear& linear,
                   EditedCheckpoint* weights) const;
  void StoreNorm(const Place& place, EditedCheckpoint* weights) const;
  void StoreTable(const std::string& module, const formats::StoredMatrix& stored,
                  EditedCheckpoint* weights) const;
  base::Status StoreHead(EditedCheckpoint* weights) const;

  const Draft& draft_;
  const model::Model& model_;
  const Calibration& data_;
  const PruneOptions& options_;
  base::ThreadPool pool_;
  std::size_t d_, narrow_;
  std::vector<Place> places_;
  std::vector<int> kept_;  // channels
};

void Narrower::ListPlaces() {
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

base::Status Narrower::Visit(const std::function<void(std::size_t, std::span<const float>)>& use) {
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

base::Status Narrower::Choose() {
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

void Narrower::AddRegression(Place* place, std::span<const float> rows) const {
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

void Narrower::Solve(Place* place) const {
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

// A matrix that reads the stream at `place`: W R, and its bias with W·shift; appended.
void Narrower::Reader(const model::Linear& linear, const Place& place, std::vector<float>* weight,
                      std::vector<float>* bias) const {
  const std::vector<float> w = Values(linear.weight.values);
  const auto n = static_cast<std::size_t>(linear.weight.n);
  std::vector<float> b;
  if (!linear.bias.empty()) b = Values(linear.bias);
  for (std::size_t r = 0; r < n; ++r) {
    std::vector<double> row(narrow_);
    double moved = 0;
    for (std::size_t j = 0; j < d_; ++j) {
      const double value = double{w[r * d_ + j]};
      const float* read = place.read.data() + j * narrow_;
      for (std::size_t i = 0; i < narrow_; ++i) row[i] += value * double{read[i]};
      moved += value * double{place.shift[j]};
    }
    for (const double value : row) weight->push_back(static_cast<float>(value));
    if (!b.empty()) bias->push_back(b[r] + static_cast<float>(moved));
  }
}

void Narrower::StoreReader(const std::string& module, std::span<const model::Linear* const> parts,
                           const Place& place, EditedCheckpoint* weights) const {
  std::vector<float> weight, bias;
  for (const model::Linear* part : parts) Reader(*part, place, &weight, &bias);
  const auto rows = static_cast<std::int64_t>(weight.size() / narrow_);
  weights->SetF32(module + ".weight", {rows, static_cast<std::int64_t>(narrow_)},
                  std::move(weight));
  if (!bias.empty()) weights->SetF32(module + ".bias", {rows}, std::move(bias));
}

// A matrix that writes the stream keeps the rows of the channels kept.
void Narrower::StoreWriter(const std::string& module, const model::Linear& linear,
                           EditedCheckpoint* weights) const {
  const std::vector<float> w = Values(linear.weight.values);
  const std::int64_t k = linear.weight.k;
  std::vector<float> rows, bias;
  for (const int c : kept_) rows.insert(rows.end(), w.begin() + c * k, w.begin() + (c + 1) * k);
  if (!linear.bias.empty()) {
    const std::vector<float> all = Values(linear.bias);
    for (const int c : kept_) bias.push_back(all[static_cast<std::size_t>(c)]);
  }
  const auto n = static_cast<std::int64_t>(narrow_);
  weights->SetF32(module + ".weight", {n, k}, std::move(rows));
  if (!bias.empty()) weights->SetF32(module + ".bias", {n}, std::move(bias));
}

void Narrower::StoreNorm(const Place& place, EditedCheckpoint* weights) const {
  if (place.norm.empty()) return;
  HONE_CHECK(place.gain.size() == narrow_);
  for (const char* old : {".gamma", ".beta"}) {
    if (weights->Has(place.norm + old)) weights->Erase(place.norm + old);
  }
  const auto n = static_cast<std::int64_t>(narrow_);
  weights->SetF32(place.norm + ".weight", {n}, place.gain);
  if (!place.bias.empty()) weights->SetF32(place.norm + ".bias", {n}, place.bias);
}

void Narrower::StoreTable(const std::string& module, const formats::StoredMatrix& stored,
                          EditedCheckpoint* weights) const {
  if (stored.empty()) return;
  const tensor::TensorView& table = stored.values;
  const std::int64_t rows = table.shape[0];
  std::vector<float> row(d_), values;
  for (std::int64_t r = 0; r < rows; ++r) {
    tensor::CopyToF32(table, r * static_cast<std::int64_t>(d_), row);
    for (const int c : kept_) values.push_back(row[static_cast<std::size_t>(c)]);
  }
  weights->SetF32(module + ".weight", {rows, static_cast<std::int64_t>(narrow_)},
                  std::move(values));
}

// The first stage reads the stream. Where it is as wide as the model (a pooler), it must become as
// narrow: the units that the next stage weighs most stay.
base::Status Narrower::StoreHead(EditedCheckpoint* weights) const {
  for (const model::HeadOutput& output : model_.head.outputs) {
    const std::vector<model::HeadStage>& stages = output.stages;
    StoreReader(stages[0].dense.weight.name, std::vector{&stages[0].dense}, places_.back(),
                weights);
    if (stages.size() == 1) continue;
    const std::string& first = stages[0].dense.weight.name;
    const std::string& second = stages[1].dense.weight.name;
    const std::vector<float> w = Values(stages[1].dense.weight.values);
    std::vector<double> magnitude(d_);
    for (std::size_t i = 0; i < w.size(); ++i) magnitude[i % d_] += double{w[i]} * w[i];
    std::vector<std::size_t> units(d_);
    std::iota(units.begin(), units.end(), std::size_t{0});
    std::ranges::stable_sort(units, std::greater<>(), [&](std::size_t u) { return magnitude[u]; });
    units.resize(narrow_);
    std::ranges::sort(units);
    const std::vector<float> read = Values(*weights->Find(first + ".weight"));
    std::vector<float> rows, bias, columns;
    for (const std::size_t u : units) {
      const auto begin = read.begin() + static_cast<std::ptrdiff_t>(u * narrow_);
      rows.insert(rows.end(), begin, begin + static_cast<std::ptrdiff_t>(narrow_));
    }
    const auto n = static_cast<std::int64_t>(narrow_);
    weights->SetF32(first + ".weight", {n, n}, std::move(rows));
    if (weights->Has(first + ".bias")) {
      const std::vector<float> all = Values(*weights->Find(first + ".bias"));
      for (const std::size_t u : units) bias.push_back(all[u]);
      weights->SetF32(first + ".bias", {n}, std::move(bias));
    }
    for (std::size_t r = 0; r < w.size() / d_; ++r) {
      for (const std::size_t u : units) columns.push_back(w[r * d_ + u]);
    }
    weights->SetF32(second + ".weight", {static_cast<std::int64_t>(w.size() / d_), n},
                    std::move(columns));
  }
  return base::OkStatus();
}

base::StatusOr<Draft> Narrower::Run() {
  ListPlaces();
  HONE_RETURN_IF_ERROR(Choose());
  HONE_RETURN_IF_ERROR(Visit([&](std::size_t p, std::span<const float> rows) {
    if (!rows.empty()) AddRegression(&places_[p], rows);
  }));
  for (Place& place : places_) Solve(&place);
  HONE_ASSIGN_OR_RETURN(Draft narrow, draft_.Copy());
  EditedCheckpoint& weights = narrow.weights();
  const model::Architecture& architecture = *model::FindArchitecture(model_.config.architecture);
  const std::string prefix = model::FindPrefix(architecture, *model_.checkpoint);
  const auto full = [&](std::string_view module) { return base::StrCat(prefix, module); };
  StoreTable(full(architecture.tensors.word), model_.weights.word, &weights);
  StoreTable(full(architecture.tensors.position), model_.weights.position, &weights);
  StoreTable(full(architecture.tensors.type), model_.weights.type, &weights);
  for (const Place& place : places_) StoreNorm(place, &weights);
  for (int l = 0; l < model_.config.layer_count(); ++l) {
    const LayerNames names = NamesOfLayer(model_.config, *model_.checkpoint, l);
    const model::LayerWeights& layer = model_.weights.layers[static_cast<std::size_t>(l)];
    // What a block reads: its own norm before it, or the norm that ended what came before.
    const Place& qkv = pre() && layer.attention_norm.empty() ? places_[0]
                       : pre()                               ? places_[PlaceOf(l, false)]
                                                             : places_[PlaceOf(l, false) - 1];
    const Place& up = pre() ? places_[PlaceOf(l, true)] : places_[PlaceOf(l, false)];
    if (!layer.output.weight.empty()) {
      if (names.query_key_value.empty()) {
        StoreReader(names.query, std::vector{&layer.query}, qkv, &weights);
        StoreReader(names.key, std::vector{&layer.key}, qkv, &weights);
        StoreReader(names.value, std::vector{&layer.value}, qkv, &weights);
      } else {
        StoreReader(names.query_key_value, std::vector{&layer.query, &layer.key, &layer.value}, qkv,
                    &weights);
      }
      StoreWriter(names.output, layer.output, &weights);
    }
    if (!layer.down.weight.empty()) {
      StoreReader(names.up, std::vector{&layer.up}, up, &weights);
      StoreWriter(names.down, layer.down, &weights);
    }
    narrow.SetShape(l, {.heads = model_.config.layers[static_cast<std::size_t>(l)].heads,
                        .ffn = model_.config.layers[static_cast<std::size_t>(l)].ffn});
  }
  HONE_RETURN_IF_ERROR(StoreHead(&weights));
  const bool distilbert = model_.config.architecture == "distilbert";
  narrow.SetConfig(distilbert ? "dim" : "hidden_size", base::StrCat(narrow_));
  narrow.SetConfig(distilbert ? "n_heads" : "num_attention_heads",
                   base::StrCat(narrow_ / static_cast<std::size_t>(model_.config.head_size)));
  HONE_RETURN_IF_ERROR(narrow.Bind());
  return narrow;
}

base::Status CheckNarrow(const model::Model& model, int width) {
  const model::ModelConfig& config = model.config;
  if (width < config.head_size || width >= config.width || width % config.head_size != 0) {
    return base::BadInput("width ", width, ": expected a multiple of the head size ",
                          config.head_size, " below ", config.width);
  }
  if (config.embedding_width != config.width || config.relative_buckets > 0) {
    return base::Unsupported("architecture \"", config.architecture, "\" cannot be narrowed");
  }
  const auto quantised = [](const formats::StoredMatrix& matrix) {
    return !matrix.empty() && matrix.kind != formats::StoredKind::kFloat;
  };
  bool any = quantised(model.weights.word) || quantised(model.weights.position) ||
             quantised(model.weights.type);
  for (const model::LayerWeights& layer : model.weights.layers) {
    any |= quantised(layer.query.weight) || quantised(layer.output.weight) ||
           quantised(layer.up.weight) || quantised(layer.down.weight);
  }
  if (any) return base::BadInput(model.directory, ": is quantised already; narrow it before");
  const auto plain = [&](const model::HeadOutput& output) {
    return (output.stages.size() == 1 || output.stages.size() == 2) &&
           std::ranges::all_of(output.stages, [&](const model::HeadStage& stage) {
             return !stage.dense.weight.empty() && stage.norm.empty() &&
                    stage.dense.weight.k == config.width;
           });
  };
  if (model.head.task == model::Task::kFillMask || model.head.task == model::Task::kJoint ||
      !std::ranges::all_of(model.head.outputs, plain)) {
    return base::Unsupported(
        "only classifiers, taggers and question answering can be narrowed, with heads of one or "
        "two "
        "matrices and no norm");
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<Draft> Narrow(const Draft& draft, int width, const Calibration& data,
                             const PruneOptions& options) {
  const model::ModelConfig& config = draft.model().config;
  HONE_RETURN_IF_ERROR(CheckNarrow(draft.model(), width));
  const int heads = width / config.head_size;
  std::vector<PrunedShape> shapes;
  bool fewer = false;
  for (const model::LayerShape& layer : config.layers) {
    fewer |= layer.heads > heads;
    shapes.push_back({.heads = std::min(layer.heads, heads), .ffn = layer.ffn});
  }
  if (!fewer) return Narrower(draft, width, data, options).Run();
  HONE_ASSIGN_OR_RETURN(const Draft pruned, Refit(draft, shapes, data, options));
  return Narrower(pruned, width, data, options).Run();
}

}  // namespace hone::compress
