// The plan against every order and every batching of a few items.
#include "scheduler/plan_ahead.h"

#include <algorithm>
#include <bit>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hone::scheduler {
namespace {

using base::kMillisecondNs;

struct Scene {
  Setup setup;
  std::vector<std::vector<Item>> queues;
  std::vector<Item> all;
};

planner::LatencyTable Table(double fixed_ms, double each_ms) {
  planner::LatencyGrid grid{.lengths = {16, 64}, .texts = {1, 16}, .ms = {}};
  for (const int length : grid.lengths) {
    for (const int texts : grid.texts) {
      grid.ms.push_back(fixed_ms + each_ms * texts * length / 16);
    }
  }
  return *planner::LatencyTable::FromGrid(std::move(grid));
}

// Up to seven items of two models on one executor, which may still be busy.
Scene SceneOf(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
  Scene scene{.setup = {.widths = {1}}, .queues = {{}, {}}, .all = {}};
  for (const char* name : {"a", "b"}) {
    Model model{.name = name, .rungs = {}, .max_texts = 1 + below(6)};
    const double fixed = 0.1 * below(10), each = 0.2 + 0.1 * below(10);
    model.rungs.push_back({.name = "accurate", .tables = {Table(2 * fixed, 2 * each)}});
    model.rungs.push_back({.name = "fast", .tables = {Table(fixed, each)}});
    scene.setup.models.push_back(std::move(model));
  }
  scene.setup.max_batch_ns = (2 + below(6)) * kMillisecondNs;
  const bool busy = below(2) == 0;
  scene.setup.executors.push_back(
      {.busy = busy, .free_at = below(3) * kMillisecondNs, .model = busy ? 0 : -1});
  for (int i = 1 + below(7); i > 0; --i) {
    Item item{.id = static_cast<std::uint64_t>(i),
              .model = below(2),
              .deadline = (20 + below(80)) * kMillisecondNs / 10,
              .tokens = 16 << below(3)};
    scene.all.push_back(item);
  }
  std::sort(scene.all.begin(), scene.all.end(), [](const Item& a, const Item& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.id < b.id;
  });
  for (const Item& item : scene.all) {
    scene.queues[static_cast<std::size_t>(item.model)].push_back(item);
  }
  return scene;
}

// Whether any order of any batches with the fastest rung keeps every promise.
bool AnyScheduleHolds(const View& view, const std::vector<Item>& items) {
  const unsigned all = (1u << items.size()) - 1;
  const auto batch_time = [&](unsigned set, TimeNs* due) {
    int texts = 0, tokens = 0, model = -1;
    *due = base::kNeverNs;
    for (unsigned left = set; left != 0; left &= left - 1) {
      const Item& item = items[static_cast<std::size_t>(std::countr_zero(left))];
      if (model >= 0 && model != item.model) return base::kNeverNs;
      model = item.model;
      texts += item.texts;
      tokens += item.tokens;
      *due = std::min(*due, PlanAhead::Due(view, item));
    }
    const Model& runs = view.setup.models[static_cast<std::size_t>(model)];
    const TimeNs time = runs.rungs[1].tables[0].Predict(texts, tokens);
    const bool fits = texts == 1 || (texts <= runs.max_texts && time <= view.setup.max_batch_ns);
    return fits ? time : base::kNeverNs;
  };
  std::vector<TimeNs> free_at(all + 1, base::kNeverNs);
  const Executor& executor = view.setup.executors[0];
  free_at[0] = executor.busy ? executor.free_at : 0;
  for (unsigned set = 0; set < all; ++set) {
    if (free_at[set] == base::kNeverNs) continue;
    const unsigned rest = all & ~set;
    for (unsigned batch = rest; batch != 0; batch = (batch - 1) & rest) {
      TimeNs due = 0;
      const TimeNs time = batch_time(batch, &due);
      if (time == base::kNeverNs || free_at[set] + time > due) continue;
      free_at[set | batch] = std::min(free_at[set | batch], free_at[set] + time);
    }
  }
  return free_at[all] != base::kNeverNs;
}

TEST(PlanAhead, HoldsOnlyWhereSomeScheduleDoesAndMostlyThen) {
  int holds = 0, could = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const Scene scene = SceneOf(seed);
    const Usage usage;
    const View view{.setup = scene.setup,
                    .queues = scene.queues,
                    .usage = usage,
                    .reserve_ns = 200 * base::kMicrosecondNs};
    PlanAhead plan(view, PlanRung::kFastest);
    const bool planned = plan.Run({}).broken == 0;
    const bool possible = AnyScheduleHolds(view, scene.all);
    ASSERT_TRUE(possible || !planned) << "seed " << seed;
    holds += planned;
    could += possible;
  }
  EXPECT_GT(could, 1000);
  EXPECT_GE(holds, 0.95 * could);
}

