#include "base/closest.h"

#include <algorithm>
#include <numeric>

namespace hone::base {

int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string_view Closest(std::string_view word, const std::vector<std::string_view>& names) {
  // Typing errors are short, and far-off texts are not worth their product in time.
  if (word.size() > 64) return {};
  std::string_view best;
  int distance = std::max(2, static_cast<int>(word.size()) / 3) + 1;
  for (std::string_view name : names) {
    const int d = EditDistance(word, name);
    if (d < distance && d < static_cast<int>(name.size())) {
      distance = d;
      best = name;
    }
  }
  return best;
}

}  // namespace hone::base
