#include "scheduler/scheduler.h"

#include <algorithm>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hone::scheduler {
namespace {

using base::kMillisecondNs;
using base::kSecondNs;

constexpr TimeNs Ms(double ms) {
  return static_cast<TimeNs>(ms * kMillisecondNs);
}

// A text of 32 tokens takes `ms`, a batch of n texts n times that.
planner::LatencyTable Linear(double ms) {
  return *planner::LatencyTable::FromGrid(
      {.lengths = {32, 64}, .texts = {1, 64}, .ms = {ms, 64 * ms, 2 * ms, 128 * ms}});
}

Model OneRung(double ms) {
  return {.name = "only", .rungs = {{.name = "only", .tables = {Linear(ms)}}}};
}

Scheduler Make(const char* policy, std::vector<Model> models) {
  return Scheduler({.widths = {1}, .models = std::move(models), .executors = {{}}},
                   *MakePolicy(policy));
}

Item At(std::uint64_t id, TimeNs arrival, TimeNs span) {
  return {.id = id, .arrival = arrival, .deadline = arrival + span, .tokens = 32};
}

TEST(Scheduler, TakesAllPartsOfARequestOrNone) {
  Scheduler scheduler = Make("ladder", {OneRung(4)});
  const std::vector<Item> four = {At(1, 0, Ms(20)), At(2, 0, Ms(20)), At(3, 0, Ms(20)),
                                  At(4, 0, Ms(20))};
  std::vector<Item> five = four;
  five.push_back(At(5, 0, Ms(20)));
  EXPECT_EQ(scheduler.SubmitAll(five, 0).refusal, Refusal::kDeadline);
  EXPECT_EQ(scheduler.queued(), 0);
  EXPECT_TRUE(scheduler.SubmitAll(four, 0).accepted());
  EXPECT_EQ(scheduler.queued(), 4);
}

// Requests of parts that differ in size, on executors that take what was predicted: whatever is accepted ends in
// time, and what is refused leaves nothing behind.
TEST(Scheduler, KeepsTheDeadlineOfEveryPart) {
  std::mt19937 random(5);
  const auto below = [&](unsigned bound) { return static_cast<int>(random() % bound); };
  int accepted = 0, refused = 0;
  for (int round = 0; round < 200; ++round) {
    const int executors = 1 + round % 2;
    Scheduler scheduler({.widths = {1},
                         .models = {OneRung(1), OneRung(3)},
                         .executors = std::vector<Executor>(static_cast<std::size_t>(executors))},
                        *MakePolicy(round % 3 == 0 ? "edf" : "ladder"));
    std::vector<TimeNs> free_at(static_cast<std::size_t>(executors), -1);
    std::uint64_t id = 0;
    TimeNs now = 0, arrival = 0;
    while (now < Ms(60)) {
      now = arrival;  // or when a batch ends, if that is earlier
      for (const TimeNs free : free_at) now = free >= 0 ? std::min(now, free) : now;
      for (int e = 0; e < executors; ++e) {
        TimeNs& free = free_at[static_cast<std::size_t>(e)];
        if (free != now) continue;
        scheduler.Finished(e, now);
        free = -1;
      }
      if (now == arrival) {
        arrival += Ms(1 + below(6));
        std::vector<Item> parts;
        const int model = below(2), count = 1 + below(6);
        const TimeNs span = Ms(5 + below(60));
        for (int i = 0; i < count; ++i) {
          parts.push_back(At(++id, now, span));
          parts.back().model = model;
          parts.back().texts = 1 + below(3);
          parts.back().tokens = parts.back().texts * (8 + below(56));
        }
        const int before = scheduler.queued();
        const bool taken = scheduler.SubmitAll(parts, now).accepted();
        EXPECT_EQ(scheduler.queued(), before + (taken ? count : 0));
        ++(taken ? accepted : refused);
      }
      ASSERT_TRUE(scheduler.TakeExpired(now).empty()) << "round " << round << " at " << now;
      for (int e = 0; e < executors; ++e) {
        if (free_at[static_cast<std::size_t>(e)] >= 0) continue;
        const auto batch = scheduler.Next(e, now);
        if (!batch) continue;
        free_at[static_cast<std::size_t>(e)] = now + batch->expected_ns;
        for (const Item& item : batch->items) EXPECT_LE(now + batch->expected_ns, item.deadline);
      }
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 500);
}

TEST(Scheduler, SaysWhenItIsWorthAskingAgain) {
  Scheduler scheduler = Make("ladder", {OneRung(4)});
  for (std::uint64_t id = 0; id < 4; ++id) {
    ASSERT_TRUE(scheduler.Submit(At(id, 0, Ms(20)), 0).accepted());
  }
  const Admission refused = scheduler.Submit(At(9, 0, Ms(20)), 0);
  ASSERT_EQ(refused.refusal, Refusal::kDeadline);
  EXPECT_GT(refused.retry_after, 0);
  EXPECT_LE(refused.retry_after, Ms(20));
  const auto batch = scheduler.Next(0, 0);
  ASSERT_TRUE(batch);
  const TimeNs later = std::max(refused.retry_after, batch->expected_ns);
  scheduler.Finished(0, batch->expected_ns);
  EXPECT_TRUE(scheduler.Submit(At(9, later, Ms(20)), later).accepted());
  // No wait would help one that is in more of a hurry than the model is fast.
  EXPECT_EQ(scheduler.Submit(At(10, later, Ms(3)), later).retry_after, 0);
  // Nor one whose model is not there: loading it is the caller's business.
  scheduler.SetResident(0, 0, false);
  const Admission cold = scheduler.Submit(At(11, later, kSecondNs), later);
  EXPECT_EQ(cold.refusal, Refusal::kNotResident);
  EXPECT_EQ(cold.retry_after, 0);
}

TEST(Scheduler, KeepsTheRungThatPromisesCountWith) {
  Model model = OneRung(8);
  model.rungs.push_back({.name = "fast", .tables = {Linear(2)}});
  Scheduler scheduler = Make("ladder", {model});
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(20)), 0).accepted());
  EXPECT_FALSE(scheduler.Evict(0, 1)) << "an accepted item may need it";
  EXPECT_TRUE(scheduler.Evict(0, 0));
  EXPECT_FALSE(scheduler.setup().models[0].rungs[0].resident);
  const auto run = scheduler.Next(0, 0);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->rung, 1);
  EXPECT_TRUE(scheduler.Evict(0, 1)) << "what runs has its weights";
  EXPECT_FALSE(scheduler.setup().models[0].rungs[1].resident);
}

