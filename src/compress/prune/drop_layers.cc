#include "compress/prune/drop_layers.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/strings.h"
#include "compress/prune/layer_names.h"

namespace hone::compress {
namespace {

// Local or full attention of each layer, as ModernBERT's config.json lists it.
std::string LayerTypes(const model::ModelConfig& config, const std::vector<int>& kept) {
  base::JsonWriter json(0);
  json.BeginArray();
  for (const int layer : kept) {
    const bool local = config.layers[static_cast<std::size_t>(layer)].window >= 0;
    json.String(local ? "sliding_attention" : "full_attention");
  }
  return json.EndArray().Take();
}

// Puts the tensors of layer `from` of the source in place of those of layer `to`.
void MoveLayer(const model::Model& source, int from, int to, formats::EditedCheckpoint* weights) {
  const std::string old_prefix = NamesOfLayer(source.config, *source.checkpoint, from).prefix;
  const std::string new_prefix = NamesOfLayer(source.config, *source.checkpoint, to).prefix;
  for (const std::string& name : source.checkpoint->Names()) {
    if (name.starts_with(new_prefix)) weights->Erase(name);
  }
  for (const std::string& name : source.checkpoint->Names()) {
    if (!name.starts_with(old_prefix)) continue;
    const tensor::TensorView view = *source.checkpoint->Find(name);
    weights->Set(new_prefix + name.substr(old_prefix.size()), view.dtype, view.shape,
                 std::vector<std::byte>(view.data, view.data + view.bytes()));
  }
}

}  // namespace

std::vector<int> EvenlySpaced(int layers, int keep) {
  std::vector<int> kept;
  for (int i = 0; i < keep; ++i) {
    kept.push_back(keep == 1 ? 0
                             : static_cast<int>(std::lround(static_cast<double>(i) * (layers - 1) /
                                                            (keep - 1))));
  }
  return kept;
}

base::StatusOr<Draft> DropLayers(const Draft& draft, int keep) {
  const model::Model& model = draft.model();
  const int layers = model.config.layer_count();
  if (keep < 1 || keep > layers) {
    return base::BadInput("layers to keep: ", keep, "; the model has ", layers);
  }
  for (const model::LayerWeights& layer : model.weights.layers) {
    for (const model::Linear* linear : {&layer.query, &layer.up}) {
      if (!linear->weight.empty() && linear->weight.kind != formats::StoredKind::kFloat) {
        return base::BadInput(linear->weight.name,
                              ": is quantised already; layers are dropped before quantisation");
      }
    }
  }
  HONE_ASSIGN_OR_RETURN(Draft student, draft.Copy());
  if (keep == layers) return student;
  const std::vector<int> kept = EvenlySpaced(layers, keep);
  std::vector<PrunedShape> shapes;
  for (int i = 0; i < keep; ++i) {
    const int from = kept[static_cast<std::size_t>(i)];
    const model::LayerShape& shape = model.config.layers[static_cast<std::size_t>(from)];
    shapes.push_back({.heads = shape.heads, .ffn = shape.ffn});
    if (from != i) MoveLayer(model, from, i, &student.weights());
  }
  for (int i = keep; i < layers; ++i) {
    const std::string prefix = NamesOfLayer(model.config, *model.checkpoint, i).prefix;
    for (const std::string& name : model.checkpoint->Names()) {
      if (name.starts_with(prefix)) student.weights().Erase(name);
    }
  }
  student.SetShapes(std::move(shapes));
  const bool distilbert = model.config.architecture == "distilbert";
  student.SetConfig(distilbert ? "n_layers" : "num_hidden_layers", base::StrCat(keep));
  if (model.config.architecture == "modernbert") {
    student.SetConfig("layer_types", LayerTypes(model.config, kept));
  }
  HONE_RETURN_IF_ERROR(student.Bind());
  return student;
}

}  // namespace hone::compress
