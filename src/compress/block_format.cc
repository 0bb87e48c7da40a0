#include "compress/block_format.h"

#include "base/strings.h"

namespace hone::compress {

std::string NameOfPair(std::string_view in, std::string_view out) {
  return in == out ? std::string(in) : base::StrCat(in, "+", out);
}

std::string NameOf(BlockFormat format) {
  return NameOfPair(quant::NameOf(format.in), quant::NameOf(format.out));
}

base::StatusOr<BlockFormat> ParseBlockFormat(std::string_view name) {
  const std::size_t plus = name.find('+');
  BlockFormat format;
  HONE_ASSIGN_OR_RETURN(format.in, quant::ParseFormat(name.substr(0, plus)));
  format.out = format.in;
  if (plus != std::string_view::npos) {
    HONE_ASSIGN_OR_RETURN(format.out, quant::ParseFormat(name.substr(plus + 1)));
  }
  return format;
}

double ShareOfIn(Block block, bool gated_ffn) {
  if (block == Block::kAttention) return 3.0 / 4;
  return gated_ffn ? 2.0 / 3 : 1.0 / 2;
}

}  // namespace hone::compress
