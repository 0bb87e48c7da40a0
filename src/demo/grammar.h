// The grammar of spoken commands: intents with templates, slots with values.
//
// Texts (grammar/*.cc) are lines:
//   @intent light_on          begins an intent; its patterns follow, "- " before each
//   @values room [open]       begins the values of a slot, commas between them:
//   - …                       of every split
//   ? …                       of the development set alone
//   ! …                       of the test set alone
//
// A template is a pattern whose alternatives are chosen: "dim the {light} to {level}". Templates
// are shared out among the splits in the order of a hash, three in four of an intent's to training;
// so no split has a template of another. Patterns with few templates are training's alone.
//
// Patterns
//   words              themselves
//   (a|b c|)           one of
//   [x] [a|b]          x or nothing; one of them or nothing
//   {room}             a value of the slot, tagged with it
//   <room>             a value, not tagged
//   <16..28>           a number, in digits or in words
//   <clock>            a time in digits, "7:30"
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "demo/random.h"

namespace hone::demo {

enum class Split : std::uint8_t { kTrain, kDev, kTest };
inline constexpr int kSplits = 3;

struct Intent {
  std::string name;
  std::vector<std::string> patterns;
  // By Split, then by pattern, without the patterns that have none there.
  std::array<std::vector<std::vector<std::string>>, kSplits> templates;
};

struct SlotValues {
  std::array<std::vector<std::string>, kSplits> patterns;  // by Split; training's are everyone's
  bool open = false;                                       // names of which there are always more

  const std::vector<std::string>& Of(Split split) const {
    return patterns[static_cast<std::size_t>(split)];
  }
};

struct Grammar {
  std::vector<Intent> intents;  // in the order of the texts
  std::map<std::string, SlotValues, std::less<>> slots;
};

// Every way to choose a pattern's alternatives.
std::vector<std::string> AllTemplates(std::string_view pattern);

// Fills in Intent::templates.
void ShareOutTemplates(Grammar* grammar);

// The project's own, read once. A mistake in its texts is a HONE_CHECK.
const Grammar& TheGrammar();

// Adds the lines of a text.
void ReadGrammar(std::string_view text, Grammar* grammar);

struct Word {
  std::string text;
  std::string slot;     // empty: outside
  bool begins = false;  // the first word of its slot's value

  // "O", "B-room" or "I-room".
  std::string Tag() const;
};

using Words = std::vector<Word>;

// Patterns to words. In training an open slot sometimes gets an invented name, so that a model
// learns to go by what stands around it.
class Expander {
 public:
  Expander(const Grammar& grammar, Split split, Random& random)
      : grammar_(grammar), split_(split), random_(random) {}

  Words Expand(std::string_view pattern);
  // The pattern with its alternatives chosen: a template.
  std::string Choose(std::string_view pattern);
  // A template of the intent that belongs to the split: a pattern by chance, then one of its own.
  const std::string& ChooseTemplate(const Intent& intent);
  // A value of a slot; tagged or not.
  Words Value(std::string_view slot, bool tagged);

 private:
  void AppendChoice(std::string_view pattern, std::string* chosen);
  void Append(std::string_view pattern, Words* words);
  void AppendReference(std::string_view name, Words* words);
  void AppendNumber(int low, int high, Words* words);
  void AppendInvented(Words* words);
  const std::string& PickValue(const SlotValues& values);

  const Grammar& grammar_;
  const Split split_;
  Random& random_;
};

}  // namespace hone::demo
