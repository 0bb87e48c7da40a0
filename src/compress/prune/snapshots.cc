#include "compress/prune/snapshots.h"

#include <cstddef>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "compress/prune/layer_names.h"

namespace hone::compress {
namespace {

using formats::EditedCheckpoint;
using model::Linear;

// A linear layer's values in f32.
struct Values {
  int n = 0, k = 0;
  std::vector<float> weight, bias;  // [N,K], [N] or empty
};

base::StatusOr<Values> ReadValues(const Linear& linear) {
  if (linear.weight.kind != formats::StoredKind::kFloat) {
    return base::BadInput(linear.weight.name,
                          ": is quantised already; pruning comes before quantisation");
  }
  Values values{linear.weight.n, linear.weight.k, {}, {}};
  values.weight.resize(static_cast<std::size_t>(values.n) * static_cast<std::size_t>(values.k));
  tensor::CopyToF32(linear.weight.values, 0, values.weight);
  if (!linear.bias.empty()) {
    values.bias.resize(static_cast<std::size_t>(values.n));
    tensor::CopyToF32(linear.bias, 0, values.bias);
  }
  return values;
}

// Appends the given rows of `from` to `to`.
void AppendRows(const Values& from, std::span<const int> rows, Values* to) {
  const auto k = static_cast<std::size_t>(from.k);
  to->k = from.k;
  for (const int row : rows) {
    const auto begin = from.weight.begin() + static_cast<std::ptrdiff_t>(row) * from.k;
    to->weight.insert(to->weight.end(), begin, begin + static_cast<std::ptrdiff_t>(k));
    if (!from.bias.empty()) to->bias.push_back(from.bias[static_cast<std::size_t>(row)]);
    ++to->n;
  }
}

void Store(const std::string& module, Values values, EditedCheckpoint* weights) {
  weights->SetF32(module + ".weight", {values.n, values.k}, std::move(values.weight));
  if (!values.bias.empty()) {
    weights->SetF32(module + ".bias", {values.n}, std::move(values.bias));
  }
}

// The output (or down) matrix of a level, and its bias moved by the level's shift.
base::Status StoreOutput(const std::string& module, const Linear& linear, const Level& level,
                         EditedCheckpoint* weights) {
  const int rows = linear.weight.n;
  const int columns = static_cast<int>(level.weight.size()) / rows;
  weights->SetF32(module + ".weight", {rows, columns}, level.weight);
  if (level.bias_shift.empty()) return base::OkStatus();
  if (linear.bias.empty()) {
    return base::BadInput(module, ": a snapshot moves its bias, but it has none");
  }
  std::vector<float> bias(static_cast<std::size_t>(rows));
  tensor::CopyToF32(linear.bias, 0, bias);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += level.bias_shift[i];
  weights->SetF32(module + ".bias", {rows}, std::move(bias));
  return base::OkStatus();
}

// All rows of the structures kept; `parts` copies of the matrix lie below each other, each of `part`
// rows (a gated feed-forward has 2).
std::vector<int> RowsOf(const Level& level, int group, int parts, int part) {
  std::vector<int> rows;
  for (int p = 0; p < parts; ++p) {
    for (const int s : level.structures) {
      for (int i = 0; i < group; ++i) rows.push_back(p * part + s * group + i);
    }
  }
  return rows;
}

base::Status StitchAttention(const model::Model& model, int layer, const Level& level,
                             EditedCheckpoint* weights) {
  const LayerNames names = NamesOfLayer(model.config, *weights, layer);
  const bool fused = !names.query_key_value.empty();
  if (level.kept == 0) {
    for (const std::string* module :
         {&names.query, &names.key, &names.value, &names.query_key_value, &names.output}) {
      if (!module->empty()) weights->EraseModule(*module);
    }
    // The norm that came first went into this block alone.
    if (model.config.norm == model::NormPlacement::kPre) {
      weights->EraseModule(names.attention_norm);
    }
    return base::OkStatus();
  }
  if (model.config.relative_buckets > 0 &&
      level.kept != model.config.layers[static_cast<std::size_t>(layer)].heads) {
    return base::Unsupported(names.prefix,
                             ": relative position bias allows all heads or none, not ", level.kept);
  }
  const model::LayerWeights& from = model.weights.layers[static_cast<std::size_t>(layer)];
  const std::vector<int> rows = RowsOf(level, model.config.head_size, 1, 0);
  Values all;
  for (const auto& [linear, module] :
       {std::pair(&from.query, &names.query), std::pair(&from.key, &names.key),
        std::pair(&from.value, &names.value)}) {
    HONE_ASSIGN_OR_RETURN(const Values values, ReadValues(*linear));
    Values own;
    AppendRows(values, rows, fused ? &all : &own);
    if (!fused) Store(*module, std::move(own), weights);
  }
  if (fused) Store(names.query_key_value, std::move(all), weights);
  return StoreOutput(names.output, from.output, level, weights);
}

base::Status StitchFeedForward(const model::Model& model, int layer, const Level& level,
                               EditedCheckpoint* weights) {
  const LayerNames names = NamesOfLayer(model.config, *weights, layer);
  if (level.kept == 0) {
    weights->EraseModule(names.up);
    weights->EraseModule(names.down);
    if (model.config.norm == model::NormPlacement::kPre) weights->EraseModule(names.ffn_norm);
    return base::OkStatus();
  }
  const model::LayerWeights& from = model.weights.layers[static_cast<std::size_t>(layer)];
  HONE_ASSIGN_OR_RETURN(const Values up, ReadValues(from.up));
  const int width = model.config.layers[static_cast<std::size_t>(layer)].ffn;
  Values kept;
  AppendRows(up, RowsOf(level, 1, model.config.gated_ffn ? 2 : 1, width), &kept);
  Store(names.up, std::move(kept), weights);
  return StoreOutput(names.down, from.down, level, weights);
}

base::Status CheckBlock(const model::Model& model, const BlockSnapshots& block, int level) {
  const auto layer = static_cast<std::size_t>(block.layer);
  if (block.layer < 0 || layer >= model.config.layers.size() || block.levels.empty()) {
    return base::BadInput("snapshots of layer ", block.layer, ", but the model has ",
                          model.config.layers.size(), " layers");
  }
  if (level < 0 || static_cast<std::size_t>(level) >= block.levels.size()) {
    return base::BadInput("level ", level, " of layer ", block.layer, ", which has ",
                          block.levels.size());
  }
  const bool attention = block.block == Block::kAttention;
  const int whole = attention ? model.config.layers[layer].heads : model.config.layers[layer].ffn;
  if (block.levels.front().kept != whole) {
    return base::BadInput("layer ", block.layer, " has ", whole,
                          attention ? " heads" : " feed-forward columns",
                          ", but its snapshots were taken of ", block.levels.front().kept);
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<Draft> Stitch(const Draft& draft, const std::vector<BlockSnapshots>& blocks,
                             const Assignment& assignment) {
  HONE_CHECK(blocks.size() == assignment.size());
  HONE_ASSIGN_OR_RETURN(Draft stitched, draft.Copy());
  const model::Model& model = draft.model();
  std::vector<PrunedShape> shapes;
  for (const model::LayerShape& layer : model.config.layers) {
    shapes.push_back({.heads = layer.heads, .ffn = layer.ffn});
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const BlockSnapshots& block = blocks[i];
    HONE_RETURN_IF_ERROR(CheckBlock(model, block, assignment[i]));
    if (assignment[i] == 0) continue;
    const Level& level = block.levels[static_cast<std::size_t>(assignment[i])];
    PrunedShape& shape = shapes[static_cast<std::size_t>(block.layer)];
    if (block.block == Block::kAttention) {
      HONE_RETURN_IF_ERROR(StitchAttention(model, block.layer, level, &stitched.weights()));
      shape.heads = level.kept;
    } else {
      HONE_RETURN_IF_ERROR(StitchFeedForward(model, block.layer, level, &stitched.weights()));
      shape.ffn = level.kept;
    }
  }
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    const model::LayerShape& was = model.config.layers[l];
    if (shapes[l].heads == was.heads && shapes[l].ffn == was.ffn) continue;
    stitched.SetShape(static_cast<int>(l), shapes[l]);
  }
  HONE_RETURN_IF_ERROR(stitched.Bind());
  return stitched;
}

}  // namespace hone::compress
