// How the cores may be split among executors. Every split there is has its executors from the start;
// one split is in force at a time, and the others' executors sleep.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::planner {

struct Layouts {
  std::vector<int> widths;               // threads of an executor: each that occurs, ascending
  std::vector<int> threads;              // of each executor
  std::vector<std::vector<int>> splits;  // executors of each split, as indices into `threads`

  // Threads stay each on a processor of its own: where the layouts have all that the process may use.
  bool pinned = false;

  int FirstCore(int executor) const;           // of its threads, within its split; -1: not pinned
  int WidthIndex(int executor) const;          // into `widths`
  std::vector<int> WidthsOf(int split) const;  // of its executors
  // The split whose executors have these widths, in any order; -1: none.
  int Find(std::vector<int> split_widths) const;
};

// Of these splits, in their order: the threads of each executor.
Layouts LayoutsOf(const std::vector<std::vector<int>>& splits);

// `split` empty: one executor of all `cores`, two of a half, …, one a core (ChooseSplit has the
// same ones); the first is the widest.
// Otherwise that split alone. Errors: widths below 1, or more than the cores together.
base::StatusOr<Layouts> MakeLayouts(int cores, const std::vector<int>& split);

// Threads of each executor, as people write them: "1,1", "4"; each 1 to 1024, at most 1024 of them. None of
// "auto".
base::StatusOr<std::vector<int>> ParseSplit(std::string_view text);

}  // namespace hone::planner
