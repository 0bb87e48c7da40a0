// Post-processing against transformers' own pipelines (tools/golden/tasks.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/json.h"
#include "env/file.h"
#include "runtime/tasks/fill_mask.h"
#include "runtime/tasks/joint.h"
#include "runtime/tasks/question_answering.h"
#include "runtime/tasks/scores.h"
#include "runtime/tasks/sequence_classification.h"
#include "runtime/tasks/token_classification.h"

namespace hone::runtime {
namespace {

using base::JsonValue;

// The originals compute in f32; the goldens keep seven decimals.
constexpr double kTolerance = 2e-6;

base::Json Golden(const std::string& name) {
  const std::string path = std::string(HONE_SOURCE_DIR "/tests/golden/tasks/") + name;
  const auto text = env::RealFileSystem().Read(path, 1 << 20);
  EXPECT_TRUE(text.ok()) << text.status();
  auto json = base::Json::Parse(*text, path);
  EXPECT_TRUE(json.ok()) << json.status();
  return *std::move(json);
}

template <typename T>
std::vector<T> Numbers(const JsonValue& list) {
  std::vector<T> out;
  for (const JsonValue item : list) out.push_back(static_cast<T>(*item.Double()));
  return out;
}

std::vector<std::string> Texts(const JsonValue& list) {
  std::vector<std::string> out;
  for (const JsonValue item : list) out.emplace_back(*item.String());
  return out;
}

std::vector<text::Span> Spans(const JsonValue& list) {
  std::vector<text::Span> out;
  for (const JsonValue item : list) {
    const auto ends = Numbers<std::uint32_t>(item);
    out.push_back({ends[0], ends[1]});
  }
  return out;
}

TEST(SequenceClassification, ScoresLabelsLikeThePipeline) {
  const base::Json golden = Golden("classification.json");
  for (const JsonValue c : JsonValue(*golden.root().Get("cases"))) {
    const std::string problem(*c.Get("problem")->String());
    const auto logits = Numbers<float>(*c.Get("logits"));
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < logits.size(); ++i) labels.push_back(base::StrCat("L", i));
    const model::ProblemType type = problem == "regression" ? model::ProblemType::kRegression
                                    : problem.starts_with("multi")
                                        ? model::ProblemType::kMultiLabel
                                        : model::ProblemType::kSingleLabel;
    const auto scored = ScoreLabels(logits, labels, ScoreFunctionOf(type), 0);
    std::size_t i = 0;
    for (const JsonValue expected : JsonValue(*c.Get("scores"))) {
      ASSERT_LT(i, scored.size());
      EXPECT_EQ(scored[i].label, *expected.At(0)->String());
      EXPECT_NEAR(scored[i].score, *expected.At(1)->Double(), kTolerance);
      ++i;
    }
    EXPECT_EQ(i, scored.size());
    EXPECT_EQ(ScoreLabels(logits, labels, ScoreFunctionOf(type), 1).size(), 1u);
  }
}

TEST(FillMask, RanksTokensLikeThePipeline) {
  const base::Json golden = Golden("fill_mask.json");
  for (const JsonValue c : JsonValue(*golden.root().Get("cases"))) {
    const auto targets = Numbers<std::int32_t>(*c.Get("targets"));
    const auto tokens = FillMask(Numbers<float>(*c.Get("logits")), 5, targets);
    std::size_t i = 0;
    for (const JsonValue expected : JsonValue(*c.Get("tokens"))) {
      ASSERT_LT(i, tokens.size());
      EXPECT_EQ(tokens[i].token, *expected.At(0)->Int());
      EXPECT_NEAR(tokens[i].score, *expected.At(1)->Double(), kTolerance);
      ++i;
    }
    EXPECT_EQ(i, tokens.size());
  }
}

TEST(TokenClassification, FindsEntitiesLikeThePipeline) {
  const base::Json golden = Golden("token_classification.json");
  const std::vector<std::string> labels = Texts(*golden.root().Get("labels"));
  int entities_seen = 0;
  for (const JsonValue c : JsonValue(*golden.root().Get("cases"))) {
    const std::string text(*c.Get("text")->String());
    const std::vector<std::string> tokens = Texts(*c.Get("tokens"));
    const std::vector<std::string_view> token_views(tokens.begin(), tokens.end());
    const std::vector<text::Span> offsets = Spans(*c.Get("offsets"));
    const auto sequence = Numbers<std::int8_t>(*c.Get("sequence"));
    const auto logits = Numbers<float>(*c.Get("logits"));
    const std::vector<std::uint8_t> continues = ContinuesWord(
        token_views, offsets, text, *c.Get("word_pieces")->Bool(), *c.Get("unknown")->String());
    const TokenLogits input{text, logits, offsets, sequence, continues};
    for (const JsonValue expected : JsonValue(*c.Get("entities"))) {
      const auto aggregation = ParseAggregation(expected.key());
      ASSERT_TRUE(aggregation.ok()) << aggregation.status();
      const std::string what = base::StrCat(expected.key(), " of \"", text, "\"");
      const std::vector<Entity> entities = FindEntities(input, labels, *aggregation);
      std::size_t i = 0;
      for (const JsonValue entity : expected) {
        ASSERT_LT(i, entities.size()) << what;
        EXPECT_EQ(entities[i].label, *entity.At(0)->String()) << what;
        EXPECT_NEAR(entities[i].score, *entity.At(1)->Double(), kTolerance) << what;
        EXPECT_EQ(entities[i].span.begin, *entity.At(2)->Int()) << what;
        EXPECT_EQ(entities[i].span.end, *entity.At(3)->Int()) << what;
        ++i;
      }
      EXPECT_EQ(i, entities.size()) << what;
      entities_seen += static_cast<int>(i);
    }
  }
  EXPECT_GT(entities_seen, 100);
  EXPECT_FALSE(ParseAggregation("median").ok());
}

TEST(TokenClassification, MergesOverlapsLikeThePipeline) {
  const base::Json golden = Golden("token_classification.json");
  for (const JsonValue c : JsonValue(*golden.root().Get("overlaps"))) {
    const auto read = [&](std::string_view name) {
      std::vector<Entity> entities;
      for (const JsonValue item : JsonValue(*c.Get(name))) {
        const auto values = Numbers<double>(item);
        Entity& entity = entities.emplace_back();
        entity.span = {static_cast<std::uint32_t>(values[0]),
                       static_cast<std::uint32_t>(values[1])};
        entity.score = static_cast<float>(values[2]);
      }
      return entities;
    };
    const std::vector<Entity> merged = MergeOverlapping(read("in")), expected = read("out");
    ASSERT_EQ(merged.size(), expected.size());
    for (std::size_t i = 0; i < merged.size(); ++i) {
      EXPECT_EQ(merged[i].span, expected[i].span);
      EXPECT_EQ(merged[i].score, expected[i].score);
    }
  }
  EXPECT_TRUE(MergeOverlapping({}).empty());
}

TEST(QuestionAnswering, FindsAnswersLikeThePipeline) {
  const base::Json golden = Golden("question_answering.json");
  for (const JsonValue c : JsonValue(*golden.root().Get("cases"))) {
    const std::string context(*c.Get("context")->String());
    struct Stored {
      std::vector<float> logits;
      std::vector<text::Span> offsets;
      std::vector<std::int8_t> sequence;
      std::vector<std::int32_t> word;
    };
    std::vector<Stored> stored;
    for (const JsonValue w : JsonValue(*c.Get("windows"))) {
      stored.push_back({Numbers<float>(*w.Get("logits")), Spans(*w.Get("offsets")),
                        Numbers<std::int8_t>(*w.Get("sequence")),
                        Numbers<std::int32_t>(*w.Get("word"))});
    }
    std::vector<AnswerWindow> windows;
    for (const Stored& w : stored) windows.push_back({w.logits, w.offsets, w.sequence, w.word});
    ASSERT_GE(windows.size(), 2u);
    for (const JsonValue result : JsonValue(*c.Get("results"))) {
      const JsonValue stated = *result.Get("options");
      const AnswerOptions options{
          .count = static_cast<int>(*stated.Get("count")->Int()),
          .max_answer_tokens = static_cast<int>(*stated.Get("max_answer_tokens")->Int()),
          .allow_no_answer = *stated.Get("allow_no_answer")->Bool(),
          .whole_words = *stated.Get("whole_words")->Bool()};
      const std::vector<Answer> answers = FindAnswers(windows, context, options);
      std::size_t i = 0;
      for (const JsonValue expected : JsonValue(*result.Get("answers"))) {
        ASSERT_LT(i, answers.size());
        EXPECT_EQ(answers[i].text, *expected.At(0)->String());
        EXPECT_NEAR(answers[i].score, *expected.At(1)->Double(), kTolerance);
        EXPECT_EQ(answers[i].span.begin, *expected.At(2)->Int());
        EXPECT_EQ(answers[i].span.end, *expected.At(3)->Int());
        ++i;
      }
      EXPECT_EQ(i, answers.size());
    }
    std::vector<int> sizes;
    for (const TokenWindow& w : SplitWindows(static_cast<int>(*c.Get("context_tokens")->Int()),
                                             static_cast<int>(*c.Get("room")->Int()),
                                             static_cast<int>(*c.Get("stride")->Int()))) {
      sizes.push_back(w.end - w.begin);
    }
    EXPECT_EQ(sizes, Numbers<int>(*c.Get("window_sizes")));
  }
}

TEST(QuestionAnswering, SaysNothingWhereNoTokenIsOfTheContext) {
  const std::vector<float> logits = {3, 3, 1, 1};
  const std::vector<text::Span> offsets(2);
  const std::vector<std::int8_t> sequence = {-1, 0};
  const std::vector<std::int32_t> word = {-1, 0};
  const AnswerWindow window{logits, offsets, sequence, word};
  EXPECT_TRUE(FindAnswers({&window, 1}, "", {}).empty());
  const std::vector<Answer> none = FindAnswers({&window, 1}, "", {.allow_no_answer = true});
  ASSERT_EQ(none.size(), 1u);
  EXPECT_DOUBLE_EQ(none[0].score, 1);
}

TEST(QuestionAnswering, KeepsTheBestOfAllSpans) {
  constexpr std::size_t kTokens = 40;
  std::string context;
  std::vector<text::Span> offsets(kTokens);
  std::vector<std::int8_t> sequence(kTokens, -1);
  std::vector<std::int32_t> word(kTokens, -1);
  std::vector<float> logits(2 * kTokens);
  std::mt19937 random(5);
  for (std::size_t t = 1; t < kTokens; ++t) {
    sequence[t] = t < 4 || t == 20 ? 0 : 1;
    const auto begin = static_cast<std::uint32_t>(context.size());
    context += std::to_string(1000 + t);  // no two spans read the same
    offsets[t] = {begin, begin + 4};
    // Few values, so that equal scores are many; only equal pairs of them have equal sums.
    logits[2 * t] = static_cast<float>(random() % 4);
    logits[2 * t + 1] = static_cast<float>(random() % 2) * 8;
  }
  const AnswerWindow window{logits, offsets, sequence, word};
  for (const int longest : {1, 5, 1000}) {
    const auto score = [&](std::size_t b, std::size_t e) {
      return logits[2 * b] + logits[2 * e + 1];
    };
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    for (std::size_t b = 1; b < kTokens; ++b) {
      for (std::size_t e = b; e < std::min(kTokens, b + static_cast<std::size_t>(longest)); ++e) {
        if (sequence[b] == 1 && sequence[e] == 1) spans.emplace_back(b, e);
      }
    }
    std::ranges::stable_sort(spans, [&](const auto& a, const auto& b) {
      return score(a.first, a.second) > score(b.first, b.second);
    });
    const std::vector<Answer> answers = FindAnswers(
        {&window, 1}, context, {.count = 25, .max_answer_tokens = longest, .whole_words = false});
    ASSERT_EQ(answers.size(), std::min<std::size_t>(25, spans.size()));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(answers[i].span.begin, offsets[spans[i].first].begin) << longest << ": " << i;
      EXPECT_EQ(answers[i].span.end, offsets[spans[i].second].end) << longest << ": " << i;
    }
  }
}

