#include <algorithm>

#include "compress/recipe/stages/stage_kind.h"

namespace hone::compress {
namespace {

enum class Rows : std::uint8_t { kF16, kInt8, kInt4 };

}  // namespace

void ParseStage(Fields& fields, QuantizeStage* stage) {
  using quant::Format;
  fields.Modules(&stage->modules);
  fields.ChoiceList<Format>("formats",
                            {{"int8", Format::kInt8},
                             {"int4", Format::kInt4},
                             {"bf16", Format::kBF16},
                             {"f32", Format::kF32}},
                            &stage->formats);
  fields.Choice<Rounding>("method", kRoundings, &stage->method);
  fields.Number("smooth", {.min = 0, .max = 1}, &stage->smooth);
  fields.Integer("samples", {.min = 1, .max = 1e6}, &stage->samples);
  Rows rows = Rows::kF16;
  fields.Choice<Rows>("embeddings",
                      {{"f16", Rows::kF16}, {"int8", Rows::kInt8}, {"int4", Rows::kInt4}}, &rows);
  if (rows != Rows::kF16) stage->embeddings = rows == Rows::kInt8 ? Format::kInt8 : Format::kInt4;

  const auto has = [&](Format format) { return std::ranges::count(stage->formats, format) > 0; };
  if (stage->smooth > 0 && !has(Format::kInt8)) {
    fields.Fail(fields.line("smooth"), "smooth: is for int8, which formats does not name");
  }
  if (stage->method != Rounding::kNearest && !has(Format::kInt8) && !has(Format::kInt4)) {
    fields.Fail(fields.line("method"), "method: is for int8 and int4, which formats does not name");
  }
}

}  // namespace hone::compress