TEST(Scheduler, RefusesADeadlineInThePast) {
  for (const std::string_view policy : PolicyNames()) {
    Scheduler scheduler = Make(std::string(policy).c_str(), {OneRung(4)});
    EXPECT_EQ(scheduler.Submit(At(1, 0, Ms(5)), Ms(6)).refusal, Refusal::kDeadline) << policy;
  }
}

// Nothing but an answer shows that a slow moment is over, and nothing is answered while all is refused.
TEST(Scheduler, ASlowMomentDoesNotRefuseForEver) {
  Scheduler scheduler = Make("ladder", {OneRung(8)});
  TimeNs now = 0;
  std::uint64_t id = 1;
  for (; id <= 60; ++id) {  // the machine is three times as slow; these have the time
    ASSERT_TRUE(scheduler.Submit(At(id, now, kSecondNs), now).accepted());
    ASSERT_TRUE(scheduler.Next(0, now));
    now += Ms(24);
    scheduler.Finished(0, now);
  }
  EXPECT_FALSE(scheduler.Submit(At(id++, now, Ms(20)), now).accepted());
  TimeNs refused = 0;
  while (!scheduler.Submit(At(id++, now, Ms(20)), now).accepted()) {
    now += kSecondNs;
    ASSERT_LT(refused += kSecondNs, 120 * kSecondNs) << "asked again and again for two minutes";
  }
}

TEST(Scheduler, LearnsFromBatchesThatTakeLonger) {
  Scheduler scheduler = Make("ladder", {OneRung(4)});
  EXPECT_EQ(scheduler.reserve_ns(), Ms(0.2));
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(100)), 0).accepted());
  ASSERT_TRUE(scheduler.Next(0, 0));
  scheduler.Finished(0, Ms(9));  // 5 ms late
  EXPECT_EQ(scheduler.reserve_ns(), Ms(5));
  EXPECT_GT(scheduler.setup().models[0].rungs[0].tables[0].correction(), 1);
  // Half of it is forgotten in two seconds, while batches are as expected.
  const TimeNs now = Ms(9) + 2 * kSecondNs;
  ASSERT_TRUE(scheduler.Submit(At(2, now, Ms(100)), now).accepted());
  const auto batch = scheduler.Next(0, now);
  scheduler.Finished(0, now + batch->expected_ns);
  EXPECT_NEAR(static_cast<double>(scheduler.reserve_ns()), 2.5e6, 0.01e6);
  // It stays within its limits, whatever happens.
  ASSERT_TRUE(scheduler.Submit(At(3, 2 * now, Ms(100)), 2 * now).accepted());
  ASSERT_TRUE(scheduler.Next(0, 2 * now));
  scheduler.Finished(0, 3 * now);
  EXPECT_EQ(scheduler.reserve_ns(), Ms(20));
}

