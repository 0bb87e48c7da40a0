#include "demo/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "demo/baseline.h"
#include "demo/grammar.h"
#include "demo/mishearings.h"
#include "demo/speech.h"
#include "demo/word_pieces.h"
#include "eval/tasks.h"
#include "formats/sha256.h"
#include "text/tokenizer.h"

namespace hone::demo {
namespace {

using testing::Contains;
using testing::ElementsAre;

// The set that the shipped assistant was trained on.
const CommandSet& Shipped() {
  static const CommandSet set = MakeCommands(1, {});
  return set;
}

std::string Sentence(const eval::Example& command) {
  return base::Join(command.words, " ");
}

Words Fill(const std::string& pattern, Split split = Split::kTrain, std::uint64_t seed = 1) {
  Random random(seed);
  return Expander(TheGrammar(), split, random).Expand(pattern);
}

std::vector<std::string> Texts(const Words& words) {
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back(word.text);
  return texts;
}

TEST(Random, IsThePublishedSequence) {
  Random random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
}

TEST(Grammar, ExpandsAlternativesOptionsValuesAndNumbers) {
  EXPECT_THAT(
      Texts(Fill("turn (on|on) [(it|it)|it] now")),
      testing::AnyOf(ElementsAre("turn", "on", "now"), ElementsAre("turn", "on", "it", "now")));
  const Words number = Fill("<7..7>");
  EXPECT_THAT(Texts(number), testing::AnyOf(ElementsAre("7"), ElementsAre("seven")));
  const Words words = Fill("heat the {room}");
  ASSERT_GE(words.size(), 3u);
  EXPECT_EQ(words[1].Tag(), "O");
  EXPECT_EQ(words[2].Tag(), "B-room");
  for (std::size_t i = 3; i < words.size(); ++i) EXPECT_EQ(words[i].Tag(), "I-room");
  for (const Word& word : Fill("<room>")) EXPECT_EQ(word.Tag(), "O");
}

TEST(Grammar, EnumeratesAPatternsTemplates) {
  EXPECT_THAT(AllTemplates("go [to|(up|down) the] {room}"),
              ElementsAre("go {room}", "go to {room}", "go up the {room}", "go down the {room}"));
}

TEST(Grammar, HasWhatItsPatternsName) {
  const Grammar& grammar = TheGrammar();
  EXPECT_GE(grammar.intents.size(), 40u);
  EXPECT_EQ(IntentNames().size(), grammar.intents.size());
  // Every pattern of every split can be expanded; a name that nothing defines is a CHECK.
  for (const Split split : {Split::kTrain, Split::kDev, Split::kTest}) {
    for (const Intent& intent : grammar.intents) {
      for (const std::string& pattern : intent.patterns) {
        for (std::uint64_t seed = 0; seed < 8; ++seed) Fill(pattern, split, seed);
      }
    }
    for (const auto& [name, values] : grammar.slots) {
      for (const std::string& pattern : values.Of(split)) Fill(pattern, split);
    }
  }
}

TEST(Commands, AreTheSameBytesForTheSameSeed) {
  const std::string bytes =
      ToJsonLines(Shipped().train) + ToJsonLines(Shipped().dev) + ToJsonLines(Shipped().test);
  // Of what the assistant under demo/assistant learnt from and was tested on. Whoever changes the
  // grammar trains it anew (demo/train) and writes down the new hash.
  EXPECT_EQ(formats::Sha256Hex(std::as_bytes(std::span(bytes))),
            "b459392b4170c7894dcd62b55873bbb396b60a1c832b6744e7fcbcef9ac8e2a3");
  const CommandSet less = MakeCommands(1, {.train = 100, .dev = 2000, .test = 2000});
  EXPECT_EQ(ToJsonLines(less.train), ToJsonLines(std::span(Shipped().train).first(100)));
  EXPECT_EQ(ToJsonLines(less.test), ToJsonLines(Shipped().test));
  const CommandSet other = MakeCommands(2, {.train = 50, .dev = 5, .test = 5});
  EXPECT_NE(Sentence(other.train[0]), Sentence(Shipped().train[0]));
}

TEST(Commands, HaveEveryIntentInEverySplitAndATagAWord) {
  const std::vector<std::string> names = TagNames();
  const std::set<std::string> tags(names.begin(), names.end());
  for (const auto* split : {&Shipped().train, &Shipped().dev, &Shipped().test}) {
    std::set<std::string> intents;
    for (const eval::Example& command : *split) {
      intents.insert(command.intent);
      ASSERT_EQ(command.words.size(), command.tags.size());
      ASSERT_FALSE(command.words.empty());
      std::string before = "O";
      for (std::size_t i = 0; i < command.tags.size(); ++i) {
        const std::string& tag = command.tags[i];
        EXPECT_FALSE(command.words[i].empty());
        ASSERT_TRUE(tags.contains(tag)) << Sentence(command);
        // What continues, continues the same slot.
        if (tag.starts_with("I-")) {
          EXPECT_EQ(before.substr(1), tag.substr(1)) << Sentence(command);
        }
        before = tag;
      }
    }
    EXPECT_EQ(intents.size(), IntentNames().size());
  }
}

TEST(Commands, ShareNoTemplateAndNoSentenceAmongSplits) {
  std::map<std::string, std::set<Split>> of_template;
  Random random(3);
  for (const Split split : {Split::kTrain, Split::kDev, Split::kTest}) {
    Expander expander(TheGrammar(), split, random);
    for (const Intent& intent : TheGrammar().intents) {
      for (int i = 0; i < 100; ++i) of_template[expander.ChooseTemplate(intent)].insert(split);
    }
  }
  EXPECT_GT(of_template.size(), 2000u);
  for (const auto& [chosen, splits] : of_template) EXPECT_EQ(splits.size(), 1u) << chosen;

  std::set<std::string> train;
  for (const eval::Example& command : Shipped().train) train.insert(Sentence(command));
  for (const auto* split : {&Shipped().dev, &Shipped().test}) {
    for (const eval::Example& command : *split) {
      EXPECT_FALSE(train.contains(Sentence(command))) << Sentence(command);
    }
  }
}

TEST(Speech, KeepsTheMeaningAndDisturbsAboutAsOftenAsItSays) {
  Random random(5);
  Speech speech(TheGrammar(), Split::kTrain, random);
  Expander expander(TheGrammar(), Split::kTrain, random);
  int same = 0;
  constexpr int kCommands = 2000;
  for (int i = 0; i < kCommands; ++i) {
    Words words = expander.Expand("dim the {light} in the {room} to {level}");
    const std::vector<std::string> before = Texts(words);
    speech.Disturb(&words);
    same += Texts(words) == before;
    // However it is said, three things are.
    EXPECT_EQ(std::ranges::count_if(words, [](const Word& word) { return word.begins; }), 3)
        << base::Join(Texts(words), " ");
  }
  EXPECT_GT(same, kCommands / 4);
  EXPECT_LT(same, kCommands / 2);
  EXPECT_THAT(MishearingsOf("four"), ElementsAre("for"));
  EXPECT_TRUE(MishearingsOf("chandelier").empty());
}

TEST(WordPieces, KnowFrequentWordsAndSpellOutTheRest) {
  const std::vector<std::string> vocabulary = MakeWordPieces(Shipped().train, 2048);
  ASSERT_EQ(vocabulary.size(), 2048u);
  EXPECT_EQ(std::set<std::string>(vocabulary.begin(), vocabulary.end()).size(), 2048u);
  EXPECT_THAT(vocabulary, Contains("kitchen"));
  const auto tokenizer =
      text::Tokenizer::FromWordPieceVocab(base::Join(vocabulary, "\n"), "vocab.txt", true);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  std::size_t words = 0, tokens = 0;
  for (const eval::Example& command : Shipped().test) {
    text::Encoding encoding;
    (*tokenizer)->Encode(Sentence(command), {.add_special_tokens = false}, &encoding);
    words += command.words.size();
    tokens += encoding.ids.size();
    for (const std::int32_t id : encoding.ids) {
      ASSERT_NE((*tokenizer)->Token(id), "[UNK]") << Sentence(command);
    }
  }
  EXPECT_LT(static_cast<double>(tokens) / static_cast<double>(words), 1.25);
}

}  // namespace
}  // namespace hone::demo
