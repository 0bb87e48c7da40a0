#include "demo/grammar.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/fnv1a.h"
#include "base/strings.h"
#include "demo/grammar/texts.h"

namespace hone::demo {
namespace {

// How often a development or test value is one that training never has.
constexpr double kHeldOutValue = 0.12;
// How often an open slot of training is given an invented name.
constexpr double kInventedName = 0.2;

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool Opens(char c) {
  return c == '(' || c == '[';
}
bool Closes(char c) {
  return c == ')' || c == ']';
}

// The parts of `text` between separators that stand in no bracket.
std::vector<std::string_view> SplitOutside(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += Opens(text[i]) - Closes(text[i]);
    if (depth == 0 && text[i] == separator) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  HONE_CHECK(depth == 0);
  parts.push_back(text.substr(begin));
  return parts;
}

// The position of what closes the bracket at `open`.
std::size_t Closing(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    depth += Opens(text[i]) - Closes(text[i]);
    if (depth == 0) return i;
  }
  HONE_CHECK(false);
  return text.size();
}

Split SplitOf(char mark) {
  HONE_CHECK(mark == '-' || mark == '?' || mark == '!');
  return mark == '-' ? Split::kTrain : mark == '?' ? Split::kDev : Split::kTest;
}

std::string NumberInWords(int number) {
  static constexpr std::string_view kSmall[] = {
      "zero",     "one",     "two",     "three",     "four",     "five",    "six",
      "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  static constexpr std::string_view kTens[] = {"",      "",      "twenty",  "thirty", "forty",
                                               "fifty", "sixty", "seventy", "eighty", "ninety"};
  HONE_CHECK(number >= 0 && number < 1000);
  const auto at = static_cast<std::size_t>(number);
  if (number < 20) return std::string(kSmall[at]);
  if (number < 100) {
    std::string words(kTens[at / 10]);
    if (number % 10 != 0) base::StrAppend(&words, " ", kSmall[at % 10]);
    return words;
  }
  std::string words = base::StrCat(kSmall[at / 100], " hundred");
  if (number % 100 != 0) base::StrAppend(&words, " ", NumberInWords(number % 100));
  return words;
}

void AppendWords(std::string_view text, Words* words) {
  while (!(text = Trim(text)).empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words->push_back({std::string(text.substr(0, end)), "", false});
    text.remove_prefix(end);
  }
}

}  // namespace

void ReadGrammar(std::string_view text, Grammar* grammar) {
  Intent* intent = nullptr;
  SlotValues* slot = nullptr;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    if (line.starts_with("@intent ")) {
      intent = &grammar->intents.emplace_back();
      intent->name = line.substr(8);
      slot = nullptr;
    } else if (line.starts_with("@values ")) {
      std::string_view name = line.substr(8);
      const bool open = name.ends_with(" open");
      if (open) name.remove_suffix(5);
      slot = &grammar->slots[std::string(name)];
      slot->open = open;
    } else if (slot != nullptr) {
      for (const std::string_view pattern : SplitOutside(line.substr(2), ',')) {
        slot->patterns[static_cast<std::size_t>(SplitOf(line[0]))].emplace_back(Trim(pattern));
      }
    } else {
      HONE_CHECK(intent != nullptr && line.starts_with("- "));
      intent->patterns.emplace_back(line.substr(2));
    }
  }
}

std::vector<std::string> AllTemplates(std::string_view pattern) {
  std::vector<std::string> all = {""};
  while (!(pattern = Trim(pattern)).empty()) {
    std::size_t end = std::min(pattern.find_first_of(" (["), pattern.size());
    std::vector<std::string> endings;
    if (Opens(pattern[0])) {
      end = Closing(pattern, 0);
      if (pattern[0] == '[') endings.emplace_back();
      for (const std::string_view choice : SplitOutside(pattern.substr(1, end - 1), '|')) {
        for (std::string& ending : AllTemplates(choice)) endings.push_back(std::move(ending));
      }
      ++end;
    } else {
      endings.emplace_back(pattern.substr(0, end));
    }
    std::vector<std::string> longer;
    for (const std::string& beginning : all) {
      for (const std::string& ending : endings) {
        const bool space = !beginning.empty() && !ending.empty();
        longer.push_back(base::StrCat(beginning, space ? " " : "", ending));
      }
    }
    all = std::move(longer);
    pattern.remove_prefix(end);
  }
  return all;
}

void ShareOutTemplates(Grammar* grammar) {
  // Of patterns with few templates all are training's: without them nobody could know the others.
  constexpr std::size_t kFew = 4;
  std::map<std::string, Split> split_of;
  for (const Intent& intent : grammar->intents) {
    for (const std::string& pattern : intent.patterns) {
      const std::vector<std::string> all = AllTemplates(pattern);
      if (all.size() >= kFew) continue;
      for (const std::string& chosen : all) split_of[chosen] = Split::kTrain;
    }
  }
  for (Intent& intent : grammar->intents) {
    std::map<std::uint64_t, std::string> by_hash;
    for (const std::string& pattern : intent.patterns) {
      for (const std::string& chosen : AllTemplates(pattern)) {
        if (!split_of.contains(chosen)) by_hash[base::Fnv1a(chosen)] = chosen;
      }
    }
    int rank = 0;
    for (const auto& [hash, chosen] : by_hash) {
      const int part = rank++ % 8;
      split_of[chosen] = part == 1 ? Split::kDev : part == 2 ? Split::kTest : Split::kTrain;
    }
    for (const std::string& pattern : intent.patterns) {
      std::array<std::vector<std::string>, kSplits> of_split;
      for (std::string& chosen : AllTemplates(pattern)) {
        const auto split = static_cast<std::size_t>(split_of.at(chosen));
        if (!chosen.empty()) of_split[split].push_back(std::move(chosen));
      }
      for (std::size_t split = 0; split < of_split.size(); ++split) {
        if (of_split[split].empty()) continue;
        intent.templates[split].push_back(std::move(of_split[split]));
      }
    }
  }
}