TEST(Scheduler, LetsABrokenPromiseGoWithoutRefusingTheNext) {
  Scheduler scheduler = Make("ladder", {OneRung(2)});
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(20)), 0).accepted());
  ASSERT_TRUE(scheduler.Submit(At(2, 1, Ms(12)), 1).accepted());
  const auto batch = scheduler.Next(0, 1);
  ASSERT_EQ(batch->items.size(), 2u);
  ASSERT_TRUE(scheduler.Submit(At(3, 2, Ms(19)), 2).accepted());
  scheduler.Finished(0, Ms(18));  // it stalled: the third has 1 ms left and needs 2
  const TimeNs now = Ms(18);
  EXPECT_TRUE(scheduler.Submit(At(4, now, Ms(60)), now).accepted());
  const auto next = scheduler.Next(0, now);
  ASSERT_TRUE(next);
  ASSERT_EQ(next->items.size(), 1u);
  EXPECT_EQ(next->items[0].id, 4u);
  EXPECT_TRUE(scheduler.TakeExpired(now).empty());
  const std::vector<Item> expired = scheduler.TakeExpired(Ms(19.1));
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].id, 3u);
  EXPECT_EQ(scheduler.queued(), 0);
}

TEST(Scheduler, AcceptsNobodyInAHurryWhileTheMachineStalls) {
  Scheduler scheduler = Make("ladder", {OneRung(4)});
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(20)), 0).accepted());
  ASSERT_TRUE(scheduler.Next(0, 0));  // until 4 ms, as predicted
  EXPECT_TRUE(scheduler.Submit(At(2, Ms(3.9), Ms(12)), Ms(3.9)).accepted());
  scheduler.Cancel(2);
  EXPECT_FALSE(scheduler.Submit(At(3, Ms(16), Ms(12)), Ms(16)).accepted());
  EXPECT_TRUE(scheduler.Submit(At(4, Ms(16), Ms(40)), Ms(16)).accepted());
}

TEST(Scheduler, KeepsLateItemsWhereNothingWasPromised) {
  Scheduler scheduler = Make("fcfs", {OneRung(4)});
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(2)), 0).accepted());
  EXPECT_TRUE(scheduler.TakeExpired(Ms(3)).empty());
  EXPECT_TRUE(scheduler.Next(0, Ms(3)));
}

TEST(Scheduler, CancelsOnlyWhatWaits) {
  Scheduler scheduler = Make("ladder", {OneRung(4)});
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(20)), 0).accepted());
  ASSERT_TRUE(scheduler.Next(0, 0));
  EXPECT_FALSE(scheduler.Cancel(1));
  EXPECT_FALSE(scheduler.Cancel(7));
  ASSERT_TRUE(scheduler.Submit(At(2, 0, Ms(20)), 0).accepted());
  EXPECT_TRUE(scheduler.Cancel(2));
  EXPECT_EQ(scheduler.queued(), 0);
  const std::vector<Item> parts = {At(3, 0, Ms(30)), At(4, 0, Ms(30)), At(5, 0, Ms(30))};
  ASSERT_TRUE(scheduler.SubmitAll(parts, 0).accepted());
  EXPECT_THAT(scheduler.CancelAll(std::vector<std::uint64_t>{5, 1, 3}),
              ::testing::UnorderedElementsAre(3, 5));
  EXPECT_EQ(scheduler.queued(), 1);
}

TEST(Scheduler, TakesModelsInAndOutWhileItServes) {
  Scheduler scheduler = Make("ladder", {OneRung(4)});
  const int added = scheduler.AddModel(OneRung(2));
  EXPECT_EQ(added, 1);
  Item item = At(1, 0, Ms(20));
  item.model = added;
  ASSERT_TRUE(scheduler.Submit(item, 0).accepted());
  EXPECT_EQ(scheduler.queued(added), 1);
  ASSERT_EQ(scheduler.Next(0, 0)->model, added);
  scheduler.Finished(0, Ms(2));
  scheduler.RemoveModel(added);
  EXPECT_EQ(scheduler.Submit(item, Ms(3)).refusal, Refusal::kNotResident);
  EXPECT_TRUE(scheduler.Submit(At(2, Ms(3), Ms(20)), Ms(3)).accepted());
}

