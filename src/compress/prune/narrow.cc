#include "compress/prune/narrow.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "compress/prune/layer_names.h"
#include "compress/prune/narrow_places.h"
#include "compress/prune/refit.h"
#include "model/architecture.h"
#include "model/binder.h"

namespace hone::compress {
namespace {

using formats::EditedCheckpoint;
std::vector<float> Values(const tensor::TensorView& view) {
  std::vector<float> values(static_cast<std::size_t>(view.shape.elements()));
  tensor::CopyToF32(view, 0, values);
  return values;
}

class Narrower {
 public:
  Narrower(const Draft& draft, int width, const Calibration& data, const PruneOptions& options)
      : draft_(draft),
        model_(draft.model()),
        data_(data),
        options_(options),
        d_(static_cast<std::size_t>(model_.config.width)),
        narrow_(static_cast<std::size_t>(width)) {}

  base::StatusOr<Draft> Run();

 private:
  bool pre() const { return model_.config.norm == model::NormPlacement::kPre; }
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
  std::size_t d_, narrow_;
  std::vector<Place> places_;
  std::vector<int> kept_;  // channels
};

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
  HONE_ASSIGN_OR_RETURN(NarrowPlaces fitted,
                        FitPlaces(model_, static_cast<int>(narrow_), data_, options_));
  places_ = std::move(fitted.places);
  kept_ = std::move(fitted.kept);
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

}  // namespace

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
        "two matrices and no norm");
  }
  return base::OkStatus();
}

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
