#include "planner/table_file.h"

#include <gtest/gtest.h>

namespace hone::planner {
namespace {

TableFile Example() {
  const LatencyGrid grid{.lengths = {8, 128}, .texts = {1, 4}, .ms = {0.5, 1.25, 3, 11}};
  return {.model = "intent",
          .device = "a processor / avx2 / 2",
          .rungs = {{.name = "dense",
                     .accuracy = 0.925,
                     .bytes = 1000,
                     .load_ms = 12.5,
                     .widths = {1, 2},
                     .tables = {grid, grid}},
                    {.name = "2x", .accuracy = 0.91, .widths = {1}, .tables = {grid}}}};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(TableFile, ReadsBackWhatItWrote) {
  const std::string json = ToJson(Example());
  const auto read = ParseTableFile(json, "tables.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ToJson(*read), json);
  ASSERT_EQ(read->rungs.size(), 2u);
  EXPECT_EQ(read->rungs[0].widths, (std::vector<int>{1, 2}));
  EXPECT_EQ(read->rungs[0].tables[1].ms, Example().rungs[0].tables[1].ms);
  EXPECT_EQ(read->rungs[0].bytes, 1000u);
}

TEST(TableFile, ErrorsNameThePlace) {
  const std::string json = ToJson(Example());
  const auto error = [](const std::string& text) {
    const auto read = ParseTableFile(text, "tables.json");
    EXPECT_FALSE(read.ok()) << text;
    return read.status().message();
  };
  EXPECT_NE(error(Replaced(json, "latency-tables", "ladder")).find("kind"), std::string::npos);
  EXPECT_NE(error(Replaced(json, "\"schema\": 1", "\"schema\": 2")).find("schema 1"),
            std::string::npos);
  EXPECT_NE(error(Replaced(json, "\"tables\": [", "\"tables\": [3,"))
                .find("$.rungs[0].tables: expected one table a width"),
            std::string::npos);
  EXPECT_NE(error(Replaced(json, "0.5", "-0.5")).find("$.rungs[0].tables[0]"), std::string::npos);
  EXPECT_NE(error("{}").find("kind"), std::string::npos);
  EXPECT_NE(error("[]").find("object"), std::string::npos);
}

}  // namespace
}  // namespace hone::planner
