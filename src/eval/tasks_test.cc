#include "eval/tasks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/labels.h"

namespace hone::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

base::StatusOr<Examples> Read(std::string_view task, std::string_view bytes,
                              std::string_view path = "dev.tsv", const ReadOptions& options = {}) {
  return ReadExamples(**FindTask(task), bytes, path, options);
}

std::string Error(const base::StatusOr<Examples>& examples) {
  EXPECT_FALSE(examples.ok());
  return examples.status().message();
}

TEST(Tasks, AreThoseOfTheCommand) {
  std::vector<std::string_view> names;
  for (const Task& task : Tasks()) names.push_back(task.name);
  EXPECT_THAT(names, ElementsAre("sst2", "mrpc", "stsb", "qqp", "qnli", "mnli", "rte", "cola",
                                 "squad", "squad_v2", "ner", "intent_slots"));
  EXPECT_THAT(FindTask("sst3").status().message(), HasSubstr("sst2, mrpc"));
}

TEST(ReadTable, FindsColumnsByNameBehindAByteOrderMark) {
  const auto examples = Read("mrpc",
                             "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
                             "1\t7\t8\tHe said \"no\" .\tNo .\r\n"
                             "0\t9\t10\tx\ty");
  ASSERT_TRUE(examples.ok()) << examples.status();
  ASSERT_EQ(examples->items.size(), 2u);
  EXPECT_EQ(examples->items[0].label, 1);
  EXPECT_EQ(examples->items[0].text, "He said \"no\" .");
  EXPECT_EQ(examples->items[0].pair(), "No .");
  EXPECT_EQ(examples->items[1].label, 0);
}

TEST(ReadTable, ReadsBothLayoutsOfStsb) {
  for (const char* bytes :
       {"main\tMSRvid\t2012\t0000\t4.750\tA man.\tA woman.\nx\ty\tz\t1\t5\ta\tb\tsource\tsource\n",
        "index\tgenre\tsentence1\tsentence2\tscore\n0\tmain\tA man.\tA woman.\t4.75\n"}) {
    const auto examples = Read("stsb", bytes);
    ASSERT_TRUE(examples.ok()) << examples.status();
    EXPECT_EQ(examples->items[0].score, 4.75);
    EXPECT_EQ(examples->items[0].text, "A man.");
    EXPECT_EQ(examples->items[0].pair(), "A woman.");
  }
}

