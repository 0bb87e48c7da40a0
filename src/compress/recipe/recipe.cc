#include "compress/recipe/recipe.h"

#include <algorithm>
#include <climits>

#include "base/closest.h"
#include "compress/recipe/fields.h"
#include "compress/recipe/pattern.h"
#include "compress/recipe/stages/stage_kind.h"
#include "compress/recipe/yaml_tree.h"

namespace hone::compress {
namespace {

using base::StrCat;

// Members that people look for in a recipe and that are given elsewhere.
constexpr std::string_view kTargetKeys[] = {"target_latency_ms", "target_latency", "speedup",
                                            "speedups"};

std::string Stem(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::size_t dot = file.find_last_of('.');
  return dot == 0 || dot == std::string::npos ? file : file.substr(0, dot);
}

std::vector<std::string_view> KindNames() {
  std::vector<std::string_view> names;
  for (const StageKind& kind : StageKinds()) names.push_back(kind.name);
  return names;
}

// One item of `stages`: a map with one member, whose key is the kind.
base::StatusOr<Stage> ParseOne(const YamlNode& item, const std::string& path) {
  if (item.kind != YamlKind::kMap || item.items.size() != 1) {
    const std::string hint =
        item.kind == YamlKind::kScalar
            ? StrCat("write \"- ", item.text, ":\" or \"- ", item.text, ": {…}\"")
            : std::string("expected \"- KIND: {settings}\", one kind an item");
    return base::BadInput(path, ":", item.line, ": stages: ", hint, "; kinds are ",
                          base::Join(KindNames(), ", "));
  }
  const YamlNode& settings = item.items[0];
  for (const StageKind& kind : StageKinds()) {
    if (settings.key != kind.name) continue;
    Stage stage;
    stage.line = settings.line;
    Fields fields(settings, path, std::string(kind.name));
    kind.parse(fields, &stage);
    HONE_RETURN_IF_ERROR(fields.Finish());
    return stage;
  }
  const std::string_view closest = base::Closest(settings.key, KindNames());
  return base::BadInput(path, ":", settings.line, ": stages: unknown kind \"", settings.key, "\"; ",
                        closest.empty() ? StrCat("kinds are ", base::Join(KindNames(), ", "))
                                        : StrCat("did you mean \"", closest, "\"?"));
}

base::StatusOr<std::vector<Stage>> ParseStages(const YamlNode* list, const std::string& path) {
  if (list == nullptr) return base::BadInput(path, ": has no stages");
  if (list->kind != YamlKind::kList) {
    return base::BadInput(path, ":", list->line, ": stages: expected a list, found ",
                          KindOf(*list));
  }
  if (list->items.empty()) return base::BadInput(path, ":", list->line, ": stages: is empty");
  if (list->items.size() > static_cast<std::size_t>(kMaxStages)) {
    return base::BadInput(path, ":", list->line, ": stages: more than ", kMaxStages);
  }
  std::vector<Stage> stages;
  for (const YamlNode& item : list->items) {
    HONE_ASSIGN_OR_RETURN(Stage stage, ParseOne(item, path));
    stages.push_back(std::move(stage));
  }
  HONE_RETURN_IF_ERROR(CheckOrder(stages, path));
  return stages;
}

// The module whose name is nearest to what was written, as an example of what names look like.
std::string_view Example(std::string_view pattern, const std::vector<std::string>& modules) {
  std::string_view best;
  int distance = INT_MAX;
  for (const std::string& module : modules) {
    if (const int d = base::EditDistance(pattern, module); d < distance) {
      distance = d;
      best = module;
    }
  }
  return best;
}

base::Status CheckPatterns(std::string_view key, const std::vector<std::string>& patterns,
                           const std::vector<int>& lines, const std::string& path, int line,
                           const std::vector<std::string>& modules) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::string& pattern = patterns[i];
    const int at = i < lines.size() ? lines[i] : line;
    const std::vector<bool> matches = Matches(pattern, modules);
    if (std::ranges::count(matches, true) > 0) continue;
    if (modules.empty()) {
      return base::BadInput(path, ":", at, ": \"", key, ": ", pattern,
                            "\" matches no layer: the model has none to choose from");
    }
    const bool expression =
        !pattern.starts_with("re:") && pattern.find_first_of("*+?[](){}|\\^$") != std::string::npos;
    return base::BadInput(path, ":", at, ": \"", key, ": ", pattern,
                          "\" matches no layer; names look like \"", Example(pattern, modules),
                          expression ? "\"; an expression begins with \"re:\"" : "\"");
  }
  return base::OkStatus();
}

base::Status CheckSelection(const Selection& selection, const Stage& stage, const std::string& path,
                            const std::vector<std::string>& modules) {
  HONE_RETURN_IF_ERROR(CheckPatterns("targets", selection.targets, selection.target_lines, path,
                                     stage.line, modules));
  HONE_RETURN_IF_ERROR(
      CheckPatterns("ignore", selection.ignore, selection.ignore_lines, path, stage.line, modules));
  if (!selection.ignore.empty() && Select(selection, modules).empty()) {
    return base::BadInput(path, ":", stage.line, ": ", NameOf(stage),
                          ": ignore takes away every layer that targets names");
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<Recipe> ParseRecipe(std::string_view yaml, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(YamlNode root, ParseYaml(yaml, path));
  if (root.kind != YamlKind::kMap) {
    return base::BadInput(path, ":", root.line, ": expected \"stages:\" and a list, found ",
                          KindOf(root));
  }
  for (std::string_view key : kTargetKeys) {
    const YamlNode* node = root.Find(key);
    if (node == nullptr) continue;
    return base::BadInput(path, ":", node->line, ": ", key,
                          ": targets are given to the command: --speedup or --target-latency");
  }
  Recipe recipe;
  recipe.name = Stem(path);
  recipe.path = path;
  recipe.text = std::string(yaml);
  Fields fields(root, path, "");
  fields.Text("name", &recipe.name);
  fields.Number("max_drop", {.min = 0, .max = 100}, &recipe.max_drop);
  const YamlNode* stages = fields.Map("stages");
  HONE_RETURN_IF_ERROR(fields.Finish());
  HONE_ASSIGN_OR_RETURN(recipe.stages, ParseStages(stages, path));
  return recipe;
}

base::Status CheckRecipe(const Recipe& recipe, const RecipeModules& modules) {
  for (const Stage& stage : recipe.stages) {
    const bool prunes = KindOf(stage).role == Role::kPrune;
    HONE_RETURN_IF_ERROR(std::visit(
        [&](const auto& what) {
          if constexpr (requires { what.modules; }) {
            return CheckSelection(what.modules, stage, recipe.path,
                                  prunes ? modules.prunable : modules.matrices);
          }
          return base::OkStatus();
        },
        stage.what));
  }
  return base::OkStatus();
}

std::vector<std::string> Select(const Selection& selection,
                                const std::vector<std::string>& modules) {
  std::vector<bool> chosen(modules.size(), selection.targets.empty());
  const auto mark = [&](const std::vector<std::string>& patterns, bool value) {
    for (const std::string& pattern : patterns) {
      const std::vector<bool> matches = Matches(pattern, modules);
      for (std::size_t i = 0; i < modules.size(); ++i) {
        if (matches[i]) chosen[i] = value;
      }
    }
  };
  mark(selection.targets, true);
  mark(selection.ignore, false);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    if (chosen[i]) names.push_back(modules[i]);
  }
  return names;
}

}  // namespace hone::compress
