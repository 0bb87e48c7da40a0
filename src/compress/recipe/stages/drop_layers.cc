#include "compress/recipe/stages/stage_kind.h"

namespace hone::compress {

void ParseStage(Fields& fields, DropLayersStage* stage) {
  fields.Integer("layers", {.min = 1, .max = 1000}, &stage->layers);
  if (!fields.Has("layers")) {
    fields.Fail(fields.line("layers"), "layers is missing: how many layers remain");
  }
}

}  // namespace hone::compress
