#include "demo/speech.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "demo/mishearings.h"

namespace hone::demo {
namespace {

using Phrases = std::vector<std::string>;

// Phrases of everyone, and those that only the development and test sets have.
struct PhraseSet {
  Phrases everyone, held_out;
  const std::string& Pick(Split split, Random& random) const {
    return random.Pick(split != Split::kTrain && random.Chance(0.1) ? held_out : everyone);
  }
};

const PhraseSet& WakeWords() {
  static const PhraseSet set = {
      {"hey hone", "okay hone", "hone", "hey assistant", "hello", "okay", "hi there"},
      {"good morning hone", "hey you", "listen"}};
  return set;
}
const PhraseSet& Requests() {
  static const PhraseSet set = {
      {"please", "can you", "could you", "could you please", "would you", "can you please",
       "i want you to", "i need you to", "you can", "just", "will you", "now"},
      {"would you mind to", "be so kind and", "i'd like you to", "would it be possible to"}};
  return set;
}
const PhraseSet& Endings() {
  static const PhraseSet set = {
      {"please", "thanks", "thank you", "now", "right now", "for me", "will you"},
      {"if you don't mind", "as soon as you can", "would you", "cheers"}};
  return set;
}
const PhraseSet& Corrections() {
  static const PhraseSet set = {
      {"no", "no wait", "i mean", "sorry", "uh no", "wait no", "no i mean", "sorry i meant"},
      {"or rather", "scratch that", "actually no", "not that"}};
  return set;
}
const PhraseSet& Fillers() {
  static const PhraseSet set = {{"uh", "um", "like", "you know", "well", "er", "hm"},
                                {"ehm", "let's see", "so"}};
  return set;
}

// Words that begin a question or a statement, before which "could you please" would be no English.
bool IsNoRequest(const std::string& first) {
  static const Phrases words = {"what",  "what's", "how", "how's", "is",   "are",   "when",
                                "who",   "which",  "i",   "i'm",   "my",   "the",   "it",
                                "it's",  "we",     "do",  "did",   "has",  "have",  "why",
                                "where", "there",  "can", "could", "will", "would", "should",
                                "no",    "not",    "you", "he",    "she"};
  return std::ranges::find(words, first) != words.end();
}

void Insert(std::size_t at, Words phrase, Words* words) {
  words->insert(words->begin() + static_cast<std::ptrdiff_t>(at),
                std::make_move_iterator(phrase.begin()), std::make_move_iterator(phrase.end()));
}

// True where something can be said before word `at` without splitting a slot's value.
bool IsBoundary(const Words& words, std::size_t at) {
  return at == words.size() || words[at].slot.empty() || words[at].begins;
}

// The word's text becomes that of several, which all belong to what it belonged to.
void Replace(std::size_t at, const Words& parts, Words* words) {
  const Word whole = (*words)[at];
  words->erase(words->begin() + static_cast<std::ptrdiff_t>(at));
  Words tagged;
  for (const Word& part : parts) {
    tagged.push_back({part.text, whole.slot, whole.begins && tagged.empty()});
  }
  Insert(at, std::move(tagged), words);
}

}  // namespace

void Speech::Disturb(Words* words) {
  if (random_.Chance(0.06)) CorrectAValue(words);
  if (random_.Chance(0.02)) BeginFalsely(words);
  if (random_.Chance(0.35)) AddPoliteness(words);
  if (random_.Chance(0.12)) Hesitate(words);
  if (random_.Chance(0.04)) Repeat(words);
  if (random_.Chance(0.13)) Mishear(words);
  if (random_.Chance(0.05)) DropAWord(words);
  if (random_.Chance(0.04)) JoinOrTear(words);
  if (random_.Chance(0.05)) Mistype(words);
}

void Speech::AddPoliteness(Words* words) {
  if (random_.Chance(0.35)) {
    Insert(words->size(), expander_.Expand(Endings().Pick(split_, random_)), words);
  }
  if (random_.Chance(0.5) && !IsNoRequest(words->front().text)) {
    Insert(0, expander_.Expand(Requests().Pick(split_, random_)), words);
  }
  if (random_.Chance(0.4)) {
    Insert(0, expander_.Expand(WakeWords().Pick(split_, random_)), words);
  }
}

// "in the kitchen" → "in the office no wait the kitchen"
void Speech::CorrectAValue(Words* words) {
  std::vector<std::size_t> values;
  for (std::size_t i = 0; i < words->size(); ++i) {
    // A message and a chore are whole sentences: who corrects one starts it anew.
    const std::string& slot = (*words)[i].slot;
    if ((*words)[i].begins && slot != "message" && slot != "chore") values.push_back(i);
  }
  if (values.empty()) return;
  const std::size_t at = random_.Pick(values);
  Words said = expander_.Value((*words)[at].slot, false);
  for (Word& word : expander_.Expand(Corrections().Pick(split_, random_))) {
    said.push_back(std::move(word));
  }
  if (at > 0 && (*words)[at - 1].slot.empty() && random_.Chance(0.4)) {
    said.push_back((*words)[at - 1]);
  }
  Insert(at, std::move(said), words);
}

// The beginning of some other command: "play the no turn on the lights".
void Speech::BeginFalsely(Words* words) {
  const Intent& other = random_.Pick(grammar_.intents);
  Words said = expander_.Expand(random_.Pick(other.patterns));
  const auto count = static_cast<std::size_t>(random_.Between(1, 3));
  if (said.size() > count) said.resize(count);
  for (Word& word : said) word = {word.text, "", false};
  for (Word& word : expander_.Expand(Corrections().Pick(split_, random_))) {
    said.push_back(std::move(word));
  }
  Insert(0, std::move(said), words);
}

void Speech::Hesitate(Words* words) {
  for (int i = random_.Between(1, 2); i > 0; --i) {
    const std::size_t at = random_.Below(words->size() + 1);
    if (IsBoundary(*words, at)) {
      Insert(at, expander_.Expand(Fillers().Pick(split_, random_)), words);
    }
  }
}

// One word, or two, said twice; a slot's value would be two values.
void Speech::Repeat(Words* words) {
  const std::size_t at = random_.Below(words->size());
  const std::size_t count = std::min<std::size_t>(words->size() - at, random_.Chance(0.3) ? 2 : 1);
  Words again(words->begin() + static_cast<std::ptrdiff_t>(at),
              words->begin() + static_cast<std::ptrdiff_t>(at + count));
  if (std::ranges::all_of(again, [](const Word& word) { return word.slot.empty(); })) {
    Insert(at, std::move(again), words);
  }
}

void Speech::Mishear(Words* words) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < words->size(); ++i) {
    if (!MishearingsOf((*words)[i].text).empty()) places.push_back(i);
  }
  if (places.empty()) return;
  const std::size_t at = random_.Pick(places);
  Replace(at, expander_.Expand(random_.Pick(MishearingsOf((*words)[at].text))), words);
}

