#include "compress/ladder/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "compress/ladder/finish.h"
#include "compress/ladder/verify.h"
#include "compress/ladder/work_state.h"
#include "formats/sha256.h"
#include "formats/test_directory.h"

namespace hone::compress {
namespace {

using testing::HasSubstr;

LadderRung Rung(const std::string& path, double p95_ms, double metric) {
  LadderRung rung;
  rung.path = path;
  rung.recipe = "fast";
  rung.recipe_text = "name: fast\n";
  rung.target.speedup = 2;
  rung.speedup = 2.04;
  rung.model.format = "int8";
  rung.model.latency = {p95_ms / 2, p95_ms, p95_ms * 2};
  rung.model.metric = {"accuracy", metric, metric - 0.02, metric + 0.02};
  rung.model.parameters = 22'000'000;
  rung.model.size_bytes = 23'456'789;
  rung.model.width = 384;
  rung.model.layers = {{6, 512, "int8", "int8"}, {0, 0, "", ""}};
  rung.model.operations = {{"qkv", 0.12}};
  rung.changed = {{"a \"quoted\" text", "positive", "positive", "negative"}};
  rung.changed_count = 17;
  return rung;
}

LadderReport Example() {
  LadderReport ladder;
  ladder.tool = "hone 0.1.0";
  ladder.task = "sst2";
  ladder.source = "minilm-sst2";
  ladder.device = {"Some CPU", "avx512", 2, 1, 24.5, 4, 66, {4, 20, 66}, false};
  ladder.dev_examples = 872;
  ladder.dense = Rung("", 4, 0.91).model;
  ladder.rungs = {Rung("2x", 1.5, 0.91), Rung("4x", 0.8, 0.89), Rung("8x", 0.4, 0.85)};
  ladder.points = {{"search", "2x", 1.2, true, NAN, 0.03, 0}};
  ladder.files = {{"2x/config.json", 612, std::string(64, 'a')}};
  return ladder;
}

TEST(Ladder, JsonHasTheKeysThatScriptsRelyOn) {
  const base::Json json = *base::Json::Parse(ToJson(Example()), "hone.json");
  const base::JsonValue root = json.root();
  for (const char* key : {"rungs", "dense", "device", "task"}) {
    EXPECT_TRUE(root.Find(key)) << key;
  }
  const base::JsonValue rungs = *root.Get("rungs");
  ASSERT_EQ(rungs.size(), 3);
  const base::JsonValue rung = *rungs.At(0);
  for (const char* key :
       {"path", "recipe", "target", "speedup", "latency", "metric", "parameters", "size_bytes"}) {
    EXPECT_TRUE(rung.Find(key)) << key;
  }
  const base::JsonValue latency = *rung.Get("latency"), metric = *rung.Get("metric");
  for (const char* key : {"p50_ms", "p95_ms", "p99_ms"}) EXPECT_TRUE(latency.Find(key)) << key;
  for (const char* key : {"name", "value", "low", "high"}) EXPECT_TRUE(metric.Find(key)) << key;
}

TEST(Ladder, ReadsWhatItWrites) {
  const std::string written = ToJson(Example());
  const auto read = ParseLadder(written, "hone.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ToJson(*read), written);
  EXPECT_EQ(read->rungs[1].changed[0].text, "a \"quoted\" text");
  EXPECT_TRUE(std::isnan(read->points[0].metric)) << "JSON has no NaN; null stands for it";
}

TEST(Ladder, RefusesPathsThatLeaveIt) {
  LadderReport ladder = Example();
  for (const char* path : {"..", ".", "", "a/b", "/etc"}) {
    ladder.rungs[0].path = path;
    EXPECT_FALSE(ParseLadder(ToJson(ladder), "hone.json").ok()) << path;
  }
  ladder = Example();
  for (const char* name : {"../x", "/etc/passwd", "2x/../../x", "2x//x", ""}) {
    ladder.files[0].name = name;
    EXPECT_FALSE(ParseLadder(ToJson(ladder), "hone.json").ok()) << name;
  }
  const auto model = ParseLadder(R"({"schema": 1, "format": "int8", "files": {}})", "hone.json");
  EXPECT_THAT(model.status().message(), HasSubstr("is no ladder"));
}

TEST(Ladder, RefusesCountsThatNoReportHolds) {
  const std::string written = ToJson(Example());
  for (const char* count : {"width", "heads", "ffn", "threads", "batch", "low", "high"}) {
    const std::string key = base::StrCat("\"", count, "\": ");
    const std::size_t at = written.find(key);
    ASSERT_NE(at, std::string::npos) << count;
    for (const char* number : {"3000000000", "-1", "1.5"}) {
      std::string wrong = written;
      wrong.replace(at + key.size(), wrong.find_first_of(",}\n", at) - at - key.size(), number);
      const auto read = ParseLadder(wrong, "hone.json");
      ASSERT_FALSE(read.ok()) << count << " " << number;
      EXPECT_THAT(read.status().message(), HasSubstr(count));
    }
  }
}

TEST(Ladder, FindsRungsByNameAndIndex) {
  const LadderReport ladder = Example();
  EXPECT_EQ((*FindRung(ladder, "4x"))->path, "4x");
  EXPECT_EQ((*FindRung(ladder, "2"))->path, "8x");
  for (const char* wrong : {"3", "16x", "", "-1", "99999999999"}) {
    EXPECT_THAT(FindRung(ladder, wrong).status().message(), HasSubstr("2x, 4x, 8x"));
  }
}

TEST(Ladder, ADeadlineTakesTheMostAccurateRungInTime) {
  LadderReport ladder = Example();
  EXPECT_EQ((*RungWithin(ladder, 2))->path, "2x");
  EXPECT_EQ((*RungWithin(ladder, 1.5))->path, "2x") << "p95 equal to the deadline meets it";
  EXPECT_EQ((*RungWithin(ladder, 1))->path, "4x");
  EXPECT_THAT(RungWithin(ladder, 0.1).status().message(),
              testing::AllOf(HasSubstr("no rung meets 0.1 ms"), HasSubstr("\"8x\"")));
  // A faster rung that happens to be the more accurate one is taken.
  ladder.rungs[1].model.metric.value = 0.92;
  EXPECT_EQ((*RungWithin(ladder, 2))->path, "4x");
}

class LadderFiles : public formats::TestDirectory {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.MakeDirectory(Path("2x")).ok());
    Put("2x/config.json", "{}");
    Put("2x/model.safetensors", std::string(5000, 'w'));
    ladder_.files = *HashTree(files_, directory_);
    LadderRung& rung = ladder_.rungs.emplace_back();
    rung.path = "2x";
    Put("hone.json", ToJson(ladder_));
  }
  std::vector<FileFault> Check() { return *CheckHashes(files_, directory_, ladder_, {}); }

