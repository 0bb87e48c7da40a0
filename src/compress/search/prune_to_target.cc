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
  // A choice that was made and timed, once or more.
  struct Attempt {
    Choice choice;
    TimedPair timed;              // the last
    std::vector<double> reached;  // over wanted, each time: above 1 it is too slow
    double loss = 0;

    double ratio() const { return base::Percentile(reached, 0.5); }
    double off() const { return std::abs(std::log(ratio())); }
  };

  // What the target is about: the candidate's latency, or its part of the dense model's.
  double Reached(const TimedPair& timed) const {
    return target_.speedup > 0 ? timed.candidate_ms / timed.dense_ms : timed.candidate_ms;
  }
  double Wanted() const { return target_.speedup > 0 ? 1 / target_.speedup : target_.latency_ms; }
  double Predicted(const Choice& choice) const { return fixed_ms_ + TotalMs(blocks_, choice); }
  // The profile's milliseconds that all blocks may take, by how far this one was off. The profile's error is as
  // likely in the fixed part as in the blocks, so the whole is scaled.
  double Budget(const Attempt& one) const {
    return Predicted(one.choice) / one.ratio() - fixed_ms_;
  }
  double NextBudget(const std::vector<Attempt>& tried) const;

  StatusOr<Draft> Make(const Choice& choice) const;
  BlockFormats FormatsOf(const Choice& choice) const;
  base::Status Time(Attempt* attempt);
  StatusOr<SearchResult> Search(double budget_ms, int candidates, std::vector<double> start);
  StatusOr<Attempt> Approach(SearchResult found);
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
  std::uint64_t searches_ = 0;
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

base::Status Fitter::Time(Attempt* attempt) {
  Say("timing", 0, 0);
  HONE_ASSIGN_OR_RETURN(const Draft candidate, Make(attempt->choice));
  HONE_ASSIGN_OR_RETURN(attempt->timed, judges_.time(candidate, FormatsOf(attempt->choice)));
  attempt->reached.push_back(Reached(attempt->timed) / Wanted());
  return base::OkStatus();
}

// Between those that were too fast and those that were too slow, once there are both; else further on than any
// so far. Both by what was predicted: the latency of a model need not fall with what its shape should take (of
// two alike, one is not worth a second thread any more), and steps from the nearest would stay before such a place.
double Fitter::NextBudget(const std::vector<Attempt>& tried) const {
  const Attempt *fast = nullptr, *slow = nullptr;
  for (const Attempt& one : tried) {
    const double predicted_ms = Predicted(one.choice);
    if (one.ratio() < 1) {
      if (fast == nullptr || predicted_ms > Predicted(fast->choice)) fast = &one;
    } else {
      if (slow == nullptr || predicted_ms < Predicted(slow->choice)) slow = &one;
    }
  }
  if (fast == nullptr || slow == nullptr) return Budget(fast != nullptr ? *fast : *slow);
  // Away from both ends, so that a jump between them cannot hold the next one at the same place.
  const double share = std::clamp(fast->off() / (fast->off() + slow->off()), 0.25, 0.75);
  return std::lerp(Predicted(fast->choice), Predicted(slow->choice), share) - fixed_ms_;
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
  search.seed = options_.seed + searches_++;
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

// Times what the search found, and searches a little further with the budget corrected, until the clock says
// that the target is met.
StatusOr<Fitter::Attempt> Fitter::Approach(SearchResult found) {
  std::vector<Attempt> tried;
  for (int timing = 0; timing < options_.most_timings; ++timing) {
    auto attempt = std::ranges::find(tried, found.choice, &Attempt::choice);
    if (attempt == tried.end()) {
      attempt = tried.insert(
          attempt, {.choice = found.choice, .timed = {}, .reached = {}, .loss = found.loss});
    }
    HONE_RETURN_IF_ERROR(Time(&*attempt));
    // One timing may be off by more than the target allows: the middle of several counts.
    if (attempt->off() <= options_.tolerance) {
      if (static_cast<int>(attempt->reached.size()) >= options_.least_timings) break;
      continue;
    }
    // Everything is kept already and still faster than asked for.
    const Choice whole(blocks_.size(), 0);
    if (found.choice == whole && attempt->ratio() < 1) break;
    const double budget_ms = NextBudget(tried);
    // Where the correction asks for too much the nearest so far stands.
    if (!SolveBudget(blocks_, found.sensitivities, budget_ms)) break;
    HONE_ASSIGN_OR_RETURN(
        found, Search(budget_ms, std::max(options_.candidates / 8, 1), found.sensitivities));
  }
  return *std::ranges::min_element(tried, {}, &Attempt::off);
}

StatusOr<PrunedDraft> Fitter::Run() {
  const std::vector<double> equal(SensitivityCount(blocks_), 1.0);
  // What a millisecond of the profile is today: from the whole draft, then from a first choice. The
  // search is worth its time once the budget is about right.
  Attempt attempt{.choice = Choice(blocks_.size(), 0), .timed = {}, .reached = {}};
  HONE_RETURN_IF_ERROR(Time(&attempt));
  std::optional<Choice> first = SolveBudget(blocks_, equal, Budget(attempt));
  if (!first) return TooFast(attempt);
  attempt = {.choice = std::move(*first), .timed = {}, .reached = {}};
  HONE_RETURN_IF_ERROR(Time(&attempt));
  if (!SolveBudget(blocks_, equal, Budget(attempt))) return TooFast(attempt);
  HONE_ASSIGN_OR_RETURN(SearchResult found, Search(Budget(attempt), options_.candidates, equal));
  HONE_ASSIGN_OR_RETURN(const Attempt best, Approach(std::move(found)));
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
