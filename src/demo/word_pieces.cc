#include "demo/word_pieces.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>

namespace hone::demo {
namespace {

// As BERT's pre-tokenizer splits ASCII: runs of letters and digits, and single marks.
template <typename Use>
void ForEachToken(const std::string& word, Use&& use) {
  for (std::size_t begin = 0; begin < word.size();) {
    std::size_t end = begin;
    while (end < word.size() && std::isalnum(static_cast<unsigned char>(word[end])) != 0) ++end;
    if (end == begin) ++end;
    use(word.substr(begin, end - begin));
    begin = end;
  }
}

using Counts = std::map<std::string, int>;

// Texts by falling count, then by text.
std::vector<std::string> Ranked(const Counts& counts, int least) {
  std::vector<std::pair<int, std::string>> order;
  for (const auto& [text, count] : counts) {
    if (count >= least) order.emplace_back(-count, text);
  }
  std::ranges::sort(order);
  std::vector<std::string> texts;
  for (auto& [count, text] : order) texts.push_back(std::move(text));
  return texts;
}

}  // namespace

std::vector<std::string> MakeWordPieces(std::span<const eval::Example> commands, std::size_t size) {
  constexpr std::size_t kShortest = 2, kLongest = 5;
  Counts words, pieces;
  for (const eval::Example& command : commands) {
    for (const std::string& word : command.words) {
      ForEachToken(word, [&](const std::string& token) { ++words[token]; });
    }
  }
  for (const auto& [word, count] : words) {
    for (std::size_t begin = 0; begin < word.size(); ++begin) {
      for (std::size_t n = kShortest; n <= kLongest && begin + n <= word.size(); ++n) {
        const std::string piece = (begin == 0 ? "" : "##") + word.substr(begin, n);
        pieces[piece] += static_cast<int>(n) - 1;
      }
    }
  }

  std::vector<std::string> vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  std::set<std::string> have;
  const auto add = [&](const std::string& token) {
    if (vocabulary.size() < size && have.insert(token).second) vocabulary.push_back(token);
  };
  for (char c = '!'; c <= '~'; ++c) {
    if (std::isupper(static_cast<unsigned char>(c)) == 0) add(std::string(1, c));
  }
  for (const char c : std::string("abcdefghijklmnopqrstuvwxyz0123456789")) {
    add(std::string("##") + c);
  }
  const std::size_t for_words =
      vocabulary.size() + (size - std::min(size, vocabulary.size())) / 6 * 5;
  for (const std::string& word : Ranked(words, 2)) {
    if (vocabulary.size() < for_words) add(word);
  }
  for (const std::string& piece : Ranked(pieces, 1)) add(piece);
  return vocabulary;
}

}  // namespace hone::demo
