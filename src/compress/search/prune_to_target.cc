#include "compress/search/prune_to_target.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.h"

namespace hone::compress {
namespace {

using base::StatusOr;
using quant::Format;

// Relative error |Wx - Q(W)x|² / |Wx|² that rounding adds to a block's output, beside what pruning does:
// the order of magnitude decides between formats, the loss of the real candidate between choices. Of
// normal weights with the deviation σ, uniform rounding errors of a step: int8 a row of some hundreds
// (largest about 4 σ, step 4σ/127): step²/12σ² = 8e-5; int4 groups of 32 (range about 4.1 σ, step
// 4.1σ/15): 6e-3.
double RoundingError(Format format) {
  switch (format) {
    case Format::kInt8: return 8e-5;
    case Format::kInt4: return 6e-3;
    case Format::kBF16: return 3e-6;
    case Format::kF32: break;
  }
  return 0;
}

class Fitter {
 public:
  Fitter(const Draft& draft, const std::vector<BlockSnapshots>& snapshots,
         const PruneTarget& target, const CandidateJudges& judges,
         const PruneToTargetOptions& options, std::vector<std::vector<BlockOption>> blocks,
         double fixed_ms)
      : draft_(draft),
        snapshots_(snapshots),
        target_(target),
        judges_(judges),
        options_(options),
        blocks_(std::move(blocks)),
        fixed_ms_(fixed_ms) {}

  StatusOr<PrunedDraft> Run();

 private:
  struct Attempt {
    Choice choice;
    TimedPair timed;
    double loss = 0;
    // Measured latency over the wanted one.
    double ratio = 0;
  };

  double Wanted(const TimedPair& timed) const {
    return target_.speedup > 0 ? timed.dense_ms / target_.speedup : target_.latency_ms;
  }
  bool Close(const Attempt& attempt) const {
    return std::abs(attempt.ratio - 1) <= options_.tolerance;
  }
  double Predicted(const Choice& choice) const { return fixed_ms_ + TotalMs(blocks_, choice); }

  StatusOr<Draft> Make(const Choice& choice) const;
  BlockFormats FormatsOf(const Choice& choice) const;
  StatusOr<Attempt> Time(const Choice& choice);
  // Budgets of the profile's milliseconds for all blocks; corrected by what an attempt took.
  StatusOr<double> Corrected(const Attempt& attempt) const;
  StatusOr<SearchResult> Search(double budget_ms, int candidates, std::vector<double> start);
  base::Status TooFast(const TimedPair& timed, double scale) const;
  void Say(const std::string& what, int done, int total) const {
    if (options_.progress) options_.progress(what, done, total);
  }

  const Draft& draft_;
  const std::vector<BlockSnapshots>& snapshots_;
  const PruneTarget& target_;
  const CandidateJudges& judges_;
  const PruneToTargetOptions& options_;
  std::vector<std::vector<BlockOption>> blocks_;
  double fixed_ms_;
  int losses_ = 0;
};

StatusOr<Draft> Fitter::Make(const Choice& choice) const {
  Assignment assignment;
  for (std::size_t b = 0; b < choice.size(); ++b) {
    assignment.push_back(blocks_[b][static_cast<std::size_t>(choice[b])].level);
  }
  return Stitch(draft_, snapshots_, assignment);
}

BlockFormats Fitter::FormatsOf(const Choice& choice) const {
  BlockFormats formats;
  for (std::size_t b = 0; b < choice.size(); ++b) {
    formats.push_back(blocks_[b][static_cast<std::size_t>(choice[b])].format);
  }
  return formats;
}

StatusOr<Fitter::Attempt> Fitter::Time(const Choice& choice) {
  HONE_ASSIGN_OR_RETURN(const Draft candidate, Make(choice));
  Attempt attempt;
  attempt.choice = choice;
  HONE_ASSIGN_OR_RETURN(attempt.timed, judges_.time(candidate, FormatsOf(choice)));
  attempt.ratio = attempt.timed.candidate_ms / Wanted(attempt.timed);
  return attempt;
}

StatusOr<double> Fitter::Corrected(const Attempt& attempt) const {
  // The error is as likely in the fixed part as in the blocks, so the whole is scaled.
  const double scaled = Predicted(attempt.choice) / std::clamp(attempt.ratio, 0.3, 3.0);
  return scaled - fixed_ms_;
}

base::Status Fitter::TooFast(const TimedPair& timed, double scale) const {
  double fastest = fixed_ms_;
  for (const std::vector<BlockOption>& block : blocks_) {
    fastest += std::ranges::min_element(block, {}, &BlockOption::ms)->ms;
  }
  const double possible = fastest * scale;
  return base::NotFound("no shape of this model takes only ", base::Fixed(Wanted(timed), 3),
                        " ms: with every block gone it takes about ", base::Fixed(possible, 3),
                        " ms, ", base::Fixed(timed.dense_ms / possible, 1),
                        " times as fast as the dense model");
}

StatusOr<SearchResult> Fitter::Search(double budget_ms, int candidates, std::vector<double> start) {
  SearchOptions search;
  search.candidates = candidates;
  search.start = std::move(start);
  search.seed = options_.seed;
  search.stop = options_.stop;
  const int before = losses_;
  search.progress = [&](int done, double loss, const Choice& choice) {
    losses_ = before + done;
    Say("searching", done, candidates);
    if (options_.point) options_.point(Predicted(choice), loss);
  };
  return SearchBudget(
      blocks_, budget_ms,
      [&](const Choice& choice) -> StatusOr<double> {
        HONE_ASSIGN_OR_RETURN(const Draft candidate, Make(choice));
        return judges_.loss(candidate, FormatsOf(choice));
      },
      search);
}

StatusOr<PrunedDraft> Fitter::Run() {
  const std::vector<double> equal(blocks_.size(), 1.0);
  // What a millisecond of the profile is today: from the whole draft, then from a first choice.
  Say("timing", 0, 0);
  HONE_ASSIGN_OR_RETURN(Attempt attempt, Time(Choice(blocks_.size(), 0)));
  double scale = attempt.timed.candidate_ms / Predicted(attempt.choice);
  double budget = Wanted(attempt.timed) / scale - fixed_ms_;
  std::optional<Attempt> best;
  std::vector<double> sensitivities = equal;
  bool searched = false;
  for (int i = 0; i <= options_.corrections; ++i) {
    std::optional<Choice> choice = SolveBudget(blocks_, sensitivities, budget);
    if (!choice) {
      if (best) break;  // the correction asked for too much; the nearest so far stands
      return TooFast(attempt.timed, scale);
    }
    double loss = NAN;
    // The search is worth its time once the budget is about right.
    if (i > 0) {
      const int candidates = searched ? std::max(options_.candidates / 8, 1) : options_.candidates;
      HONE_ASSIGN_OR_RETURN(const SearchResult found, Search(budget, candidates, sensitivities));
      searched = true;
      sensitivities = found.sensitivities;
      choice = found.choice;
      loss = found.loss;
    }
    Say("timing", 0, 0);
    HONE_ASSIGN_OR_RETURN(attempt, Time(*choice));
    attempt.loss = loss;
    scale = attempt.timed.candidate_ms / Predicted(*choice);
    if (searched &&
        (!best || std::abs(std::log(attempt.ratio)) < std::abs(std::log(best->ratio)))) {
      best = attempt;
    }
    if (searched && Close(attempt)) break;
    HONE_ASSIGN_OR_RETURN(budget, Corrected(attempt));
    // Everything is kept already and still faster than asked for.
    if (searched && *choice == Choice(blocks_.size(), 0) && attempt.ratio < 1) break;
  }
  HONE_CHECK(best.has_value());
  HONE_ASSIGN_OR_RETURN(Draft made, Make(best->choice));
  PrunedDraft pruned{std::move(made), {}, {}, 0, 0, {}, 0};
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    pruned.assignment.push_back(blocks_[b][static_cast<std::size_t>(best->choice[b])].level);
  }
  pruned.formats = FormatsOf(best->choice);
  pruned.loss = best->loss;
  pruned.predicted_ms = Predicted(best->choice);
  pruned.timed = best->timed;
  pruned.candidates = losses_;
  return pruned;
}

}  // namespace