// One executor of both cores, 6 ms a text, or two of one core, 10 ms.
Scheduler WideOrNarrow(const char* policy) {
  const Model model{.name = "only", .rungs = {{.name = "only", .tables = {Linear(10), Linear(6)}}}};
  return Scheduler({.widths = {1, 2},
                    .models = {model},
                    .executors = {{.width = 1}, {.enabled = false}, {.enabled = false}}},
                   *MakePolicy(policy));
}

TEST(Scheduler, SwitchesExecutorsWhereEveryPromiseStillHolds) {
  const std::vector<int> wide = {0}, narrow = {1, 2};
  Scheduler scheduler = WideOrNarrow("ladder");
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(9)), 0).accepted());
  EXPECT_FALSE(scheduler.SwitchTo(narrow, 0)) << "a core alone takes longer than 9 ms";
  EXPECT_FALSE(scheduler.Next(1, 0));
  ASSERT_TRUE(scheduler.Next(0, 0)) << "nothing has changed";
  EXPECT_FALSE(scheduler.SwitchTo(narrow, 0)) << "one is busy";
  scheduler.Finished(0, Ms(6));

  // One after the other on all cores, or side by side on one each.
  for (const std::uint64_t id : {2, 3}) {
    ASSERT_TRUE(scheduler.Submit(At(id, Ms(6), Ms(15)), Ms(6)).accepted());
  }
  EXPECT_TRUE(scheduler.SwitchTo(narrow, Ms(6)));
  EXPECT_FALSE(scheduler.Next(0, Ms(6)));
  EXPECT_TRUE(scheduler.Next(1, Ms(6)));
  EXPECT_TRUE(scheduler.Next(2, Ms(6)));
  scheduler.Finished(1, Ms(16));
  scheduler.Finished(2, Ms(16));
  EXPECT_TRUE(scheduler.SwitchTo(wide, Ms(16))) << "nothing waits";
}

TEST(Scheduler, SwitchesExecutorsAnyTimeWhereNothingIsPromised) {
  const std::vector<int> narrow = {1, 2};
  Scheduler scheduler = WideOrNarrow("fcfs");
  ASSERT_TRUE(scheduler.Submit(At(1, 0, Ms(9)), 0).accepted());
  EXPECT_TRUE(scheduler.SwitchTo(narrow, 0));
  EXPECT_TRUE(scheduler.Next(1, 0));
}

TEST(Scheduler, KeepsTheReservedCoresFree) {
  Model reserved = OneRung(10), other = OneRung(10);
  reserved.reserved_cores = 0.5;
  Scheduler scheduler = Make("ladder", {other, reserved});
  int accepted[2] = {};
  for (int i = 0; i < 200; ++i) {
    Item item = At(static_cast<std::uint64_t>(i), 0, 100 * kSecondNs);
    item.model = i < 150 ? 0 : 1;
    accepted[item.model] += scheduler.Submit(item, 0).accepted();
  }
  // Work of half a core, as it fades: 0.5 · 1 s / ln 2 = 0.72 s of 10 ms each.
  EXPECT_NEAR(accepted[0], 73, 1);
  EXPECT_EQ(accepted[1], 50);
}

TEST(Usage, SharesFadeAndAskingCounts) {
  Usage usage;
  const Item a = {.tenant = 1, .arrival = 0, .deadline = Ms(10)};
  const Item b = {.tenant = 2, .arrival = 0, .deadline = Ms(80)};
  EXPECT_EQ(usage.FairShare(Priority::kNormal, 0), 1);
  const auto accept = [&](const Item& item, TimeNs work, TimeNs now) {
    usage.Asked(item, work, now);
    usage.Accepted(item, work, now);
  };
  accept(a, Ms(30), 0);
  accept(b, Ms(10), 0);
  EXPECT_NEAR(usage.TenantShare(1, Priority::kNormal, 0), 0.75, 1e-9);
  EXPECT_EQ(usage.TenantShare(1, Priority::kHigh, 0), 0);  // of another class
  EXPECT_EQ(usage.FairShare(Priority::kNormal, 0), 0.5);
  accept(b, Ms(5), kSecondNs);  // 15 of a, 5 + 5 of b
  EXPECT_NEAR(usage.TenantShare(1, Priority::kNormal, kSecondNs), 0.6, 1e-9);
  EXPECT_EQ(usage.FairShare(Priority::kNormal, Ms(1500)), 1);  // the first has not asked since
  usage.Asked(a, Ms(30), Ms(1500));
  EXPECT_EQ(usage.FairShare(Priority::kNormal, Ms(1500)), 0.5);
}

