#include "formats/quantization_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hone::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

base::StatusOr<QuantizationConfig> Parse(std::string_view text) {
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, "config.json"));
  return ParseQuantizationConfig(json.root());
}

// A configuration as the package writes it, with the parts that a test varies.
std::string Config(std::string_view format, std::string_view weights, std::string_view inputs,
                   std::string_view more = "") {
  return base::StrCat(
      R"({"model_type":"bert","quantization_config":{"config_groups":{"group_0":{"format":null,)",
      R"("input_activations":)", inputs, R"(,"output_activations":null,"targets":["Linear"],)",
      R"("weights":)", weights, R"(}},"format":")", format,
      R"(","ignore":["lm_head"],"kv_cache_scheme":null,"quant_method":"compressed-tensors",)",
      R"("quantization_status":"compressed")", more, "}}");
}

constexpr std::string_view kW8 =
    R"({"num_bits":8,"type":"int","symmetric":true,"strategy":"channel","group_size":null,)"
    R"("dynamic":false,"actorder":null,"observer":"minmax","block_structure":null})";
constexpr std::string_view kA8 =
    R"({"num_bits":8,"type":"int","symmetric":true,"strategy":"token","dynamic":true})";
constexpr std::string_view kW4 =
    R"({"num_bits":4,"type":"int","symmetric":false,"strategy":"group","group_size":32,)"
    R"("dynamic":false,"actorder":"weight"})";

std::string ErrorOf(std::string_view text) {
  const auto config = Parse(text);
  return config.ok() ? "accepted" : config.status().message();
}

TEST(QuantizationConfig, ReadsWhatHoneComputes) {
  EXPECT_TRUE(Parse("{}")->groups.empty());
  EXPECT_TRUE(Parse(R"({"quantization_config":null})")->groups.empty());
  const auto int8 = Parse(Config("int-quantized", kW8, kA8));
  ASSERT_TRUE(int8.ok()) << int8.status();
  ASSERT_EQ(int8->groups.size(), 1u);
  EXPECT_EQ(int8->groups[0].kind, StoredKind::kInt8);
  EXPECT_TRUE(int8->groups[0].activations);
  EXPECT_THAT(int8->groups[0].targets, ElementsAre("Linear"));
  EXPECT_THAT(int8->ignore, ElementsAre("lm_head"));
  const auto int4 = Parse(Config("pack-quantized", kW4, "null"));
  ASSERT_TRUE(int4.ok()) << int4.status();
  EXPECT_EQ(int4->groups[0].kind, StoredKind::kInt4);
  EXPECT_EQ(int4->groups[0].group, 32);
  EXPECT_FALSE(int4->groups[0].symmetric);
}