  LadderReport ladder_;
};

TEST_F(LadderFiles, IsToldFromAModel) {
  EXPECT_TRUE(IsLadder(files_, directory_));
  EXPECT_FALSE(IsLadder(files_, Path("2x")));
  Put("2x/hone.json", R"({"schema": 1, "format": "int8", "files": {}})");
  EXPECT_FALSE(IsLadder(files_, Path("2x")));
}

TEST_F(LadderFiles, WhatWasAddedIsSeenInFoldersToo) {
  ASSERT_TRUE(files_.MakeDirectory(Path("2x/1_Pooling")).ok());
  Put("2x/1_Pooling/config.json", "{}");
  const std::vector<FileFault> faults = Check();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].name, "2x/1_Pooling/config.json");
}

TEST_F(LadderFiles, AreFineAsTheyWereWritten) {
  ASSERT_EQ(ladder_.files.size(), 2u) << "all but hone.json itself";
  EXPECT_THAT(Check(), testing::IsEmpty());
}

TEST_F(LadderFiles, AFlippedByteIsFound) {
  std::string weights(5000, 'w');
  weights[4321] ^= 1;
  Put("2x/model.safetensors", weights);
  ASSERT_EQ(Check().size(), 1u);
  EXPECT_EQ(Check()[0].name, "2x/model.safetensors");
  EXPECT_THAT(Check()[0].what, HasSubstr("sha256"));
}

TEST_F(LadderFiles, ACutAMissingAndAnAddedFileAreFound) {
  Put("2x/config.json", "{");
  EXPECT_THAT(Check()[0].what, HasSubstr("has 1 bytes; 2 were written"));
  ASSERT_TRUE(files_.RemoveTree(Path("2x/config.json")).ok());
  EXPECT_THAT(Check()[0].what, HasSubstr("is missing"));
  Put("2x/config.json", "{}");
  Put("2x/tokenizer.json", "{}");
  EXPECT_THAT(Check()[0].what, HasSubstr("was not there"));
}

class WorkStateTest : public formats::TestDirectory {};

TEST_F(WorkStateTest, RemembersStepsOverRestarts) {
  {
    WorkState state = *WorkState::Open(files_, Path("work"), "request");
    EXPECT_TRUE(state.empty());
    EXPECT_FALSE(state.Done("profile"));
    ASSERT_TRUE(state.Finish("profile", 12.5).ok());
    ASSERT_TRUE(state.Finish("2x-0-prune", 30).ok());
  }
  const WorkState again = *WorkState::Open(files_, Path("work"), "request");
  EXPECT_TRUE(again.Done("profile"));
  EXPECT_TRUE(again.Done("2x-0-prune"));
  EXPECT_FALSE(again.Done("2x-1-quantize"));
  EXPECT_DOUBLE_EQ(again.TotalSeconds(), 42.5);
}

TEST_F(WorkStateTest, RefusesTheWorkOfAnotherRequest) {
  ASSERT_TRUE(WorkState::Open(files_, Path("work"), "one")->Finish("profile", 1).ok());
  const auto other = WorkState::Open(files_, Path("work"), "two");
  EXPECT_THAT(other.status().message(), HasSubstr("another request"));
  Put("work/state.json", "{\"request\": ");
  EXPECT_FALSE(WorkState::Open(files_, Path("work"), "one").ok());
}

}  // namespace
}  // namespace hone::compress
