#include "quant/format.h"

#include "base/check.h"

namespace hone::quant {

std::string_view NameOf(Format format) {
  switch (format) {
    case Format::kF32: return "f32";
    case Format::kBF16: return "bf16";
    case Format::kInt8: return "int8";
    case Format::kInt4: return "int4";
  }
  HONE_CHECK(false);
}

base::StatusOr<Format> ParseFormat(std::string_view name) {
  for (const Format format : {Format::kF32, Format::kBF16, Format::kInt8, Format::kInt4}) {
    if (NameOf(format) == name) return format;
  }
  return base::BadInput("unknown number format \"", name, "\"; known are f32, bf16, int8, int4");
}

}  // namespace hone::quant
