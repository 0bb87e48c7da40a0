// What somebody probably meant to type.
#pragma once

#include <string_view>
#include <vector>

namespace hone::base {

// Fewest insertions, deletions and replacements of one byte. Source  Wagner, Fischer 1974.
int EditDistance(std::string_view a, std::string_view b);

// The name nearest to `word`; empty where none is within a third of its length (at least 2).
std::string_view Closest(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace hone::base
