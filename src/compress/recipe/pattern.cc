#include "compress/recipe/pattern.h"

#include <re2/re2.h>

#include <cstdint>

namespace hone::compress {
namespace {

constexpr std::string_view kPrefix = "re:";
constexpr std::size_t kMaxPatternBytes = 512;
constexpr std::int64_t kMaxExpressionBytes = 1 << 20;  // compiled; of a name's it is a few KB

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

RE2::Options Options() {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(kMaxExpressionBytes);
  return options;
}

}  // namespace

base::Status CheckPattern(std::string_view pattern) {
  if (!pattern.starts_with(kPrefix)) return base::OkStatus();
  if (pattern.size() > kMaxPatternBytes) {
    return base::BadInput("an expression has at most ", kMaxPatternBytes, " bytes");
  }
  const RE2 expression(Piece(pattern.substr(kPrefix.size())), Options());
  if (expression.ok()) return base::OkStatus();
  return base::BadInput("\"", pattern, "\" is no regular expression: ", expression.error());
}

std::vector<bool> Matches(std::string_view pattern, const std::vector<std::string>& modules) {
  std::vector<bool> matches(modules.size());
  if (!pattern.starts_with(kPrefix)) {
    for (std::size_t i = 0; i < modules.size(); ++i) matches[i] = modules[i] == pattern;
    return matches;
  }
  if (pattern.size() > kMaxPatternBytes) return matches;
  const RE2 expression(Piece(pattern.substr(kPrefix.size())), Options());
  if (!expression.ok()) return matches;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    matches[i] = RE2::FullMatch(Piece(modules[i]), expression);
  }
  return matches;
}

}  // namespace hone::compress
