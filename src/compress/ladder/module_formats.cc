#include "compress/ladder/module_formats.h"

#include <set>

#include "base/json.h"
#include "compress/quantize.h"

namespace hone::compress {
namespace {

constexpr std::uint64_t kMaxFormatsBytes = 16 << 20;

}  // namespace

ModuleFormats FormatsByModule(const model::Model& model,
                              const std::vector<BlockSnapshots>& snapshots,
                              const BlockFormats& formats) {
  ModuleFormats by_module;
  for (std::size_t b = 0; b < formats.size(); ++b) {
    const auto& layer = model.weights.layers[static_cast<std::size_t>(snapshots[b].layer)];
    const auto set = [&](const model::Linear& linear, quant::Format format) {
      if (linear.weight.empty()) return;
      by_module[linear.weight.name] = WrittenFormat(format, static_cast<int>(linear.weight.k));
    };
    if (snapshots[b].block == Block::kAttention) {
      for (const model::Linear* linear : {&layer.query, &layer.key, &layer.value}) {
        set(*linear, formats[b].in);
      }
      set(layer.output, formats[b].out);
    } else {
      set(layer.up, formats[b].in);
      set(layer.down, formats[b].out);
    }
  }
  return by_module;
}

std::string ToJson(const ModuleFormats& formats) {
  base::JsonWriter json(1);
  json.BeginObject();
  for (const auto& [module, format] : formats) json.Key(module).String(quant::NameOf(format));
  json.EndObject();
  return json.Take() + "\n";
}

base::StatusOr<ModuleFormats> ReadModuleFormats(env::FileSystem& files, const std::string& path) {
  ModuleFormats formats;
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxFormatsBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  const base::JsonValue root = json.root();
  for (const base::JsonValue module : root) {
    HONE_ASSIGN_OR_RETURN(const std::string_view name, module.String());
    HONE_ASSIGN_OR_RETURN(formats[std::string(module.key())], quant::ParseFormat(name));
  }
  return formats;
}

std::vector<std::string> LeftInFloat(const Selection& modules, const model::Model& model) {
  std::vector<std::string> names;
  for (const model::LayerWeights& layer : model.weights.layers) {
    for (const model::Linear* linear :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
      if (!linear->weight.empty()) names.push_back(linear->weight.name);
    }
  }
  if (modules.targets.empty() && modules.ignore.empty()) return {};
  const std::vector<std::string> selected = Select(modules, names);
  const std::set<std::string> chosen(selected.begin(), selected.end());
  std::erase_if(names, [&](const std::string& name) { return chosen.contains(name); });
  return names;
}

std::function<bool(int, Block)> SelectedBlocks(const Selection& modules,
                                               const model::Model& model) {
  if (modules.targets.empty() && modules.ignore.empty()) return {};
  std::vector<std::string> names;
  for (const model::LayerWeights& layer : model.weights.layers) {
    names.push_back(layer.output.weight.name);
    names.push_back(layer.down.weight.name);
  }
  const std::vector<std::string> selected = Select(modules, names);
  return [names, chosen = std::set<std::string>(selected.begin(), selected.end())](int layer,
                                                                                   Block block) {
    const std::size_t index = 2 * static_cast<std::size_t>(layer) +
                              (block == Block::kFeedForward ? std::size_t{1} : std::size_t{0});
    return chosen.contains(names[index]);
  };
}

}  // namespace hone::compress
