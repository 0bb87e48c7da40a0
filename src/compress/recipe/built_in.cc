// The recipes that come with the program: YAML like anybody's, read by the same parser. Figures are
// the methods' own (ZipLM, arXiv 2302.04089: 8e-5 with rewinds, half logits and half hidden vectors)
// with fewer epochs, so that a small encoder takes minutes on two cores.
#include "base/check.h"
#include "compress/recipe/recipe.h"

namespace hone::compress {
namespace {

constexpr std::string_view kTexts[] = {
    R"(# The fastest answers: all matrices in int8, which every processor multiplies well.
name: fast
stages:
  - prune:
      method: ziplm
      samples: 1024
  - distill:
      epochs: 2
      learning_rate: 8e-5
      loss: {logits: 0.5, hidden: 0.5}
  - quantize:
      formats: int8
)",
    R"(# Speed first, then size: int4 where the search finds that it costs nothing.
name: balanced
stages:
  - prune:
      method: ziplm
      samples: 2048
  - distill:
      epochs: 2
      learning_rate: 8e-5
      loss: {logits: 0.5, hidden: 0.5}
  - quantize:
      formats: [int8, int4]
      method: gptq
      embeddings: int8
)",
    R"(# The fewest bytes: int4 everywhere, and twice the training to make up for it.
name: smallest
stages:
  - prune:
      method: ziplm
      samples: 2048
  - distill:
      epochs: 4
      learning_rate: 8e-5
      schedule: cosine
      loss: {logits: 0.5, hidden: 0.5}
  - quantize:
      formats: int4
      method: gptq
      samples: 1024
      embeddings: int4
)",
    R"(# No training at all: minutes, and calibration sentences are enough.
name: oneshot
stages:
  - prune:
      method: ziplm
      samples: 2048
      bottom_up: true
  - quantize:
      formats: int8
)",
};

const std::vector<Recipe>& BuiltIns() {
  static const std::vector<Recipe> recipes = [] {
    std::vector<Recipe> parsed;
    for (std::string_view text : kTexts) {
      auto recipe = ParseRecipe(text, "built-in recipe");
      HONE_CHECK(recipe.ok());
      parsed.push_back(*std::move(recipe));
    }
    return parsed;
  }();
  return recipes;
}

}  // namespace

const Recipe* BuiltInRecipe(std::string_view name) {
  for (const Recipe& recipe : BuiltIns()) {
    if (recipe.name == name) return &recipe;
  }
  return nullptr;
}

std::vector<std::string_view> BuiltInRecipeNames() {
  std::vector<std::string_view> names;
  for (const Recipe& recipe : BuiltIns()) names.emplace_back(recipe.name);
  return names;
}

}  // namespace hone::compress
