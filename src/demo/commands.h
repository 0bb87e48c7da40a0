// The data set: labelled commands in three splits, from one seed.
//
//   CommandSet set = MakeCommands(1, {.train = 24000, .dev = 2000, .test = 2000});
//   env.WriteFile("train.jsonl", ToJsonLines(set.train));
//
// The same seed gives the same bytes on every machine. The three splits have no template in common,
// and no sentence of one stands in a later one; see grammar.h for values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/example.h"

namespace hone::demo {

struct Counts {
  int train = 24000, dev = 2000, test = 2000;
};

// Examples with words, tags and intent.
struct CommandSet {
  std::vector<eval::Example> train, dev, test;
};

CommandSet MakeCommands(std::uint64_t seed, const Counts& counts);

// {"words":[…],"tags":[…],"intent":"…"}, one a line.
std::string ToJsonLines(std::span<const eval::Example> commands);

// Names in the order of their class: intents as in the grammar, then "O" and each slot's B and I.
std::vector<std::string> IntentNames();
std::vector<std::string> TagNames();

}  // namespace hone::demo