TEST(Usage, ForgetsTenantsThatAreLongGone) {
  Usage usage;
  const auto ask = [&](int tenant, TimeNs now) {
    const Item item{.tenant = tenant, .arrival = now, .deadline = now + base::kSecondNs};
    usage.Asked(item, base::kMillisecondNs, now);
    usage.Accepted(item, base::kMillisecondNs, now);
  };
  constexpr int kTenants = 1000;
  for (int tenant = 1; tenant <= kTenants; ++tenant) ask(tenant, base::kSecondNs);
  EXPECT_EQ(usage.tenants(), std::size_t{kTenants});
  const TimeNs later = base::kSecondNs + 20 * Usage::kHalfLifeNs;
  for (int tenant = 1; tenant <= 2 * kTenants; ++tenant) ask(7 + tenant % 2, later);
  for (int tenant = 1; tenant <= kTenants; ++tenant) ask(-tenant, later);
  EXPECT_LE(usage.tenants(), std::size_t{kTenants + 2});
  EXPECT_NEAR(usage.TenantShare(7, Priority::kNormal, later), 1.0 / 3, 0.01);
}

TEST(Usage, KnowsWhatShareWasRefusedAndForgetsItSoon) {
  Usage usage;
  EXPECT_EQ(usage.RefusedShare(0), 0);
  const Item item = {.arrival = 0, .deadline = Ms(10)};
  for (int i = 0; i < 1000; ++i) {
    usage.Asked(item, Ms(1), Ms(i));
    if (i % 4 == 0) usage.TurnedAway();
  }
  EXPECT_NEAR(usage.RefusedShare(Ms(1000)), 0.25, 0.02);
  // Half in a sixteenth of a second where nobody asks, and sooner where all are accepted.
  EXPECT_NEAR(usage.RefusedShare(Ms(1062.5)), 0.125, 0.01);
  for (int i = 1000; i < 1250; ++i) usage.Asked(item, Ms(1), Ms(i));
  EXPECT_LT(usage.RefusedShare(Ms(1250)), 0.02);
}

TEST(Usage, KnowsWhatCheaperOnesAskFor) {
  Usage usage;
  const Item item = {.arrival = 0, .deadline = Ms(10)};
  const Item low = {.priority = Priority::kLow, .arrival = 0, .deadline = Ms(40)};
  // For seconds: 200 of 1 ms, 50 of 6 ms and 100 of low priority and 2 ms a second.
  for (int i = 0; i < 8000; i += 5) {
    usage.Asked(item, Ms(1), Ms(i));
    if (i % 20 == 0) usage.Asked(item, Ms(6), Ms(i));
    if (i % 10 == 0) usage.Asked(low, Ms(2), Ms(i));
  }
  const auto below = [&](double ms, Priority lowest) {
    return usage.AskedBelow(Ms(ms), lowest, Ms(8000));
  };
  EXPECT_NEAR(below(60, Priority::kNormal).cores, 0.5, 0.05);
  EXPECT_NEAR(below(6, Priority::kNormal).cores, 0.2, 0.02);
  EXPECT_NEAR(below(6, Priority::kLow).cores, 0.4, 0.04);
  EXPECT_EQ(below(1, Priority::kLow).cores, 0);
  EXPECT_EQ(below(1.2, Priority::kNormal).cores, 0) << "about as much";
  EXPECT_NEAR(below(6, Priority::kNormal).per_ns * kSecondNs, 200, 20);
  EXPECT_NEAR(static_cast<double>(below(6, Priority::kNormal).span_ns), 10e6, 1);
  EXPECT_NEAR(static_cast<double>(below(6, Priority::kLow).span_ns), 20e6, 1e6)
      << "2/3 · 10 + 1/3 · 40";
  EXPECT_EQ(below(1, Priority::kLow).span_ns, 0);
}

TEST(Usage, KnowsHowLittleTimeAFewGive) {
  Usage usage;
  EXPECT_EQ(usage.TightSpan(0), base::kNeverNs);
  for (int i = 0; i < 100; ++i) {
    const Item item = {.arrival = 0, .deadline = i % 10 == 0 ? Ms(5) : Ms(100)};
    usage.Asked(item, Ms(1), Ms(i));
  }
  // Known to half a power of two.
  EXPECT_LE(usage.TightSpan(Ms(100)), Ms(5));
  EXPECT_GT(usage.TightSpan(Ms(100)), Ms(3.5));
  const Item calm = {.arrival = 0, .deadline = Ms(100)};
  for (int i = 0; i < 100; ++i) usage.Asked(calm, Ms(1), 4 * kSecondNs);
  EXPECT_GT(usage.TightSpan(4 * kSecondNs), Ms(70));
}

}  // namespace
}  // namespace hone::scheduler
