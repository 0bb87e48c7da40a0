// Names and expressions that select modules.
//
// Expressions are RE2's, which is linear in time and bounded in memory whatever somebody writes; it
// has no look-ahead and no back-references.  Source  https://github.com/google/re2/wiki/Syntax
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::compress {

// A name is always fine; what follows "re:" must be an expression of at most 512 bytes.
base::Status CheckPattern(std::string_view pattern);

// For each module whether the pattern is its name, or matches the whole of it. All false for an
// expression that is none.
std::vector<bool> Matches(std::string_view pattern, const std::vector<std::string>& modules);

}  // namespace hone::compress
