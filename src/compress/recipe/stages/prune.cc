#include "compress/recipe/stages/stage_kind.h"

namespace hone::compress {

void ParseStage(Fields& fields, PruneStage* stage) {
  fields.Modules(&stage->modules);
  fields.Choice<PruneMethod>(
      "method", {{"ziplm", PruneMethod::kZipLm}, {"magnitude", PruneMethod::kMagnitude}},
      &stage->method);
  fields.Integer("samples", {.min = 1, .max = 1e6}, &stage->samples);
  fields.Boolean("bottom_up", &stage->bottom_up);
  fields.Integer("candidates", {.min = 1, .max = 1e5}, &stage->candidates);
  fields.Integer("search_samples", {.min = 1, .max = 1e6}, &stage->search_samples);
}

}  // namespace hone::compress
