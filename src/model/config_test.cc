#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/directory.h"
#include "model/heads/head_kind.h"

namespace hone::model {
namespace {

using testing::HasSubstr;

constexpr std::string_view kBertConfig = R"({"model_type": "bert", "hidden_size": 32,
  "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 60,
  "max_position_embeddings": 24 EXTRA})";

// kBertConfig with members added; of a name that is there twice the first counts, so they go first.
base::StatusOr<ModelConfig> Parse(const std::string& extra) {
  std::string text(kBertConfig);
  text.replace(text.find(" EXTRA"), 6, "");
  if (!extra.empty()) text.insert(1, extra + ", ");
  const auto json = base::Json::Parse(text, "m/config.json");
  if (!json.ok()) return json.status();
  return ParseConfig(json->root());
}

std::string ErrorOf(const std::string& extra) {
  const auto config = Parse(extra);
  return config.ok() ? "no error" : config.status().message();
}

TEST(ModelConfig, ReadsBert) {
  const auto config = Parse("");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->architecture, "bert");
  EXPECT_EQ(config->head_size, 8);
  EXPECT_EQ(config->layer_count(), 2);
  EXPECT_EQ(config->layers[1].heads, 4);
  EXPECT_EQ(config->layers[1].ffn, 48);
  EXPECT_EQ(config->layers[1].window, -1);
  EXPECT_EQ(config->token_types, 2);
  EXPECT_EQ(config->activation, kernels::Activation::kGelu);
  EXPECT_FLOAT_EQ(config->norm_epsilon, 1e-12f);
}

TEST(ModelConfig, NamesFileAndFieldOfWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {R"("hidden_size": -1)", "m/config.json: $.hidden_size: expected 1 to 65536, found -1"},
      {R"("hidden_size": 1e12)", "$.hidden_size: expected 1 to 65536"},
      {R"("hidden_size": "32")", "$.hidden_size: expected an integer, found a string"},
      {R"("hidden_size": 30)", "hidden_size 30 is not a multiple of num_attention_heads 4"},
      {R"("num_attention_heads": 0)", "$.num_attention_heads: expected 1 to 1024, found 0"},
      {R"("num_hidden_layers": 99999999)", "$.num_hidden_layers: expected 1 to 1024"},
      {R"("vocab_size": 4294967297)", "$.vocab_size: expected 1 to 16777216"},
      {R"("layer_norm_eps": -1)", "$.layer_norm_eps: expected a positive number"},
      {R"("hidden_act": "softplus")", "$.hidden_act: activation \"softplus\" is not supported"},
      {R"("position_embedding_type": "relative_key")",
       "$.position_embedding_type: \"relative_key\" is not supported"},
      {R"("is_decoder": true)", "$.is_decoder: a causal decoder is not supported"},
      {R"("model_type": "gpt2")", "$.model_type: architecture \"gpt2\" is not supported; Hone has"},
      {R"("model_type": 3)", "$.model_type: expected a string"},
      {R"("hone_layers": [{"heads": 1, "ffn": 8}])",
       "$.hone_layers: expected an array of 2 objects"},
      {R"("hone_layers": [{"heads": 5, "ffn": 8}, {"heads": 1, "ffn": 8}])",
       "$.hone_layers[0].heads: expected 0 to 4, found 5"},
      {R"("hone_layers": [{"heads": 1}, {"heads": 1}])",
       "$.hone_layers[0]: lacks the field \"ffn\""},
  };
  for (const auto& [extra, expected] : cases) {
    EXPECT_THAT(ErrorOf(extra), HasSubstr(expected)) << extra;
  }
}

TEST(ModelConfig, NamesTheFieldThatIsAbsent) {
  for (const std::string_view text : {"{}", "[]", "3", "\"bert\"", "{\"model_type\": null}"}) {
    const auto json = base::Json::Parse(text, "m/config.json");
    ASSERT_TRUE(json.ok());
    EXPECT_FALSE(ParseConfig(json->root()).ok()) << text;
  }
  const auto json = base::Json::Parse(R"({"model_type": "bert"})", "m/config.json");
  EXPECT_THAT(ParseConfig(json->root()).status().message(),
              HasSubstr("m/config.json: $: lacks the field \"hidden_size\""));
}

TEST(ModelConfig, TakesPrunedShapes) {
  const auto config = Parse(R"("hone_layers": [{"heads": 0, "ffn": 7}, {"heads": 3, "ffn": 0}])");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->layers[0].heads, 0);
  EXPECT_EQ(config->layers[0].ffn, 7);
  EXPECT_EQ(config->layers[1].heads, 3);
  EXPECT_EQ(config->layers[1].ffn, 0);
  EXPECT_EQ(config->head_size, 8);
}