// Short words that carry little are what recognisers lose.
void Speech::DropAWord(Words* words) {
  static const Phrases kLight = {"the", "a",  "to", "in", "on", "of",  "my", "is", "for",
                                 "me",  "it", "i",  "at", "an", "are", "do", "up", "by"};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < words->size(); ++i) {
    const Word& word = (*words)[i];
    if (word.slot.empty() && std::ranges::find(kLight, word.text) != kLight.end()) {
      places.push_back(i);
    }
  }
  if (places.empty() || words->size() < 3) return;
  words->erase(words->begin() + static_cast<std::ptrdiff_t>(random_.Pick(places)));
}

void Speech::JoinOrTear(Words* words) {
  constexpr std::size_t kLongJoined = 11, kLongEnoughToTear = 7;
  const std::size_t at = random_.Below(words->size());
  Word& word = (*words)[at];
  if (word.text.size() >= kLongEnoughToTear && random_.Chance(0.5)) {
    const auto cut =
        static_cast<std::size_t>(random_.Between(3, static_cast<int>(word.text.size()) - 3));
    const Words parts = {{word.text.substr(0, cut), "", false}, {word.text.substr(cut), "", false}};
    Replace(at, parts, words);
  } else if (at + 1 < words->size()) {
    Word& next = (*words)[at + 1];
    if (next.slot != word.slot || next.begins ||
        word.text.size() + next.text.size() > kLongJoined) {
      return;
    }
    word.text += next.text;
    words->erase(words->begin() + static_cast<std::ptrdiff_t>(at + 1));
  }
}

void Speech::Mistype(Words* words) {
  std::string& text = (*words)[random_.Below(words->size())].text;
  constexpr std::size_t kLongEnough = 4;
  if (text.size() < kLongEnough) return;
  const std::size_t at = 1 + random_.Below(text.size() - 2);
  switch (random_.Below(4)) {
    case 0: std::swap(text[at], text[at + 1]); break;
    case 1: text.erase(at, 1); break;
    case 2: text.insert(at, 1, text[at]); break;
    default: text[at] = static_cast<char>('a' + random_.Below(26)); break;
  }
}

}  // namespace hone::demo
