#include "compress/recipe/stages/stage_kind.h"

namespace hone::compress {

void ParseStage(Fields& fields, NarrowStage* stage) {
  fields.Integer("width", {.min = 1, .max = 65536}, &stage->width);
  if (!fields.Has("width")) {
    fields.Fail(fields.line("width"), "width is missing: how wide the hidden vectors become");
  }
}

}  // namespace hone::compress