TEST(ModelConfig, StartsRobertasPositionsAfterThePad) {
  const auto config = Parse(R"("model_type": "xlm-roberta", "pad_token_id": 1)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->architecture, "roberta");
  EXPECT_EQ(config->position_offset, 2);
  EXPECT_EQ(config->max_tokens, 22);
  EXPECT_THAT(ErrorOf(R"("model_type": "roberta", "pad_token_id": 23)"),
              HasSubstr("max_position_embeddings must exceed pad_token_id + 1, which is 24"));
}

TEST(ModelConfig, RefusesModernBertsUnknownRotary) {
  EXPECT_THAT(ErrorOf(R"("model_type": "modernbert", "rope_parameters":
                        {"full_attention": {"rope_type": "yarn", "rope_theta": 1000}})"),
              HasSubstr("$.rope_parameters.full_attention.rope_type: \"yarn\" is not supported"));
  EXPECT_THAT(ErrorOf(R"("model_type": "modernbert", "layer_types": ["full_attention", "mamba"])"),
              HasSubstr("$.layer_types[1]: \"mamba\" is not supported"));
  EXPECT_THAT(ErrorOf(R"("model_type": "modernbert", "hidden_size": 36)"),
              HasSubstr("rotary positions need it even"));
}

TEST(ModelConfig, AlternatesModernBertsAttention) {
  const auto config = Parse(R"("model_type": "modernbert", "num_hidden_layers": 5,
                               "local_attention": 9, "global_rope_theta": 5000.0)");
  ASSERT_TRUE(config.ok()) << config.status();
  const int windows[] = {-1, 4, 4, -1, 4};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(config->layers[i].window, windows[i]);
    EXPECT_EQ(config->layers[i].rotary_base, windows[i] < 0 ? 5000.0f : 10000.0f);
    EXPECT_EQ(config->layers[i].attention_norm, i != 0);
  }
}

TEST(Labels, MustBeNumberedWithoutHoles) {
  const auto parse = [](std::string_view text) {
    const auto json = base::Json::Parse(text, "m/config.json");
    return ParseLabels(json->root(), "id2label");
  };
  EXPECT_EQ(*parse(R"({"id2label": {"1": "B", "0": "A"}})"), (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(*parse("{}"), (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(parse(R"({"num_labels": 3})")->size(), 3u);
  for (const std::string_view bad :
       {R"({"id2label": {"0": "A", "2": "B"}})", R"({"id2label": {}})",
        R"({"id2label": {"0": "A", "00": "B"}})", R"({"id2label": {"x": "A"}})",
        R"({"id2label": ["A"]})", R"({"id2label": {"0": ["A"]}})", R"({"num_labels": -1})"}) {
    EXPECT_FALSE(parse(bad).ok()) << bad;
  }
}

TEST(Modules, StayInsideTheDirectory) {
  EXPECT_FALSE(
      formats::ParseModules(R"([{"type": "a.Pooling", "path": "../x"}])", "modules.json").ok());
  EXPECT_FALSE(
      formats::ParseModules(R"([{"type": "a.Pooling", "path": "/etc"}])", "modules.json").ok());
  EXPECT_FALSE(formats::ParseModules(R"({"type": "a.Pooling"})", "modules.json").ok());
  EXPECT_FALSE(formats::ParseModules(R"([{"path": "1_Pooling"}])", "modules.json").ok());
  const auto modules =
      formats::ParseModules(R"([{"type": "a.b.Pooling", "path": "1_Pooling"}])", "modules.json");
  ASSERT_TRUE(modules.ok()) << modules.status();
  EXPECT_EQ((*modules)[0].type, "Pooling");
}

TEST(Pooling, NamesTheModeItLacks) {
  const auto parse = [](std::string_view text) {
    const auto json = base::Json::Parse(text, "1_Pooling/config.json");
    return ParsePooling(json->root(), 32);
  };
  EXPECT_EQ(*parse(R"({"pooling_mode_cls_token": true})"), Rows::kFirst);
  EXPECT_EQ(*parse(R"({"pooling_mode": "lasttoken"})"), Rows::kLast);
  EXPECT_EQ(*parse("{}"), Rows::kMean);
  const std::pair<std::string_view, std::string> cases[] = {
      {R"({"pooling_mode_weightedmean_tokens": true})", "pooling mode \"weightedmean\""},
      {R"({"pooling_mode": "attention"})", "$.pooling_mode: \"attention\" is not supported"},
      {R"({"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true})",
       "pooling_mode_cls_token and pooling_mode_max_tokens together"},
      {R"({"word_embedding_dimension": 16})",
       "word_embedding_dimension is 16, but the encoder is 32"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(parse(text).status().message(), HasSubstr(expected));
  }
}

}  // namespace
}  // namespace hone::model
