// Which level each block of a model gets, so that the whole keeps a latency and loses least.
//
// Given, per block, options of known time and prior error, and a budget T:
//
//   minimise Σ_b Σ_t c_b,t · error_b,o(b),t   subject to   Σ_b ms_b,o(b) ≤ T
//
// by dynamic programming over T in kBuckets; times are rounded up to buckets, so whatever it gives
// keeps the budget. The terms t of an error are what removal costs and, where there is a choice of
// number formats, what rounding costs each matrix, so that a matrix may turn out to matter while its
// block does not. The sensitivities c are what is searched: random vectors first, then a climb that
// draws each anew with a small probability, and keeps what lowers the loss of the real model. So
// every candidate meets the target, and only accuracy is searched.
//
// Source  Frantar, Alistarh: SPDY (ICML 2022), as ZipLM (arXiv 2302.04089) section 3.2 uses it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "compress/block_format.h"

namespace hone::compress {

inline constexpr int kBuckets = 10'000;

// What a block may become.
struct BlockOption {
  int level = 0;  // index into its BlockSnapshots::levels
  BlockFormat format;
  double ms = 0;
  std::vector<double> errors;  // priors, one a term; as many in every option of every block
};

// An index into each block's options.
using Choice = std::vector<int>;

double TotalMs(std::span<const std::vector<BlockOption>> blocks, const Choice& choice);

// How many sensitivities there are: one a block and term.
std::size_t SensitivityCount(std::span<const std::vector<BlockOption>> blocks);

// The best choice, or nothing where even the fastest options exceed the budget. `sensitivities` are
// ≥ 0, those of a block's terms one after the other.
std::optional<Choice> SolveBudget(std::span<const std::vector<BlockOption>> blocks,
                                  std::span<const double> sensitivities, double budget_ms);

// The loss of the model that a choice stands for.
using EvaluateChoice = std::function<base::StatusOr<double>(const Choice&)>;

struct SearchOptions {
  int candidates = 300;       // losses that may be computed
  int random_starts = 10;     // of them, before climbing
  double resample = 0.1;      // probability of a sensitivity to be drawn anew
  int patience = 80;          // steps of the climb without a better one, then it stops
  std::vector<double> start;  // sensitivities to begin from, tried first; empty: all equal
  std::uint64_t seed = 1;
  std::function<bool()> stop;  // out of time; may be empty
  // A candidate was evaluated; may be empty.
  std::function<void(int done, double loss, const Choice&)> progress;
};

struct SearchResult {
  Choice choice;
  std::vector<double> sensitivities;
  double loss = 0;
  int candidates = 0;  // losses computed; a choice met again costs none
};

// NotFound where no choice keeps the budget; the first error of `evaluate` otherwise.
base::StatusOr<SearchResult> SearchBudget(std::span<const std::vector<BlockOption>> blocks,
                                          double budget_ms, const EvaluateChoice& evaluate,
                                          const SearchOptions& options);

}  // namespace hone::compress