TEST(QuestionAnswering, SplitsIntoWindowsThatShareTheStride) {
  using Windows = std::vector<TokenWindow>;
  EXPECT_EQ(SplitWindows(0, 4, 1), (Windows{{0, 0}}));
  EXPECT_EQ(SplitWindows(4, 4, 1), (Windows{{0, 4}}));
  EXPECT_EQ(SplitWindows(5, 4, 1), (Windows{{0, 4}, {3, 5}}));
  EXPECT_EQ(SplitWindows(10, 4, 2), (Windows{{0, 4}, {2, 6}, {4, 8}, {6, 10}}));
}

TEST(Joint, GivesTheIntentAndWholeWordSlots) {
  const std::vector<std::string> intents = {"play", "stop"};
  const std::vector<std::string> slots = {"O", "B-song", "I-song"};
  const std::string_view text = "play yesterday now";
  const std::vector<text::Span> offsets = {{0, 0}, {0, 4}, {5, 9}, {9, 14}, {15, 18}, {0, 0}};
  const std::vector<std::int8_t> sequence = {-1, 0, 0, 0, 0, -1};
  const std::vector<std::uint8_t> continues = {0, 0, 0, 1, 0, 0};
  const std::vector<float> slot_logits = {9, 0, 0, 5, 0, 0, 0, 5, 0,   // "yester" begins a song,
                                          5, 0, 0, 0, 0, 4, 9, 0, 0};  // whatever "day" says
  const JointResult result = ReadJoint(std::vector<float>{1, 3}, intents,
                                       {text, slot_logits, offsets, sequence, continues}, slots);
  EXPECT_EQ(result.intent.label, "stop");
  EXPECT_NEAR(result.intent.score, 1 / (1 + std::exp(-2.0)), 1e-6);
  ASSERT_EQ(result.slots.size(), 1u);
  EXPECT_EQ(result.slots[0].label, "song");
  EXPECT_EQ(result.slots[0].span, (text::Span{5, 18}));
  EXPECT_EQ(result.slots[0].first_token, 2);
  EXPECT_EQ(result.slots[0].last_token, 4);
}