TEST(ReadTable, ReadsTheOtherGlueLayouts) {
  EXPECT_EQ(Read("cola", "gj04\t0\t*\tThem it hurts.\n")->items[0].text, "Them it hurts.");
  EXPECT_EQ(Read("qqp", "1\t2\t3\tWhat?\tWho?\t1\n")->items[0].label, 1);
  EXPECT_EQ(
      Read("qqp", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhat?\tWho?\t0")
          ->items[0]
          .pair(),
      "Who?");
  EXPECT_EQ(
      Read("qnli", "index\tquestion\tsentence\tlabel\n0\tq\ts\tnot_entailment\n")->items[0].label,
      1);
  EXPECT_EQ(
      Read("rte", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n")->items[0].label, 0);
  EXPECT_EQ(Read("mnli",
                 "index\tsentence1\tsentence2\tlabel1\tgold_label\n0\ta\tb\tneutral\t"
                 "contradiction\n")
                ->items[0]
                .label,
            2);
}

TEST(ReadTable, SaysWhereABadFileIsBad) {
  EXPECT_EQ(Error(Read("sst2", "")), "dev.tsv: the file is empty");
  EXPECT_EQ(Error(Read("sst2", "sentence\tlabel\n")), "dev.tsv: there are no examples in it");
  EXPECT_EQ(Error(Read("sst2", "sentence\tgold\nfine\t1\n")),
            "dev.tsv:1: no column \"label\"; the header has sentence, gold");
  EXPECT_EQ(Error(Read("sst2", "sentence\tlabel\nfine\t1\nbad\n")),
            "dev.tsv:3: 1 tab-separated fields, expected 2");
  EXPECT_EQ(Error(Read("sst2", "sentence\tlabel\nfine\t2\n")),
            "dev.tsv:2: unknown label \"2\"; expected negative, positive or its index from 0");
  EXPECT_EQ(Error(Read("sst2", "sentence\tlabel\nfine\t1\n\nfine\t1\n")),
            "dev.tsv:3: a blank line between rows");
  EXPECT_EQ(Error(Read("stsb", "g\tf\ty\t1\tnan\ta\tb\n")),
            "dev.tsv:1: the score \"nan\" is not a number");
  EXPECT_EQ(Error(Read("cola", "a\t1\n")),
            "dev.tsv:1: 2 tab-separated fields, expected at least 4");
}

TEST(ReadTable, SkipsBadRowsWhenAskedAndCountsThem) {
  const ReadOptions skip{.columns = "", .skip_bad_rows = true};
  const auto examples = Read("sst2", "sentence\tlabel\na\t1\nb\nc\t7\nd\t0\n", "dev.tsv", skip);
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_EQ(examples->items.size(), 2u);
  EXPECT_EQ(examples->skipped, 2u);
  EXPECT_THAT(examples->first_skipped, HasSubstr("dev.tsv:3"));
  EXPECT_THAT(Error(Read("sst2", "sentence\tlabel\na\n", "dev.tsv", skip)), HasSubstr("every row"));
}

TEST(Columns, MapAnyTable) {
  const auto named =
      Read("sst2", "y\tignored\tx\n1\t-\tgood\n", "d.tsv", {"text=x,label=y", false});
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->items[0].text, "good");
  const auto numbered = Read("sst2", "1\t-\tgood\n", "d.tsv", {"text=2,label=0", false});
  ASSERT_TRUE(numbered.ok()) << numbered.status();
  EXPECT_EQ(numbered->items[0].text, "good");
  EXPECT_THAT(Error(Read("sst2", "1\tx\n", "d.tsv", {"text=1", false})), HasSubstr("label"));
  EXPECT_THAT(Error(Read("sst2", "1\n", "d.tsv", {"txt=1", false})), HasSubstr("unknown role"));
  EXPECT_THAT(Error(Read("sst2", "1\n", "d.tsv", {"text", false})), HasSubstr("role=column"));
  EXPECT_THAT(Error(Read("sst2", "1\n", "d.tsv", {"text=1,text=2", false})), HasSubstr("twice"));
  EXPECT_THAT(Error(Read("squad", "{}", "d.json", {"text=0,pair=1,answers=2", false})),
              HasSubstr("JSON lines"));
}

TEST(ReadJsonLines, TakesLabelsAsNamesAndIndices) {
  const auto examples = Read("mnli",
                             R"({"premise":"a","hypothesis":"b","label":2})"
                             "\n\n"
                             R"({"premise":"c","hypothesis":"d","label":"Neutral"})",
                             "dev.jsonl");
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_EQ(examples->items[0].label, 2);
  EXPECT_EQ(examples->items[1].label, 1);
  EXPECT_EQ(examples->items[1].pair(), "d");
}

TEST(ReadJsonLines, SaysWhereABadFileIsBad) {
  EXPECT_THAT(
      Error(Read("sst2", "{\"sentence\":\"a\",\"label\":1}\n{\"sentence\":\"a\"", "x.jsonl")),
      HasSubstr("x.jsonl:2"));
  EXPECT_THAT(Error(Read("sst2", "{\"sentence\":\"a\"}", "x.jsonl")), HasSubstr("label"));
  EXPECT_THAT(Error(Read("sst2", "{\"sentence\":\"a\",\"label\":-1}", "x.jsonl")),
              HasSubstr("x.jsonl:1: $.label: unknown label \"-1\""));
  EXPECT_THAT(Error(Read("sst2", "[1]", "x.jsonl")), HasSubstr("expected an object"));
  EXPECT_THAT(Error(Read("stsb", R"({"sentence1":"a","sentence2":"b","label":1e999})", "x.jsonl")),
              HasSubstr("x.jsonl:1"));
  EXPECT_THAT(Error(Read("ner", R"({"tokens":["a","b"],"tags":["O"]})", "x.jsonl")),
              HasSubstr("1 tags for 2 words"));
}

TEST(ReadSquad, SharesContextsAndKnowsImpossibleQuestions) {
  const char* bytes = R"({"data":[{"title":"t","paragraphs":[{"context":"C","qas":[
    {"id":"1","question":"Q1","answers":[{"text":"C","answer_start":0}]},
    {"id":"2","question":"Q2","is_impossible":true,"answers":[]}]}]}]})";
  const auto examples = Read("squad_v2", bytes, "dev.json");
  ASSERT_TRUE(examples.ok()) << examples.status();
  ASSERT_EQ(examples->items.size(), 2u);
  EXPECT_EQ(examples->items[0].text, "Q1");
  EXPECT_THAT(examples->items[0].answers, ElementsAre("C"));
  EXPECT_TRUE(examples->items[1].answers.empty());
  EXPECT_EQ(examples->items[0].second, examples->items[1].second);
}

TEST(ReadSquad, TurnsTheAnswersPlaceIntoBytes) {
  const char* bytes = R"({"data":[{"paragraphs":[{"context":"größer is größer","qas":[
    {"id":"1","question":"Q","answers":[{"text":"größer","answer_start":10}]},
    {"id":"2","question":"Q","answers":[{"text":"größer","answer_start":9}]},
    {"id":"3","question":"Q","answers":[{"text":"größer","answer_start":99}]},
    {"id":"4","question":"Q","answers":[{"text":"größer"}]}]}]}]})";
  const auto examples = Read("squad", bytes, "dev.json");
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_EQ(examples->items[0].answer_begin, 12);
  EXPECT_EQ(examples->items[1].answer_begin, -1) << "it does not stand there";
  EXPECT_EQ(examples->items[2].answer_begin, -1);
  EXPECT_EQ(examples->items[3].answer_begin, -1);
}

