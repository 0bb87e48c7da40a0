#include "demo/commands.h"

#include <set>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "demo/grammar.h"
#include "demo/speech.h"

namespace hone::demo {
namespace {

// One in nine: as a microphone in a room hears much that is not for it.
constexpr double kOutOfScopeShare = 0.11;
constexpr std::string_view kOutOfScope = "out_of_scope";
// Nobody tells a car more in one breath.
constexpr std::size_t kMostWords = 28;

const Intent& PickIntent(const Grammar& grammar, Random& random) {
  if (random.Chance(kOutOfScopeShare)) {
    for (const Intent& intent : grammar.intents) {
      if (intent.name == kOutOfScope) return intent;
    }
  }
  return random.Pick(grammar.intents);
}

eval::Example ToExample(const Words& words, const std::string& intent) {
  eval::Example example;
  example.intent = intent;
  for (const Word& word : words) {
    example.words.push_back(word.text);
    example.tags.push_back(word.Tag());
  }
  return example;
}

// Adds every sentence to `seen`. Sentences of a split made before are left out; within one they may
// come again, as "pause" does in life.
std::vector<eval::Example> MakeSplit(std::uint64_t seed, Split split, int count,
                                     std::set<std::string>* seen) {
  // Streams of their own, and training comes last: a larger training set begins with the smaller,
  // and the others are the same beside it.
  Random random(seed * kSplits + static_cast<std::uint64_t>(split));
  const Grammar& grammar = TheGrammar();
  Expander expander(grammar, split, random);
  Speech speech(grammar, split, random);
  std::vector<eval::Example> commands;
  std::set<std::string> own;
  while (commands.size() < static_cast<std::size_t>(count)) {
    const Intent& intent = PickIntent(grammar, random);
    Words words = expander.Expand(expander.ChooseTemplate(intent));
    if (words.empty()) continue;
    speech.Disturb(&words);
    if (words.size() > kMostWords) continue;
    std::string sentence;
    for (const Word& word : words) base::StrAppend(&sentence, word.text, " ");
    if (seen->contains(sentence)) continue;
    own.insert(std::move(sentence));
    commands.push_back(ToExample(words, intent.name));
  }
  seen->merge(own);
  return commands;
}

}  // namespace

CommandSet MakeCommands(std::uint64_t seed, const Counts& counts) {
  std::set<std::string> seen;
  CommandSet set;
  set.test = MakeSplit(seed, Split::kTest, counts.test, &seen);
  set.dev = MakeSplit(seed, Split::kDev, counts.dev, &seen);
  set.train = MakeSplit(seed, Split::kTrain, counts.train, &seen);
  return set;
}

std::string ToJsonLines(std::span<const eval::Example> commands) {
  std::string lines;
  for (const eval::Example& command : commands) {
    base::JsonWriter json;
    json.BeginObject().Key("words").BeginArray();
    for (const std::string& word : command.words) json.String(word);
    json.EndArray().Key("tags").BeginArray();
    for (const std::string& tag : command.tags) json.String(tag);
    json.EndArray().Key("intent").String(command.intent).EndObject();
    lines += json.Take();
    lines += '\n';
  }
  return lines;
}

std::vector<std::string> IntentNames() {
  std::vector<std::string> names;
  for (const Intent& intent : TheGrammar().intents) names.push_back(intent.name);
  return names;
}

std::vector<std::string> TagNames() {
  // Only what stands in braces in a template is a slot; other values are parts of phrases.
  std::set<std::string> slots;
  for (const Intent& intent : TheGrammar().intents) {
    for (const std::string& pattern : intent.patterns) {
      for (std::size_t at = pattern.find('{'); at != std::string::npos;
           at = pattern.find('{', at + 1)) {
        slots.insert(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
      }
    }
  }
  std::vector<std::string> names = {"O"};
  for (const std::string& slot : slots) {
    names.push_back("B-" + slot);
    names.push_back("I-" + slot);
  }
  return names;
}

}  // namespace hone::demo