TEST(QuantizationConfig, OtherSchemesAreUnsupportedWithTheirPath) {
  const auto replaced = [](std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::string int8 = Config("int-quantized", kW8, kA8);
  const std::string int4 = Config("pack-quantized", kW4, kA8);
  EXPECT_EQ(ErrorOf(Config("nvfp4-pack-quantized", kW4, "null")),
            "config.json: $.quantization_config.config_groups.group_0: format "
            "\"nvfp4-pack-quantized\"; Hone reads \"int-quantized\" and \"pack-quantized\"");
  EXPECT_THAT(ErrorOf(replaced(int8, "compressed-tensors", "gptq")),
              HasSubstr("quant_method: \"gptq\"; Hone reads \"compressed-tensors\""));
  EXPECT_THAT(ErrorOf(replaced(int8, "\"type\":\"int\",\"symmetric\":true,\"strategy\":\"channel\"",
                               "\"type\":\"float\",\"strategy\":\"channel\"")),
              HasSubstr("weights.type: \"float\"; Hone reads \"int\""));
  EXPECT_THAT(ErrorOf(replaced(int8, "\"channel\"", "\"tensor\"")),
              HasSubstr("these are 8 bits, symmetric, by tensor"));
  EXPECT_THAT(ErrorOf(replaced(int8, "\"dynamic\":true", "\"dynamic\":false")),
              HasSubstr("input_activations: Hone quantises activations to 8 bits"));
  EXPECT_THAT(ErrorOf(replaced(int4, "\"num_bits\":4", "\"num_bits\":8")),
              HasSubstr("these are 8 bits by group"));
  EXPECT_THAT(ErrorOf(replaced(int4, "\"actorder\":\"weight\"", "\"actorder\":\"group\"")),
              HasSubstr("actorder: \"group\" (reordered inputs)"));
  EXPECT_THAT(ErrorOf(replaced(int4, "\"group_size\":32", "\"group_size\":0")),
              HasSubstr("group_size is 0; expected 1 or more"));
  EXPECT_THAT(ErrorOf(replaced(int8, "\"kv_cache_scheme\":null", "\"kv_cache_scheme\":{}")),
              HasSubstr("kv_cache_scheme: a quantised cache is not supported"));
  EXPECT_THAT(ErrorOf(Config("int-quantized", kW8, kA8, R"(,"sparsity_config":{"format":"2:4"})")),
              HasSubstr("sparsity_config"));
}

TEST(QuantizationConfig, FieldsOfTheWrongKindAreErrors) {
  EXPECT_THAT(ErrorOf(R"({"quantization_config":3})"), HasSubstr("expected an object"));
  EXPECT_THAT(ErrorOf(R"({"quantization_config":{"quant_method":"compressed-tensors"}})"),
              HasSubstr("lacks the field \"config_groups\""));
  EXPECT_THAT(ErrorOf(Config("int-quantized", "[]", kA8)),
              HasSubstr("weights: expected an object"));
  EXPECT_THAT(ErrorOf(Config("int-quantized", R"({"num_bits":"8"})", kA8)),
              HasSubstr("weights.num_bits: expected an integer, found a string"));
  EXPECT_THAT(ErrorOf(Config("int-quantized", "null", kA8)), HasSubstr("weights"));
}

TEST(QuantizationConfig, ReadsWhatItWrites) {
  const QuantizationGroup int8{.kind = StoredKind::kInt8, .targets = {"re:.*query$", "Linear"}};
  const QuantizationGroup int4{
      .kind = StoredKind::kInt4, .group = 32, .symmetric = false, .targets = {"re:.*output$"}};
  const QuantizationGroup table{.kind = StoredKind::kInt4,
                                .group = 64,
                                .symmetric = false,
                                .activations = false,
                                .targets = {"Embedding"}};
  const std::vector<std::vector<QuantizationGroup>> cases = {{int8}, {int4}, {int8, int4, table}};
  for (const std::vector<QuantizationGroup>& groups : cases) {
    base::JsonWriter json;
    json.BeginObject().Key("quantization_config");
    WriteQuantizationConfig({.groups = groups, .ignore = {"head"}}, &json);
    const std::string text = json.EndObject().Take();
    const auto read = Parse(text);
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(read->groups.size(), groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
      EXPECT_EQ(read->groups[i].kind, groups[i].kind);
      EXPECT_EQ(read->groups[i].group, groups[i].group);
      EXPECT_EQ(read->groups[i].symmetric, groups[i].symmetric);
      EXPECT_EQ(read->groups[i].activations, groups[i].activations);
      EXPECT_EQ(read->groups[i].targets, groups[i].targets);
    }
    EXPECT_THAT(read->ignore, ElementsAre("head"));
    EXPECT_EQ(text.find("mixed-precision") != std::string::npos, groups.size() > 1);
  }
}

TEST(QuantizationConfig, GroupSizesThatDifferLeaveEachMatrixToSayItsOwn) {
  const auto packed = [](int group) {
    return QuantizationGroup{.kind = StoredKind::kInt4, .group = group};
  };
  EXPECT_EQ((QuantizationConfig{.groups = {{}, packed(32), packed(32)}}.packed_group()), 32);
  EXPECT_EQ((QuantizationConfig{.groups = {packed(32), packed(64)}}.packed_group()), 0);
  EXPECT_EQ((QuantizationConfig{.groups = {{}}}.packed_group()), 0);
}

}  // namespace
}  // namespace hone::formats