TEST(ReadSquad, SaysWhereABadFileIsBad) {
  EXPECT_THAT(Error(Read("squad", "{\"data\":3}", "d.json")),
              HasSubstr("$.data: expected an array"));
  EXPECT_THAT(Error(Read("squad", "{\"data\":[]}", "d.json")), HasSubstr("no examples"));
  EXPECT_THAT(
      Error(Read("squad", R"({"data":[{"paragraphs":[{"context":"c","qas":[{"id":"1"}]}]}]})",
                 "d.json")),
      HasSubstr("d.json: $.data[0].paragraphs[0].qas[0]"));
  EXPECT_THAT(Error(Read("squad", "not json", "d.json")), HasSubstr("d.json"));
}

TEST(ReadSquad, TakesHuggingFaceJsonLinesToo) {
  const auto examples =
      Read("squad", R"({"id":"1","question":"Q","context":"C","answers":{"text":["x","y"]}})",
           "dev.jsonl");
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_THAT(examples->items[0].answers, ElementsAre("x", "y"));
}

TEST(ReadConll, SplitsSentencesAtBlankLines) {
  const auto examples = Read("ner",
                             "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n"
                             "German\tJJ\tB-NP\tB-MISC\n",
                             "dev.txt");
  ASSERT_TRUE(examples.ok()) << examples.status();
  ASSERT_EQ(examples->items.size(), 2u);
  EXPECT_THAT(examples->items[0].words, ElementsAre("EU", "rejects"));
  EXPECT_THAT(examples->items[0].tags, ElementsAre("B-ORG", "O"));
  const auto chunks = Read("ner", "EU NNP B-NP B-ORG\n", "dev.txt", {"words=0,tags=2", false});
  EXPECT_THAT(chunks->items[0].tags, ElementsAre("B-NP"));
}

TEST(ReadConll, SaysWhereABadFileIsBad) {
  EXPECT_THAT(Error(Read("ner", "EU B-ORG\nword\n", "d.txt")), HasSubstr("d.txt:2: 1 columns"));
  EXPECT_THAT(Error(Read("ner", "EU ORG\n", "d.txt")), HasSubstr("d.txt:1: unknown label \"ORG\""));
  EXPECT_EQ(Read("ner", "EU ORG\nx O\n\nb O\n", "d.txt", {"", true})->items.size(), 1u);
}

TEST(ReadIntentSlots, TakesJsonLinesWhateverTheFileIsCalled) {
  const auto examples = Read("intent_slots",
                             R"({"words":["dim","the","lamp"],"tags":["O","O","B-device"],)"
                             R"("intent":"lights_dim"})",
                             "dev.txt");
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_EQ(examples->items[0].intent, "lights_dim");
  EXPECT_THAT(examples->items[0].tags, ElementsAre("O", "O", "B-device"));
  const auto mapped = Read("intent_slots", R"({"w":["hi"],"t":["O"],"i":"greet"})", "dev.jsonl",
                           {"words=w,tags=t,intent=i", false});
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  EXPECT_EQ(mapped->items[0].intent, "greet");
}

TEST(ReadIntentSlots, SaysWhereABadFileIsBad) {
  EXPECT_THAT(Error(Read("intent_slots", R"({"words":["a"],"tags":["O"]})", "x.jsonl")),
              HasSubstr("x.jsonl:1: $: lacks the field \"intent\""));
  EXPECT_THAT(Error(Read("intent_slots", R"({"words":["a"],"tags":["O"],"intent":""})", "x.jsonl")),
              HasSubstr("the intent is empty"));
  EXPECT_THAT(Error(Read("intent_slots", "dim the lamp\n", "x.txt")), HasSubstr("x.txt:1"));
  EXPECT_THAT(Error(Read("intent_slots", "{}", "x.jsonl", {"words=w,tags=t", false})),
              HasSubstr("needs a column for intent"));
}

TEST(MapModelLabels, GoesByNameOrByTheUnnamedClassesIndex) {
  constexpr std::string_view kLabels[] = {"entailment", "neutral", "contradiction"};
  EXPECT_THAT(
      *MapModelLabels(kLabels, std::vector<std::string>{"CONTRADICTION", "NEUTRAL", "ENTAILMENT"}),
      ElementsAre(2, 1, 0));
  EXPECT_THAT(*MapModelLabels(kLabels, std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2"}),
              ElementsAre(0, 1, 2));
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"entailment", "neutral"},
        {"entailment", "neutral", "neutral"},
        {"entailment", "neutral", "other"},
        {"entailment", "neutral", "contradiction", "contradiction"}}) {
    EXPECT_THAT(MapModelLabels(kLabels, wrong).status().message(),
                HasSubstr("entailment, neutral, contradiction"));
  }
}

}  // namespace
}  // namespace hone::eval
