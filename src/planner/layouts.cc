#include "planner/layouts.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/strings.h"

namespace hone::planner {
int Layouts::FirstCore(int executor) const {
  if (!pinned) return -1;
  for (const std::vector<int>& split : splits) {
    int core = 0;
    for (const int other : split) {
      if (other == executor) return core;
      core += threads[static_cast<std::size_t>(other)];
    }
  }
  return -1;
}

int Layouts::WidthIndex(int executor) const {
  const auto found = std::ranges::lower_bound(widths, threads[static_cast<std::size_t>(executor)]);
  return static_cast<int>(found - widths.begin());
}

std::vector<int> Layouts::WidthsOf(int split) const {
  std::vector<int> result;
  for (const int executor : splits[static_cast<std::size_t>(split)]) {
    result.push_back(threads[static_cast<std::size_t>(executor)]);
  }
  return result;
}

int Layouts::Find(std::vector<int> split_widths) const {
  std::ranges::sort(split_widths);
  for (int i = 0; i < static_cast<int>(splits.size()); ++i) {
    std::vector<int> mine = WidthsOf(i);
    std::ranges::sort(mine);
    if (mine == split_widths) return i;
  }
  return -1;
}

Layouts LayoutsOf(const std::vector<std::vector<int>>& splits) {
  Layouts layouts;
  for (const std::vector<int>& widths : splits) {
    std::vector<int>& executors = layouts.splits.emplace_back();
    for (const int width : widths) {
      executors.push_back(static_cast<int>(layouts.threads.size()));
      layouts.threads.push_back(width);
    }
  }
  layouts.widths = layouts.threads;
  std::ranges::sort(layouts.widths);
  layouts.widths.erase(std::unique(layouts.widths.begin(), layouts.widths.end()),
                       layouts.widths.end());
  return layouts;
}

base::StatusOr<Layouts> MakeLayouts(int cores, const std::vector<int>& split) {
  if (!split.empty()) {
    if (std::ranges::min(split) < 1 ||
        std::accumulate(split.begin(), split.end(), std::int64_t{0}) > cores) {
      return base::BadInput("\"", base::Join(split, ","),
                            "\": expected executors of at least one thread each, together at most ",
                            cores);
    }
    return LayoutsOf({split});
  }
  // 6 cores: 6, 3 and 3, 1 a core. What is left over makes narrower executors: 5 cores are 2, 2, 1.
  std::vector<int> widths;
  for (int parts = 1; parts < cores; parts *= 2) widths.push_back(cores / parts);
  widths.push_back(1);
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  std::vector<std::vector<int>> splits;
  for (auto widest = widths.begin(); widest != widths.end(); ++widest) {
    std::vector<int>& executors = splits.emplace_back();
    int rest = cores;
    for (auto width = widest; width != widths.end(); ++width) {
      for (; *width <= rest; rest -= *width) executors.push_back(*width);
    }
  }
  return LayoutsOf(splits);
}

base::StatusOr<std::vector<int>> ParseSplit(std::string_view text) {
  constexpr int kMaxThreads = 1024;
  std::vector<int> widths;
  if (text == "auto") return widths;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (bool more = true; more;) {
    int width = 0;
    const auto [rest, error] = std::from_chars(at, end, width);
    more = rest != end && *rest == ',';
    if (error != std::errc() || (rest != end && !more) || width < 1 || width > kMaxThreads ||
        widths.size() == kMaxThreads) {
      return base::BadInput("\"", text,
                            "\": expected threads of each executor, such as 1,1 or 4, or auto");
    }
    widths.push_back(width);
    at = rest + (more ? 1 : 0);
  }
  return widths;
}

}  // namespace hone::planner
