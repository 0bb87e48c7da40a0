#include "compress/quantize/targets.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <utility>

#include "compress/quantize/embedding_rows.h"
#include "quant/int4.h"

namespace hone::compress {
namespace {

using formats::QuantizationGroup;
using formats::StoredKind;
using quant::Format;

std::vector<std::string> SplitAtDots(const std::string& name) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool IsNumber(const std::string& part) {
  return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
}

// "bert.encoder.layer.3.output.dense" → "re:(.*[.])?layer[.][0-9]+[.]output[.]dense$", or with its
// own number.
std::string Expression(const std::string& name, bool any_layer) {
  const std::vector<std::string> parts = SplitAtDots(name);
  const auto number = std::ranges::find_if(parts, IsNumber);
  // Without layers, the last part alone.
  auto part = number == parts.end()     ? parts.end() - 1
              : number == parts.begin() ? number
                                        : number - 1;
  std::string target = "re:(.*[.])?";
  for (bool first = true; part != parts.end(); ++part, first = false) {
    if (!first) target += "[.]";
    if (any_layer && IsNumber(*part)) {
      target += "[0-9]+";
      continue;
    }
    for (const char c : *part) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') target += '\\';
      target += c;
    }
  }
  return target + "$";
}

QuantizationGroup GroupOf(Format format, int group) {
  QuantizationGroup out;
  const bool int4 = format == Format::kInt4;
  out.kind = int4 ? StoredKind::kInt4 : StoredKind::kInt8;
  out.group = int4 ? group : 0;
  out.symmetric = !int4;
  return out;
}

}  // namespace

formats::QuantizationConfig WordTargets(const std::map<std::string, Format>& modules,
                                        const std::vector<std::string>& tables,
                                        std::optional<Format> table_format) {
  std::map<std::string, std::set<Format>> formats_of;  // by the expression for all layers
  for (const auto& [module, format] : modules) formats_of[Expression(module, true)].insert(format);
  formats::QuantizationConfig config;
  for (const Format format : {Format::kInt8, Format::kInt4}) {
    std::set<std::string> targets;
    for (const auto& [module, of_module] : modules) {
      if (of_module != format) continue;
      const std::string any = Expression(module, true);
      targets.insert(formats_of[any].size() == 1 ? any : Expression(module, false));
    }
    if (targets.empty()) continue;
    QuantizationGroup group = GroupOf(format, quant::kInt4Group);
    group.targets.assign(targets.begin(), targets.end());
    config.groups.push_back(std::move(group));
  }
  if (table_format && !tables.empty()) {
    QuantizationGroup group = GroupOf(*table_format, kEmbeddingGroup);
    group.activations = false;
    for (const std::string& table : tables) group.targets.push_back(Expression(table, true));
    config.groups.push_back(std::move(group));
  }
  return config;
}

}  // namespace hone::compress