const Grammar& TheGrammar() {
  static const Grammar grammar = [] {
    Grammar whole;
    for (const char* text : {kCarGrammar, kMediaGrammar, kHomeGrammar, kOrganiserGrammar,
                             kOutOfScopeGrammar, kValueGrammar}) {
      ReadGrammar(text, &whole);
    }
    ShareOutTemplates(&whole);
    return whole;
  }();
  return grammar;
}

std::string Word::Tag() const {
  return slot.empty() ? "O" : base::StrCat(begins ? "B-" : "I-", slot);
}

Words Expander::Expand(std::string_view pattern) {
  Words words;
  Append(pattern, &words);
  return words;
}

Words Expander::Value(std::string_view slot, bool tagged) {
  const auto found = grammar_.slots.find(slot);
  HONE_CHECK(found != grammar_.slots.end());
  Words words;
  if (found->second.open && split_ == Split::kTrain && random_.Chance(kInventedName)) {
    AppendInvented(&words);
  } else {
    Append(PickValue(found->second), &words);
  }
  for (std::size_t i = 0; tagged && i < words.size(); ++i) {
    words[i].slot = slot;
    words[i].begins = i == 0;
  }
  return words;
}

const std::string& Expander::PickValue(const SlotValues& values) {
  const std::vector<std::string>& own = values.Of(split_);
  if (split_ != Split::kTrain && !own.empty() && random_.Chance(kHeldOutValue)) {
    return random_.Pick(own);
  }
  return random_.Pick(values.Of(Split::kTrain));
}

std::string Expander::Choose(std::string_view pattern) {
  std::string chosen;
  AppendChoice(pattern, &chosen);
  return chosen;
}

const std::string& Expander::ChooseTemplate(const Intent& intent) {
  return random_.Pick(random_.Pick(intent.templates[static_cast<std::size_t>(split_)]));
}

void Expander::AppendChoice(std::string_view pattern, std::string* chosen) {
  while (!(pattern = Trim(pattern)).empty()) {
    std::size_t end = 0;
    if (Opens(pattern[0])) {
      end = Closing(pattern, 0);
      if (pattern[0] == '(' || random_.Chance(0.5)) {
        AppendChoice(random_.Pick(SplitOutside(pattern.substr(1, end - 1), '|')), chosen);
      }
      ++end;
    } else {
      end = std::min(pattern.find_first_of(" (["), pattern.size());
      base::StrAppend(chosen, chosen->empty() ? "" : " ", pattern.substr(0, end));
    }
    pattern.remove_prefix(end);
  }
}

void Expander::Append(std::string_view pattern, Words* words) {
  const std::string chosen = Choose(pattern);
  for (std::string_view rest = chosen; !(rest = Trim(rest)).empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view part = rest.substr(0, end);
    if (part[0] == '{') {
      HONE_CHECK(part.back() == '}');
      for (Word& word : Value(part.substr(1, end - 2), true)) words->push_back(std::move(word));
    } else if (part[0] == '<') {
      HONE_CHECK(part.back() == '>');
      AppendReference(part.substr(1, end - 2), words);
    } else {
      words->push_back({std::string(part), "", false});
    }
    rest.remove_prefix(end);
  }
}

void Expander::AppendReference(std::string_view name, Words* words) {
  if (name == "clock") {
    const int minute = random_.Between(0, 11) * 5;
    const int hour = random_.Between(1, 12);
    AppendWords(base::StrCat(hour, minute < 10 ? ":0" : ":", minute), words);
    return;
  }
  if (const std::size_t dots = name.find(".."); dots != std::string_view::npos) {
    int low = 0, high = 0;
    std::from_chars(name.data(), name.data() + dots, low);
    std::from_chars(name.data() + dots + 2, name.data() + name.size(), high);
    AppendNumber(low, high, words);
    return;
  }
  for (Word& word : Value(name, false)) words->push_back(std::move(word));
}

void Expander::AppendNumber(int low, int high, Words* words) {
  const int number = random_.Between(low, high);
  AppendWords(random_.Chance(0.5) ? NumberInWords(number) : base::StrCat(number), words);
}

void Expander::AppendInvented(Words* words) {
  static constexpr std::string_view kOnsets[] = {"b",  "br", "c", "d", "f", "g",  "h",
                                                 "k",  "l",  "m", "n", "p", "r",  "s",
                                                 "st", "t",  "v", "w", "z", "tr", "sh"};
  static constexpr std::string_view kRimes[] = {"a",  "e",  "i",   "o",   "u",  "an", "er",
                                                "in", "or", "ell", "ard", "is", "on", "ey"};
  const int count = random_.Between(1, 3);
  for (int w = 0; w < count; ++w) {
    std::string word;
    const int syllables = random_.Between(1, 3);
    for (int i = 0; i < syllables; ++i) {
      // Two statements: the order in which a call's arguments are evaluated is the compiler's.
      word += kOnsets[random_.Below(std::size(kOnsets))];
      word += kRimes[random_.Below(std::size(kRimes))];
    }
    words->push_back({std::move(word), "", false});
  }
}

}  // namespace hone::demo