StatusOr<std::vector<std::vector<BlockOption>>> MakeOptions(
    std::span<const BlockSnapshots> snapshots, const DeviceProfile& profile,
    std::span<const Format> formats) {
  std::vector<std::vector<BlockOption>> blocks;
  for (const BlockSnapshots& snapshot : snapshots) {
    std::vector<BlockOption>& options = blocks.emplace_back();
    for (std::size_t level = 0; level < snapshot.levels.size(); ++level) {
      for (const Format format : formats) {
        HONE_ASSIGN_OR_RETURN(const double ms,
                              profile.Cost(snapshot.block, format, snapshot.levels[level].kept));
        options.push_back({static_cast<int>(level), format, ms,
                           snapshot.levels[level].error + RoundingError(format)});
      }
    }
  }
  return blocks;
}

namespace {

// What no choice changes: the fixed cost (of the formats, the largest: a mixed model pays for what any
// of them needs), and the blocks that have no snapshots, because they are gone or to be left alone.
StatusOr<double> FixedMs(const model::ModelConfig& config,
                         std::span<const BlockSnapshots> snapshots, const DeviceProfile& profile,
                         std::span<const Format> formats) {
  double fixed = 0;
  for (const Format format : formats) {
    HONE_ASSIGN_OR_RETURN(const double ms, profile.Fixed(format));
    fixed = std::max(fixed, ms);
  }
  for (int l = 0; l < config.layer_count(); ++l) {
    const model::LayerShape& layer = config.layers[static_cast<std::size_t>(l)];
    for (const Block block : {Block::kAttention, Block::kFeedForward}) {
      const bool searched = std::ranges::any_of(snapshots, [&](const BlockSnapshots& snapshot) {
        return snapshot.layer == l && snapshot.block == block;
      });
      if (searched) continue;
      HONE_ASSIGN_OR_RETURN(const double ms,
                            profile.Cost(block, formats.front(),
                                         block == Block::kAttention ? layer.heads : layer.ffn));
      fixed += ms;
    }
  }
  return fixed;
}

}  // namespace

StatusOr<PrunedDraft> PruneToTarget(const Draft& draft,
                                    const std::vector<BlockSnapshots>& snapshots,
                                    const DeviceProfile& profile, const PruneTarget& target,
                                    const CandidateJudges& judges,
                                    const PruneToTargetOptions& options) {
  HONE_CHECK(!snapshots.empty() && !options.formats.empty());
  HONE_CHECK(target.speedup > 0 || target.latency_ms > 0);
  HONE_ASSIGN_OR_RETURN(auto blocks, MakeOptions(snapshots, profile, options.formats));
  HONE_ASSIGN_OR_RETURN(const double fixed_ms,
                        FixedMs(draft.model().config, snapshots, profile, options.formats));
  return Fitter(draft, snapshots, target, judges, options, std::move(blocks), fixed_ms).Run();
}

}  // namespace hone::compress