TEST(Scores, CosineIsOfDirectionsAlone) {
  EXPECT_NEAR(Cosine(std::vector<float>{3, 4}, std::vector<float>{30, 40}), 1, 1e-15);
  EXPECT_NEAR(Cosine(std::vector<float>{3, 4}, std::vector<float>{4, 3}), 0.96, 1e-15);
  EXPECT_DOUBLE_EQ(Cosine(std::vector<float>{1, 0}, std::vector<float>{0, -2}), 0);
  EXPECT_DOUBLE_EQ(Cosine(std::vector<float>{0, 0}, std::vector<float>{1, 2}), 0);
}

TEST(Scores, StayFiniteAtExtremeLogits) {
  const std::vector<float> p = Softmax(std::vector<float>{1e30f, -1e30f, 1e30f});
  EXPECT_FLOAT_EQ(p[0], 0.5f);
  EXPECT_FLOAT_EQ(p[1], 0);
  EXPECT_FLOAT_EQ(Sigmoid(-1e30f), 0);
  EXPECT_FLOAT_EQ(Sigmoid(1e30f), 1);
  EXPECT_EQ(TopIndices(std::vector<float>{1, 3, 3, 2}, 3), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(TopIndices(std::vector<float>{1}, 9), (std::vector<int>{0}));
}

}  // namespace
}  // namespace hone::runtime
