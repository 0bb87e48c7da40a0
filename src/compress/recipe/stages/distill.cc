#include "compress/recipe/stages/stage_kind.h"

namespace hone::compress {
namespace {

// Weights beyond this are a slip of the decimal point; the parts of the loss are all near 1.
constexpr double kMaxWeight = 1000;

void ParseLoss(Fields& outer, const YamlNode& node, const std::string& path, LossWeights* loss) {
  Fields fields(node, path, "distill: loss");
  *loss = {.task = 0};
  const Range weight{.min = 0, .max = kMaxWeight};
  fields.Number("task", weight, &loss->task);
  fields.Number("logits", weight, &loss->logits);
  fields.Number("hidden", weight, &loss->hidden);
  fields.Number("relations", weight, &loss->relations);
  fields.Number("consistency", weight, &loss->consistency);
  fields.Number("temperature", {.min = 0, .max = 100, .above_min = true}, &loss->temperature);
  outer.Adopt(fields);
}

}  // namespace

void ParseStage(Fields& fields, DistillStage* stage) {
  fields.Number("epochs", {.min = 0, .max = 1000, .above_min = true}, &stage->epochs);
  fields.Number("learning_rate", {.min = 0, .max = 1, .above_min = true}, &stage->learning_rate);
  fields.Integer("batch", {.min = 1, .max = 4096}, &stage->batch);
  fields.Choice<Schedule>("schedule",
                          {{"linear", Schedule::kLinear},
                           {"cosine", Schedule::kCosine},
                           {"constant", Schedule::kConstant}},
                          &stage->schedule);
  fields.Number("warmup", {.min = 0, .max = 1}, &stage->warmup);
  fields.Number("dropout", {.min = 0, .max = 0.9}, &stage->dropout);
  fields.Integer("min_tokens", {.min = 0, .max = 1 << 20}, &stage->min_tokens);
  fields.Integer("evaluations", {.min = 1, .max = 1000}, &stage->evaluations);
  fields.Integer("patience", {.min = 0, .max = 1000}, &stage->patience);
  fields.Text("text", &stage->text);
  if (const YamlNode* loss = fields.Map("loss")) {
    ParseLoss(fields, *loss, fields.path(), &stage->loss);
  }
  if (!fields.ok()) return;  // what follows would be a consequence
  const LossWeights& loss = stage->loss;
  if (loss.task == 0 && !loss.asks_teacher()) {
    fields.Fail(fields.line("loss"),
                "loss: task, logits, hidden and relations are 0, there is nothing to learn");
  }
  if (loss.consistency > 0 && stage->dropout == 0) {
    fields.Fail(fields.line("loss"),
                "loss: consistency compares two passes that differ by dropout, and dropout is 0");
  }
  if (!stage->text.empty() && loss.task > 0) {
    fields.Fail(fields.line("text"), "text: has no labels, so loss.task must be 0");
  }
}

}  // namespace hone::compress
