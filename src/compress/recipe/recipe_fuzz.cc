// Recipes from arbitrary bytes: an error that names the file, never a crash; what is accepted keeps
// its promises, reads the same again, and selects modules in bounded time.
#include <cstdint>

#include "base/check.h"
#include "compress/recipe/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recipe = compress::ParseRecipe(text, "f.yaml");
  if (!recipe.ok()) {
    HONE_CHECK(recipe.status().message().substr(0, 7) == "f.yaml:");
    return 0;
  }
  HONE_CHECK(!recipe->stages.empty() && recipe->max_drop >= 0);
  static const std::vector<std::string> modules = {
      "encoder.layer.0.attention.output.dense", "encoder.layer.0.output.dense",
      "encoder.layer.11.attention.output.dense", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"};
  (void)compress::CheckRecipe(*recipe, "f.yaml", modules);
  bool quantized = false;
  for (const compress::Stage& stage : recipe->stages) {
    HONE_CHECK(stage.line > 0 && !compress::NameOf(stage).empty() && !quantized);
    if (const auto* prune = std::get_if<compress::PruneStage>(&stage.what)) {
      HONE_CHECK(compress::Select(prune->modules, modules).size() <= modules.size());
      HONE_CHECK(prune->samples > 0 && prune->candidates > 0);
    } else if (const auto* quantize = std::get_if<compress::QuantizeStage>(&stage.what)) {
      HONE_CHECK(!quantize->formats.empty());
      quantized = true;
    }
  }
  const auto again = compress::ParseRecipe(recipe->text, "f.yaml");
  HONE_CHECK(again.ok() && again->stages.size() == recipe->stages.size());
  return 0;
}