TEST(PlanAhead, StillHoldsAfterItsOwnFirstStep) {
  int steps[2] = {};  // with one executor, with one that is waited for
  for (unsigned seed = 0; seed < 4000; ++seed) {
    Scene scene = SceneOf(seed);
    scene.setup.executors[0].busy = false;
    // Where a model may run on one of two executors only, the plan must wait for it.
    if (seed % 2 == 0) {
      scene.setup.executors.push_back({.busy = true, .free_at = kMillisecondNs, .model = 0});
      scene.setup.models[0].max_executors = 1;
    }
    const Usage usage;
    const View view{.setup = scene.setup, .queues = scene.queues, .usage = usage};
    PlanAhead plan(view, PlanRung::kFastest);
    if (plan.Run({}).broken > 0) continue;
    const Step first = plan.First(0);
    if (first.model < 0) continue;
    EXPECT_EQ(plan.Run({.step = &first}).broken, 0) << "seed " << seed;
    ++steps[seed % 2 == 0];
  }
  EXPECT_GT(steps[0], 300);
  EXPECT_GT(steps[1], 300);
}

TEST(PlanAhead, CountsTheNewItemInItsPlace) {
  Scene scene = SceneOf(1);
  scene.queues = {{}, {}};
  scene.setup.executors[0].busy = false;
  const Usage usage;
  const View view{.setup = scene.setup, .queues = scene.queues, .usage = usage};
  const Item extra{.id = 9, .model = 1, .deadline = 50 * kMillisecondNs, .tokens = 16};
  const PlanAnswer answer = PlanAhead(view, PlanRung::kFastest, {&extra, 1}).Run({});
  EXPECT_EQ(answer.broken, 0);
  EXPECT_EQ(answer.extra_end, scene.setup.models[1].rungs[1].tables[0].Predict(1, 16));
  EXPECT_EQ(answer.end, answer.extra_end);
}

TEST(PlanAhead, CountsHalfOfTheDriftForThoseAhead) {
  Scene scene = SceneOf(1);
  scene.setup.executors[0].busy = false;
  const TimeNs end = scene.setup.models[1].rungs[1].tables[0].Predict(1, 16);
  // In time by a seventh of its way; those are all its margins.
  const Item ahead{
      .id = 1, .model = 1, .deadline = end * 8 / 7 + scene.setup.overhead_ns, .tokens = 16};
  scene.queues = {{}, {ahead}};
  const Usage usage;
  const View view{.setup = scene.setup, .queues = scene.queues, .usage = usage};
  const Item extra{.id = 9, .model = 0, .deadline = 50 * kMillisecondNs, .tokens = 16};
  PlanAhead plan(view, PlanRung::kFastest, {&extra, 1});
  EXPECT_EQ(plan.Run({.drift = 0.2}).broken, 1);
  EXPECT_EQ(plan.Run({.drift = 0.2, .whole_drift_from = extra.deadline}).broken, 0);
  EXPECT_EQ(plan.Run({.drift = 0.2, .whole_drift_from = ahead.deadline}).broken, 1);
}

TEST(PlanAhead, KnowsWhatIsAheadOfADeadline) {
  Scene scene = SceneOf(1);
  scene.setup.executors[0].busy = false;
  const Item first{.id = 1, .model = 0, .deadline = 20 * kMillisecondNs, .tokens = 16};
  const Item extra{.id = 9, .model = 1, .deadline = 50 * kMillisecondNs, .tokens = 16};
  scene.queues = {{first}, {}};
  const Usage usage;
  const View view{.setup = scene.setup, .queues = scene.queues, .usage = usage};
  PlanAhead plan(view, PlanRung::kFastest, {&extra, 1});
  const TimeNs first_end = scene.setup.models[0].rungs[1].tables[0].Predict(1, 16);
  EXPECT_EQ(plan.Run({.ahead_of = 10 * kMillisecondNs}).ahead_end, 0);
  EXPECT_EQ(plan.Run({.ahead_of = 30 * kMillisecondNs}).ahead_end, first_end);
  const PlanAnswer both = plan.Run({.ahead_of = extra.deadline});
  EXPECT_EQ(both.ahead_end, both.extra_end);
}

}  // namespace
}  // namespace hone::scheduler
