#include "eval/task_text.h"

namespace hone::eval {

std::string JoinWords(std::span<const std::string> words, std::vector<std::uint32_t>* begins) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    if (begins != nullptr) begins->push_back(static_cast<std::uint32_t>(text.size()));
    text += word;
  }
  return text;
}

}  // namespace hone::eval
