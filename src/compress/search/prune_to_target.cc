#include "compress/search/prune_to_target.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.h"
#include "base/percentile.h"

namespace hone::compress {
namespace {

using base::StatusOr;
using quant::Format;

// Relative error |Wx - Q(W)x|² / |Wx|² that rounding a matrix adds to its output, beside what pruning does:
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
  };

  // What the target is about: the candidate's latency, or its part of the dense model's.
  double Reached(const TimedPair& timed) const {
    return target_.speedup > 0 ? timed.candidate_ms / timed.dense_ms : timed.candidate_ms;
  }
  double Wanted() const { return target_.speedup > 0 ? 1 / target_.speedup : target_.latency_ms; }
  double Predicted(const Choice& choice) const { return fixed_ms_ + TotalMs(blocks_, choice); }
  // What a millisecond of the profile was when the attempt was timed, in the unit of Reached.
  double Factor(const Attempt& attempt) const {
    return Reached(attempt.timed) / Predicted(attempt.choice);
  }
  // Expected over wanted, where a millisecond of the profile is `factor`.
  double Ratio(const Choice& choice, double factor) const {
    return Predicted(choice) * factor / Wanted();
  }
  // The profile's milliseconds that all blocks may take. The error of the profile is as likely in the
  // fixed part as in the blocks, so the whole is scaled.
  double Budget(double factor) const { return Wanted() / factor - fixed_ms_; }

  StatusOr<Draft> Make(const Choice& choice) const;
  BlockFormats FormatsOf(const Choice& choice) const;
  StatusOr<Attempt> Time(const Choice& choice);
  StatusOr<SearchResult> Search(double budget_ms, int candidates, std::vector<double> start);
  base::Status TooFast(const Attempt& attempt) const;
  PrunedDraft Finish(Draft draft, const Attempt& best) const;
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
  return attempt;
}

base::Status Fitter::TooFast(const Attempt& attempt) const {
  double fastest = fixed_ms_;
  for (const std::vector<BlockOption>& block : blocks_) {
    fastest += std::ranges::min_element(block, {}, &BlockOption::ms)->ms;
  }
  const double dense = attempt.timed.dense_ms;
  const double wanted = target_.speedup > 0 ? dense / target_.speedup : target_.latency_ms;
  const double possible = fastest * attempt.timed.candidate_ms / Predicted(attempt.choice);
  return base::NotFound("no shape of this model takes only ", base::Fixed(wanted, 3),
                        " ms: with every block gone it takes about ", base::Fixed(possible, 3),
                        " ms, ", base::Fixed(dense / possible, 1),
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

PrunedDraft Fitter::Finish(Draft draft, const Attempt& best) const {
  PrunedDraft pruned{std::move(draft), {}, {}, 0, 0, {}, 0};
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    pruned.assignment.push_back(blocks_[b][static_cast<std::size_t>(best.choice[b])].level);
  }
  pruned.formats = FormatsOf(best.choice);
  pruned.loss = best.loss;
  pruned.predicted_ms = Predicted(best.choice);
  pruned.timed = best.timed;
  pruned.candidates = losses_;
  return pruned;
}

StatusOr<PrunedDraft> Fitter::Run() {
  const Choice whole(blocks_.size(), 0);
  const std::vector<double> equal(SensitivityCount(blocks_), 1.0);
  // What a millisecond of the profile is today: from the whole draft, then from a first choice. The
  // search is worth its time once the budget is about right.
  Say("timing", 0, 0);
  HONE_ASSIGN_OR_RETURN(Attempt attempt, Time(whole));
  const std::optional<Choice> first = SolveBudget(blocks_, equal, Budget(Factor(attempt)));
  if (!first) return TooFast(attempt);
  HONE_ASSIGN_OR_RETURN(attempt, Time(*first));
  double budget = Budget(Factor(attempt));
  if (!SolveBudget(blocks_, equal, budget)) return TooFast(attempt);
  HONE_ASSIGN_OR_RETURN(SearchResult found, Search(budget, options_.candidates, equal));

  // One timing may be off by more than the target allows: the middle of several counts, of like choices.
  std::vector<Attempt> tried;
  std::vector<double> factors;
  double factor = 0;
  while (static_cast<int>(factors.size()) < options_.most_timings) {
    Say("timing", 0, 0);
    HONE_ASSIGN_OR_RETURN(attempt, Time(found.choice));
    attempt.loss = found.loss;
    factors.push_back(Factor(attempt));
    factor = base::Percentile(factors, 0.5);
    tried.push_back(attempt);
    const double ratio = Ratio(found.choice, factor);
    if (std::abs(ratio - 1) <= options_.tolerance) {
      if (static_cast<int>(factors.size()) >= options_.least_timings) break;
      continue;
    }
    // Everything is kept already and still faster than asked for.
    if (found.choice == whole && ratio < 1) break;
    budget = Budget(factor);
    // Where the correction asks for too much the nearest so far stands.
    if (!SolveBudget(blocks_, found.sensitivities, budget)) break;
    HONE_ASSIGN_OR_RETURN(
        found, Search(budget, std::max(options_.candidates / 8, 1), found.sensitivities));
  }
  const Attempt& best = *std::ranges::min_element(
      tried, {}, [&](const Attempt& one) { return std::abs(std::log(Ratio(one.choice, factor))); });
  HONE_ASSIGN_OR_RETURN(Draft made, Make(best.choice));
  return Finish(std::move(made), best);
}

// Every pair; of a block that is gone the first format alone, since nothing is left to be in one.
std::vector<BlockFormat> PairsOf(std::span<const Format> formats, bool there) {
  if (!there) return {{formats.front(), formats.front()}};
  std::vector<BlockFormat> pairs;
  for (const Format in : formats) {
    for (const Format out : formats) pairs.push_back({in, out});
  }
  return pairs;
}

}  // namespace

StatusOr<std::vector<std::vector<BlockOption>>> MakeOptions(
    std::span<const BlockSnapshots> snapshots, const DeviceProfile& profile,
    std::span<const Format> formats, bool gated_ffn) {
  std::vector<std::vector<BlockOption>> blocks;
  for (const BlockSnapshots& snapshot : snapshots) {
    std::vector<BlockOption>& options = blocks.emplace_back();
    for (std::size_t level = 0; level < snapshot.levels.size(); ++level) {
      const Level& of = snapshot.levels[level];
      for (const BlockFormat format : PairsOf(formats, of.kept > 0)) {
        HONE_ASSIGN_OR_RETURN(const double ms,
                              profile.Cost(snapshot.block, format, of.kept, gated_ffn));
        std::vector<double> errors = {of.error};
        if (formats.size() > 1) {
          const double share = of.kept > 0 ? 0.5 : 0;
          errors.push_back(share * RoundingError(format.in));
          errors.push_back(share * RoundingError(format.out));
        }
        options.push_back({static_cast<int>(level), format, ms, std::move(errors)});
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
  const model::ModelConfig& config = draft.model().config;
  HONE_ASSIGN_OR_RETURN(auto blocks,
                        MakeOptions(snapshots, profile, options.formats, config.gated_ffn));
  HONE_ASSIGN_OR_RETURN(const double fixed_ms,
                        FixedMs(config, snapshots, profile, options.formats));
  return Fitter(draft, snapshots, target, judges, options, std::move(blocks), fixed_ms).Run();
}

}  // namespace hone::compress
