#include "compress/recipe/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "compress/recipe/stages/stage_kind.h"

namespace hone::compress {
namespace {

using base::StrCat;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::string> kModules = {
    "encoder.layer.0.attention.output.dense", "encoder.layer.0.intermediate.dense",
    "encoder.layer.0.output.dense", "encoder.layer.1.output.dense"};

Recipe Parsed(std::string_view yaml) {
  auto recipe = ParseRecipe(yaml, "dir/recipe.yaml");
  EXPECT_TRUE(recipe.ok()) << recipe.status();
  return recipe.ok() ? *std::move(recipe) : Recipe{};
}

std::string ErrorOf(std::string_view yaml) {
  const auto recipe = ParseRecipe(yaml, "recipe.yaml");
  return recipe.ok() ? "no error" : recipe.status().message();
}

template <typename T>
T Only(std::string_view yaml) {
  const Recipe recipe = Parsed(yaml);
  EXPECT_EQ(recipe.stages.size(), 1U);
  if (recipe.stages.empty()) return {};
  EXPECT_TRUE(std::holds_alternative<T>(recipe.stages[0].what));
  const T* what = std::get_if<T>(&recipe.stages[0].what);
  return what == nullptr ? T{} : *what;
}

TEST(Recipe, ReadsEverySettingOfEveryStage) {
  const Recipe recipe = Parsed(R"(name: mine
max_drop: 1.5
stages:
  - drop_layers: {layers: 4}
  - narrow: {width: 256}
  - prune:
      method: magnitude
      samples: 64
      bottom_up: false
      candidates: 10
      search_samples: 32
      targets: ["re:.*output\\.dense", pooler]
      ignore: encoder.layer.0.output.dense
  - distill:
      epochs: 0.5
      learning_rate: 8e-5
      batch: 16
      schedule: cosine
      warmup: 0.2
      dropout: 0.2
      min_tokens: 12
      evaluations: 5
      patience: 2
      text: lines.txt
      loss: {logits: 1, hidden: 2, relations: .5, consistency: .25, temperature: 3}
  - quantize:
      formats: [int4, f32, int8]
      method: awq
      smooth: 0.5
      samples: 8
      embeddings: int4
)");
  EXPECT_EQ(recipe.name, "mine");
  EXPECT_EQ(recipe.max_drop, 1.5);
  ASSERT_EQ(recipe.stages.size(), 5U);
  EXPECT_EQ(std::get<DropLayersStage>(recipe.stages[0].what).layers, 4);
  EXPECT_EQ(std::get<NarrowStage>(recipe.stages[1].what).width, 256);
  EXPECT_EQ(recipe.stages[2].line, 6);
  EXPECT_EQ(NameOf(recipe.stages[2]), "prune");

  const auto& prune = std::get<PruneStage>(recipe.stages[2].what);
  EXPECT_EQ(prune.method, PruneMethod::kMagnitude);
  EXPECT_EQ(prune.samples, 64);
  EXPECT_FALSE(prune.bottom_up);
  EXPECT_EQ(prune.candidates, 10);
  EXPECT_EQ(prune.search_samples, 32);
  EXPECT_THAT(prune.modules.targets, ElementsAre("re:.*output\\.dense", "pooler"));
  EXPECT_THAT(prune.modules.ignore, ElementsAre("encoder.layer.0.output.dense"));
  EXPECT_THAT(prune.modules.ignore_lines, ElementsAre(13));

  const auto& distill = std::get<DistillStage>(recipe.stages[3].what);
  EXPECT_EQ(distill.epochs, 0.5);
  EXPECT_EQ(distill.learning_rate, 8e-5);
  EXPECT_EQ(distill.batch, 16);
  EXPECT_EQ(distill.schedule, Schedule::kCosine);
  EXPECT_EQ(distill.warmup, 0.2);
  EXPECT_EQ(distill.dropout, 0.2);
  EXPECT_EQ(distill.min_tokens, 12);
  EXPECT_EQ(distill.evaluations, 5);
  EXPECT_EQ(distill.patience, 2);
  EXPECT_EQ(distill.text, "lines.txt");
  EXPECT_EQ(distill.loss.task, 0);
  EXPECT_EQ(distill.loss.logits, 1);
  EXPECT_EQ(distill.loss.hidden, 2);
  EXPECT_EQ(distill.loss.relations, 0.5);
  EXPECT_EQ(distill.loss.consistency, 0.25);
  EXPECT_EQ(distill.loss.temperature, 3);

  const auto& quantize = std::get<QuantizeStage>(recipe.stages[4].what);
  EXPECT_THAT(quantize.formats,
              ElementsAre(quant::Format::kInt4, quant::Format::kF32, quant::Format::kInt8));
  EXPECT_EQ(quantize.method, Rounding::kAwq);
  EXPECT_EQ(quantize.smooth, 0.5F);
  EXPECT_EQ(quantize.samples, 8);
  EXPECT_EQ(quantize.embeddings, quant::Format::kInt4);
}

TEST(Recipe, LeavesDefaultsWhereNothingIsSaid) {
  const Recipe recipe = Parsed("stages:\n- prune:\n- distill: {}\n- quantize:\n");
  EXPECT_EQ(recipe.name, "recipe");  // of the file
  EXPECT_EQ(std::get<PruneStage>(recipe.stages[0].what).samples, PruneStage{}.samples);
  EXPECT_EQ(std::get<DistillStage>(recipe.stages[1].what).loss.logits, 0.5F);
  EXPECT_FALSE(std::get<QuantizeStage>(recipe.stages[2].what).embeddings.has_value());
}

TEST(Recipe, CountsLossPartsThatAreNotNamedAsZero) {
  const auto distill = Only<DistillStage>("stages: [distill: {loss: {relations: 1}}]");
  EXPECT_EQ(distill.loss.relations, 1);
  EXPECT_EQ(distill.loss.logits + distill.loss.hidden + distill.loss.task, 0);
}

TEST(Recipe, ParsesEveryBuiltInByItsName) {
  EXPECT_THAT(BuiltInRecipeNames(), ElementsAre("fast", "balanced", "smallest", "oneshot"));
  for (std::string_view name : BuiltInRecipeNames()) {
    const Recipe* recipe = BuiltInRecipe(name);
    ASSERT_NE(recipe, nullptr) << name;
    EXPECT_THAT(recipe->stages, Not(IsEmpty())) << name;
    EXPECT_TRUE(CheckRecipe(*recipe, {kModules, kModules}).ok()) << name;
  }
  for (const Stage& stage : BuiltInRecipe("oneshot")->stages) EXPECT_NE(NameOf(stage), "distill");
  EXPECT_EQ(BuiltInRecipe("fastest"), nullptr);
}

// The worked example of docs/recipes.md, as it stands there.
TEST(Recipe, ReadsTheExampleOfItsDocument) {
  std::ifstream file(HONE_SOURCE_DIR "/docs/recipes.md");
  const std::string document((std::istreambuf_iterator<char>(file)), {});
  const std::size_t begin = document.find("```yaml\n");
  ASSERT_NE(begin, std::string::npos);
  const Recipe recipe =
      Parsed(document.substr(begin + 8, document.find("```", begin + 8) - begin - 8));
  EXPECT_EQ(recipe.stages.size(), 3U);
  for (const StageKind& kind : StageKinds()) {
    EXPECT_THAT(document, HasSubstr(StrCat("### `", kind.name, "`")));
  }
}

struct Bad {
  const char* yaml;
  const char* error;  // a part of it
};

// One line says what each is about; the error names the line.
TEST(Recipe, SaysWhereAndWhatIsWrong) {
  const Bad cases[] = {
      {"", "recipe.yaml: is empty"},
      {"- prune:", "recipe.yaml:1: expected \"stages:\""},
      {"name: x", "recipe.yaml: has no stages"},
      {"stages: []", "recipe.yaml:1: stages: is empty"},
      {"stages: prune", "recipe.yaml:1: stages: expected a list, found a single value"},
      {"stages:\n- prune", "recipe.yaml:2: stages: write \"- prune:\""},
      {"stages:\n- prune:\n  quantize:\n", "recipe.yaml:2: stages: expected \"- KIND"},
      {"stages:\n- prunes:\n",
       "recipe.yaml:2: stages: unknown kind \"prunes\"; did you mean \"prune\"?"},
      {"stages:\n- sparsify:\n", "kinds are prune, narrow, drop_layers, distill, quantize"},
      {"stages: [prune: ]\nmax_dorp: 1\n",
       "recipe.yaml:2: unknown key \"max_dorp\"; did you mean \"max_drop\"?"},
      {"stages: [prune: ]\nspeedup: 4\n",
       "recipe.yaml:2: speedup: targets are given to the command"},
      {"stages:\n- distill:\n    epochs: 1\n    learningrate: 1e-5\n",
       "recipe.yaml:4: distill: unknown key \"learningrate\"; did you mean \"learning_rate\"?"},
      {"stages:\n- distill: {xyzzy: 1}\n",
       "unknown key \"xyzzy\"; known are epochs, learning_rate"},
      {"stages:\n- distill: {epochs: \"2\"}\n",
       "recipe.yaml:2: distill: epochs: expected a number, found a quoted text"},
      {"stages:\n- distill: {epochs: two}\n", "epochs: expected a number, found \"two\""},
      {"stages:\n- distill: {epochs: [2]}\n", "epochs: expected a number, found a list"},
      {"stages:\n- distill: {epochs: .nan}\n", "epochs: expected a number, found \".nan\""},
      {"stages:\n- distill: {epochs: 1e999}\n", "epochs: expected a number, found \"1e999\""},
      {"stages:\n- distill: {epochs: 0}\n", "epochs: 0 is not above 0 and at most 1000"},
      {"stages:\n- distill: {batch: 2.5}\n", "batch: expected a whole number, found \"2.5\""},
      {"stages:\n- distill: {batch: 0}\n", "batch: 0 is not between 1 and 4096"},
      {"stages:\n- distill: {schedule: cosin}\n",
       "schedule: found \"cosin\", expected one of linear, cosine, constant"},
      {"stages:\n- distill:\n    loss:\n      logit: 1\n",
       "recipe.yaml:4: distill: loss: unknown key \"logit\"; did you mean \"logits\"?"},
      {"stages:\n- distill:\n    loss: {task: 0}\n",
       "recipe.yaml:3: distill: loss: task, logits, hidden and relations are 0"},
      {"stages:\n- distill:\n    loss: {consistency: 1}\n",
       "recipe.yaml:3: distill: loss: task, logits, hidden and relations are 0"},
      {"stages:\n- distill:\n    dropout: 0\n    loss: {task: 1, consistency: 1}\n",
       "recipe.yaml:4: distill: loss: consistency compares two passes that differ by dropout"},
      {"stages:\n- distill: {text: t, loss: {task: 1}}\n", "text: has no labels"},
      {"stages:\n- distill: {text: }\n", "text: expected a text, found nothing"},
      {"stages:\n- prune: {bottom_up: yes}\n", "bottom_up: expected true or false, found yes"},
      {"stages:\n- prune: {targets: []}\n",
       "targets: expected one or more names, found an empty list"},
      {"stages:\n- prune:\n    targets:\n    - a\n    - re:(b\n",
       "recipe.yaml:5: prune: targets: \"re:(b\" is no regular expression: missing )"},
      {"stages:\n- narrow:\n", "recipe.yaml:2: narrow: width is missing"},
      {"stages:\n- drop_layers: {}\n", "recipe.yaml:2: drop_layers: layers is missing"},
      {"stages:\n- quantize: {formats: [int8, int8]}\n", "formats: \"int8\" twice"},
      {"stages:\n- quantize: {formats: [int3]}\n", "found \"int3\", expected one of int8, int4"},
      {"stages:\n- quantize: {formats: int4, smooth: 0.5}\n", "smooth: is for int8"},
      {"stages:\n- quantize: {formats: f32, method: gptq}\n", "method: is for int8 and int4"},
      {"stages:\n- quantize: {embeddings: bf16}\n", "expected one of f16, int8, int4"},
      {"a: 1\na: 2\n", "recipe.yaml:2: \"a\" is there twice"},
      {"a: &x 1\n", "recipe.yaml:1: anchors and aliases"},
      {"a: !!int 1\n", "recipe.yaml:1: tags"},
      {"a: 1\n---\nb: 2\n", "recipe.yaml: holds more than one YAML document"},
      {"a: 1\n  b: 2\n", "recipe.yaml:2: not YAML"},
      {"a: [1\n", "not YAML"},
      {"[a]: 1\n", "recipe.yaml:1: a key must be a plain text"},
  };
  for (const Bad& bad : cases) {
    const std::string error = ErrorOf(bad.yaml);
    EXPECT_THAT(error, HasSubstr(bad.error)) << bad.yaml;
    EXPECT_THAT(error, HasSubstr("recipe.yaml:")) << bad.yaml;
  }
}

TEST(Recipe, RefusesStagesThatContradict) {
  const Bad cases[] = {
      {"stages:\n- quantize:\n- distill:\n",
       "recipe.yaml:3: distill cannot follow quantize (line 2): training needs float weights"},
      {"stages:\n- quantize:\n- prune:\n", "recipe.yaml:3: prune cannot follow quantize"},
      {"stages:\n- quantize:\n- quantize:\n",
       "quantise"
       "d once"},
      {"stages:\n- prune:\n- distill:\n- narrow: {width: 64}\n",
       "recipe.yaml:4: narrow cannot follow prune (line 2)"},
      {"stages:\n- prune:\n- drop_layers: {layers: 2}\n", "drop_layers cannot follow prune"},
      {"stages:\n- prune:\n- prune:\n", "one pruning reaches the rung's target"},
      {"stages:\n- narrow: {width: 64}\n- narrow: {width: 64}\n", "narrows nothing"},
      {"stages:\n- drop_layers: {layers: 2}\n- drop_layers: {layers: 3}\n", "drops nothing"},
  };
  for (const Bad& bad : cases) EXPECT_THAT(ErrorOf(bad.yaml), HasSubstr(bad.error)) << bad.yaml;
  EXPECT_EQ(
      ErrorOf("stages:\n- narrow: {width: 96}\n- distill:\n- narrow: {width: 64}\n- distill:\n"),
      "no error");
}

TEST(Recipe, HoldsItsLimits) {
  EXPECT_THAT(ErrorOf(StrCat("a: ", std::string(70000, 'x'))), HasSubstr("at most 65536 are read"));
  EXPECT_THAT(ErrorOf(std::string(17, '[')), HasSubstr("recipe.yaml:"));
  EXPECT_THAT(ErrorOf(StrCat(std::string(17, '['), std::string(17, ']'))),
              HasSubstr("nested deeper"));
  EXPECT_THAT(ErrorOf(std::string(30000, '[')), HasSubstr("recipe.yaml"));
  std::string many = "a: [";
  for (int i = 0; i < 12000; ++i) many += "1,";
  EXPECT_THAT(ErrorOf(many + "]"), HasSubstr("more than 10000 values"));
  std::string stages = "stages:\n";
  for (int i = 0; i < 33; ++i) stages += "- distill:\n";
  EXPECT_THAT(ErrorOf(stages), HasSubstr("stages: more than 32"));
}

TEST(Recipe, SelectsModulesByNameAndExpression) {
  EXPECT_EQ(Select({}, kModules), kModules);
  EXPECT_THAT(Select({.targets = {"encoder.layer.1.output.dense"}}, kModules),
              ElementsAre("encoder.layer.1.output.dense"));
  // The whole name, not a part of it.
  EXPECT_THAT(Select({.targets = {"re:output"}}, kModules), IsEmpty());
  EXPECT_THAT(
      Select({.targets = {"re:.*output\\.dense"}, .ignore = {"re:.*attention.*"}}, kModules),
      ElementsAre("encoder.layer.0.output.dense", "encoder.layer.1.output.dense"));
  EXPECT_THAT(Select({.ignore = {"re:.*"}}, kModules), IsEmpty());
}

TEST(Recipe, ChecksSelectionsAgainstTheModel) {
  const auto error = [](std::string_view yaml, const std::vector<std::string>& modules) {
    return std::string(
        CheckRecipe(ParseRecipe(yaml, "recipe.yaml").value(), {modules, kModules}).message());
  };
  EXPECT_EQ(error("stages:\n- prune:\n    targets:\n    - re:.*dense\n    - encoder.layers.*\n",
                  kModules),
            "recipe.yaml:5: \"targets: encoder.layers.*\" matches no layer; names look like "
            "\"encoder.layer.0.output.dense\"; an expression begins with \"re:\"");
  EXPECT_THAT(error("stages:\n- quantize: {ignore: lm_head}\n", kModules),
              HasSubstr("recipe.yaml:2: \"ignore: lm_head\" matches no layer"));
  EXPECT_THAT(error("stages:\n- quantize: {ignore: 're:.*'}\n", kModules),
              HasSubstr("recipe.yaml:2: quantize: ignore takes away every layer"));
  EXPECT_THAT(error("stages:\n- prune: {targets: x}\n", {}), HasSubstr("the model has none"));
  EXPECT_EQ(error("stages:\n- prune: {targets: 're:.*'}\n", kModules), "");
  // Pruning knows its own modules, quantisation all.
  const std::vector<std::string> prunable = {kModules[0], kModules[2]};
  EXPECT_EQ(error("stages:\n- quantize: {targets: 're:.*intermediate.*'}\n", prunable), "");
  EXPECT_THAT(error("stages:\n- prune: {targets: 're:.*intermediate.*'}\n", prunable),
              HasSubstr("matches no layer"));
}

TEST(Recipe, SurvivesExpressionsMadeToBlowUp) {
  const std::vector<std::string> modules = {std::string(200, 'a') + "!"};
  const Recipe recipe = Parsed("stages: [prune: {targets: 're:(a*)*(a|a)*(a*)*b'}]");
  EXPECT_FALSE(CheckRecipe(recipe, {modules, modules}).ok());
  EXPECT_THAT(ErrorOf("stages: [prune: {targets: 're:((((a{100}){100}){100}){100})'}]"),
              HasSubstr("is no regular expression"));
  EXPECT_THAT(ErrorOf(StrCat("stages: [prune: {targets: 're:", std::string(600, '('), "'}]")),
              HasSubstr("at most 512 bytes"));
}

}  // namespace
}  // namespace hone::compress
