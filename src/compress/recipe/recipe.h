// A recipe: what is done to a model, in which order, for every rung of the ladder.
//
//   name: balanced
//   max_drop: 1.0                       # points of the primary metric
//   stages:
//     - prune:    {method: ziplm, samples: 2048, bottom_up: true, targets: ["re:.*output\\.dense"]}
//     - distill:  {epochs: 2, learning_rate: 8e-5, loss: {task: 0, logits: 0.5, hidden: 0.5}}
//     - quantize: {formats: [int8, int4], method: gptq, embeddings: int8}
//
// Stages run in order; each begins from what the one before left. Pruning looks ahead: its latency
// table is in the formats of the quantisation that follows. docs/recipes.md has every key.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(Recipe recipe, ParseRecipe(bytes, "recipe.yaml"));
//   HONE_RETURN_IF_ERROR(CheckRecipe(recipe, modules));   // before anything runs
//
// Errors  name file and line: unknown keys, values out of range, expressions that are none or match
//         no module of the model, stages that contradict (training after quantisation).
// Limits  those of yaml_tree.h; kMaxStages stages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "compress/rounding.h"
#include "compress/trainer.h"
#include "quant/format.h"

namespace hone::compress {

// Which modules a modifier is for: names, or "re:" and an expression (RE2 syntax) that must match the
// whole name. Empty targets: all that the modifier can do. `ignore` takes away.
struct Selection {
  std::vector<std::string> targets = {}, ignore = {};
  std::vector<int> target_lines = {},
                   ignore_lines = {};  // in the file, one each; empty outside of files
};

enum class PruneMethod : std::uint8_t { kZipLm, kMagnitude };

struct PruneStage {
  Selection modules;  // output and down matrices
  PruneMethod method = PruneMethod::kZipLm;
  int samples = 1024;        // calibration texts
  bool bottom_up = true;     // K-prune: each Hessian sees the pruned prefix
  int candidates = 300;      // of the search over sensitivities
  int search_samples = 256;  // texts whose loss judges a candidate
};

struct NarrowStage {
  int width = 0;  // of the hidden vectors that remain, a multiple of the head size
};

struct DropLayersStage {
  int layers = 0;  // how many remain, evenly spaced
};

struct DistillStage {
  double epochs = 1;
  double learning_rate = 5e-5;
  int batch = 32;
  Schedule schedule = Schedule::kLinear;
  double warmup = 0.1;
  // ZipLM's for classification. Where a recipe has `loss`, what it leaves out is 0.
  LossWeights loss = {.task = 0, .logits = 0.5f, .hidden = 0.5f};
  double dropout = 0.1;
  int min_tokens = 0;   // shorter training texts are left out
  int evaluations = 2;  // on dev in an epoch; the best step is kept
  int patience = 0;
  std::string text;  // unlabelled lines to learn from instead of the training file; loss.task is 0
};

struct QuantizeStage {
  Selection modules;
  std::vector<quant::Format> formats = {quant::Format::kInt8};  // the search picks per matrix
  Rounding method = Rounding::kNearest;
  float smooth = 0;  // SmoothQuant's α, of int8 matrices; 0: none
  int samples = 512;
  std::optional<quant::Format> embeddings;  // int8 or int4 rows; unset: F16
};

struct Stage {
  int line = 0;  // in the file
  std::variant<PruneStage, NarrowStage, DropLayersStage, DistillStage, QuantizeStage> what;
};

inline constexpr int kMaxStages = 32;

struct Recipe {
  std::string name;     // where the text has none: that of the file
  std::string path;     // names the text in errors
  std::string text;     // as it was read, to be kept with the rung
  double max_drop = 0;  // points; 0: no limit
  std::vector<Stage> stages;
};

// The recipe's first stage of this kind; null where there is none.
template <typename Kind>
const Kind* FindStage(const Recipe& recipe) {
  for (const Stage& stage : recipe.stages) {
    if (const auto* found = std::get_if<Kind>(&stage.what)) return found;
  }
  return nullptr;
}

// `path` names the text in errors.
base::StatusOr<Recipe> ParseRecipe(std::string_view yaml, const std::string& path);

std::string_view NameOf(const Stage& stage);  // "prune", as in the file

// Recipes that come with the program: "fast", "balanced", "smallest", "oneshot". Null: no such name.
const Recipe* BuiltInRecipe(std::string_view name);
std::vector<std::string_view> BuiltInRecipeNames();

// The modules of a model that stages can be for.
struct RecipeModules {
  std::vector<std::string> prunable;  // output and down matrices
  std::vector<std::string> matrices;  // all of the layers
};

// Holds every stage's expressions to the model's modules.
base::Status CheckRecipe(const Recipe& recipe, const RecipeModules& modules);

// The modules that the selection is for, in their order.
std::vector<std::string> Select(const Selection& selection,
                                const std::vector<std::string>& modules);

}  // namespace hone::compress
