#include "compress/quantize/targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone::compress {
namespace {

using formats::StoredKind;
using quant::Format;
using testing::ElementsAre;

TEST(WordTargets, SaysAKindOfMatrixOnceWhereAllLayersAgree) {
  const auto config = WordTargets({{"bert.encoder.layer.0.output.dense", Format::kInt8},
                                   {"bert.encoder.layer.1.output.dense", Format::kInt8},
                                   {"bert.encoder.layer.0.intermediate.dense", Format::kInt8},
                                   {"bert.encoder.layer.1.intermediate.dense", Format::kF32}},
                                  {}, std::nullopt);
  ASSERT_EQ(config.groups.size(), 1u);
  EXPECT_EQ(config.groups[0].kind, StoredKind::kInt8);
  EXPECT_THAT(config.groups[0].targets, ElementsAre("re:(.*[.])?layer[.]0[.]intermediate[.]dense$",
                                                    "re:(.*[.])?layer[.][0-9]+[.]output[.]dense$"));
}

TEST(WordTargets, HasAGroupForEachFormatAndForTables) {
  const auto config =
      WordTargets({{"layers.0.mlp.Wi", Format::kInt8}, {"layers.0.mlp.Wo", Format::kInt4}},
                  {"embeddings.tok_embeddings"}, Format::kInt4);
  ASSERT_EQ(config.groups.size(), 3u);
  EXPECT_EQ(config.groups[1].kind, StoredKind::kInt4);
  EXPECT_EQ(config.groups[1].group, 32);
  EXPECT_FALSE(config.groups[1].symmetric);
  EXPECT_FALSE(config.groups[2].activations);
  EXPECT_THAT(config.groups[2].targets, ElementsAre("re:(.*[.])?tok_embeddings$"));
}

TEST(WordTargets, NothingQuantisedIsNoGroup) {
  EXPECT_TRUE(WordTargets({{"layers.0.mlp.Wi", Format::kF32}}, {}, std::nullopt).groups.empty());
}

}  // namespace
}  // namespace hone::compress
