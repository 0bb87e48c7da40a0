// What a speech recogniser takes words for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hone::demo {

// Each of one word or more; empty where the word is always understood.
const std::vector<std::string>& MishearingsOf(std::string_view word);

}  // namespace hone::demo
