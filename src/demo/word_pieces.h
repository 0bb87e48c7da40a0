// A WordPiece vocabulary made from text, by counting.
//
//   1. [PAD] [UNK] [CLS] [SEP] [MASK], then every letter, digit and mark, at the start of a word
//      and within ("##e"): no word in ASCII is unknown.
//   2. Whole words that occur at least twice, the most frequent first, up to five in six of the
//      rest.
//   3. Beginnings ("re") and continuations ("##ing") of two to five letters, by occurrences in
//      distinct words × (length - 1), which is about what each saves in tokens: they are for
//      names, slips of typing and words nobody foresaw.
// Ties go by the text, so that the same sentences give the same vocabulary.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/example.h"

namespace hone::demo {

std::vector<std::string> MakeWordPieces(std::span<const eval::Example> commands, std::size_t size);

}  // namespace hone::demo
