// Memory in virtual time: what the planner keeps, loads and evicts while requests come.
#include "sim/background.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/simulation.h"
#include "sim/test_traffic.h"

namespace hone::sim {
namespace {

using base::kMillisecondNs;
using base::kSecondNs;
using testing::HasSubstr;

constexpr Machine kExact = {.sigma = 0};
constexpr std::uint64_t kMiB = 1 << 20;

// Three rungs of 20, 10 and 5 MiB, which load in as many milliseconds of the machine.
Memory MemoryOf(const scheduler::Setup& setup, std::uint64_t budget_bytes) {
  Memory memory{.budget_bytes = budget_bytes};
  for (std::size_t m = 0; m < setup.models.size(); ++m) {
    memory.models.push_back({.rungs = {{20 * kMiB, 20}, {10 * kMiB, 10}, {5 * kMiB, 5}}});
  }
  return memory;
}

SimResult RunIn(const scheduler::Setup& setup, const std::vector<SimRequest>& requests,
                const Memory& memory, const char* policy = "ladder") {
  auto result = Simulate(setup, policy, requests, kExact, 1, {.memory = memory});
  EXPECT_TRUE(result.ok()) << result.status();
  return *std::move(result);
}

std::vector<SimRequest> Evenly(int model, base::TimeNs begin, base::TimeNs end, base::TimeNs every,
                               base::TimeNs span) {
  std::vector<SimRequest> requests;
  for (base::TimeNs at = begin; at < end; at += every) {
    requests.push_back({.at = at, .model = model, .deadline = at + span, .tokens = 12});
  }
  return requests;
}

std::vector<SimRequest> Merged(std::vector<SimRequest> a, const std::vector<SimRequest>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::stable_sort(a.begin(), a.end(),
                   [](const SimRequest& x, const SimRequest& y) { return x.at < y.at; });
  return a;
}

TEST(RungsInMemory, BreaksNoPromiseAndNoBudgetWhateverComes) {
  std::int64_t loads = 0, evictions = 0, ok = 0, sent = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    load::Random random(seed);
    const scheduler::Setup setup = ThreeModels(1 + static_cast<int>(random.Below(3)));
    Memory memory = MemoryOf(setup, (5 + random.Below(100)) * kMiB);
    if (random.Below(3) == 0) memory.models[0].reserved_bytes = 5 * kMiB;
    if (random.Below(3) == 0) memory.models[1].limit_bytes = 12 * kMiB;
    if (random.Below(8) == 0 && memory.budget_bytes >= 40 * kMiB) memory.models[2].pinned = true;
    Traffic traffic{.load = 0.1 + 4 * random.Unit(),
                    .seconds = 0.1,
                    .arrivals = random.Below(2) == 0 ? "poisson" : "gamma:4",
                    .classes = true};
    const auto requests = MakeTraffic(setup, traffic, random.Next());
    if (requests.empty()) continue;
    for (const char* policy : {"edf", "ladder"}) {
      const SimResult result = RunIn(setup, requests, memory, policy);
      ASSERT_EQ(result.total.late, 0) << policy << ", seed " << seed;
      ASSERT_EQ(result.total.ok + result.total.refused, result.total.sent) << "seed " << seed;
      ASSERT_LE(result.most_bytes, memory.budget_bytes) << "seed " << seed;
      loads += result.total.loads;
      evictions += result.total.evictions;
      ok += result.total.ok;
      sent += result.total.sent;
    }
  }
  EXPECT_GT(loads, 1000);
  EXPECT_GT(evictions, 1000);
  EXPECT_GT(ok, sent / 4);
}

TEST(RungsInMemory, WithRoomForAllIsAsIfThereWereNoLimit) {
  const scheduler::Setup setup = ThreeModels(2);
  const auto requests = MakeTraffic(setup, {.load = 1.5, .seconds = 2}, 3);
  const SimResult free = RunIn(setup, requests, {}),
                  kept = RunIn(setup, requests, MemoryOf(setup, 105 * kMiB));
  EXPECT_EQ(kept.total.rungs, free.total.rungs);
  EXPECT_EQ(kept.total.p99_ms, free.total.p99_ms);
  EXPECT_EQ(kept.total.loads, 0);
  EXPECT_EQ(kept.most_bytes, 105 * kMiB);
  EXPECT_EQ(free.most_bytes, 0U);
}

TEST(RungsInMemory, WhoCanWaitForARungDoesAndWhoCannotIsRefused) {
  scheduler::Setup setup = ThreeModels(2);
  // Room for one rung of 5 MiB: one of the models has it, and the last one asked gets it.
  const Memory memory = MemoryOf(setup, 5 * kMiB);
  const auto asks = [&](base::TimeNs span) {
    std::vector<SimRequest> requests;
    for (int i = 0; i < 30; ++i) {
      const base::TimeNs at = i * kSecondNs;
      requests.push_back({.at = at, .model = i % 3, .deadline = at + span, .tokens = 12});
    }
    return RunIn(setup, requests, memory);
  };
  // 10 ms of one thread; a request counts on twice that and 2 ms.
  const SimResult patient = asks(60 * kMillisecondNs), hurried = asks(15 * kMillisecondNs);
  EXPECT_EQ(patient.total.ok, 30);
  EXPECT_GE(patient.total.loads, 28);
  EXPECT_NEAR(patient.total.p50_ms, 10.7, 1) << "an idle machine loads at full speed";
  EXPECT_LE(hurried.total.ok, 2);
  EXPECT_EQ(hurried.total.late, 0);
  EXPECT_GE(hurried.total.loads, 28) << "the next one would have found it";
}

// Deadlines are shorter than a load, so that nobody waits for one, and only one of the models fits.
TEST(RungsInMemory, TwoModelsThatDoNotFitDoNotKeepEachOtherFromServing) {
  const scheduler::Setup setup = ThreeModels(2);
  Memory memory = MemoryOf(setup, 5 * kMiB);
  for (Memory::Model& model : memory.models) model.rungs[2].load_ms = 95;
  const base::TimeNs span = 50 * kMillisecondNs;
  const SimResult result = RunIn(setup,
                                 Merged(Evenly(0, 0, 30 * kSecondNs, kSecondNs / 30, span),
                                        Evenly(1, 0, 30 * kSecondNs, kSecondNs / 60, span)),
                                 memory);
  EXPECT_EQ(result.total.late, 0);
  EXPECT_GT(result.models[1].ok, 1600) << "of 1,800: it is asked for most";
  EXPECT_LE(result.total.loads, 3);
}

TEST(RungsInMemory, FollowsWhatIsAskedFor) {
  const scheduler::Setup setup = ThreeModels(2);
  // Room for all of one model and the least of another.
  const Memory memory = MemoryOf(setup, 40 * kMiB);
  const base::TimeNs every = 5 * kMillisecondNs, span = 200 * kMillisecondNs;
  const auto first = Evenly(0, 0, 10 * kSecondNs, every, span);
  const auto second = Evenly(1, 10 * kSecondNs, 20 * kSecondNs, every, span);
  const SimResult result = RunIn(setup, Merged(first, second), memory);
  for (const int m : {0, 1}) {
    const SimModelResult& model = result.models[static_cast<std::size_t>(m)];
    EXPECT_EQ(model.ok, model.sent) << m;
    EXPECT_GT(model.rungs.at("dense"), 1000) << "of 2,000: its best rung comes within five seconds";
  }
}

TEST(RungsInMemory, ALoadHasWhatTheExecutorsLeave) {
  const scheduler::Setup setup = ThreeModels(1);
  // Room for the first model and the least of one other: that of the second, until the third is asked for.
  Memory memory = MemoryOf(setup, 40 * kMiB);
  memory.models[0].pinned = true;
  const auto waited_ms = [&](base::TimeNs every) {
    const base::TimeNs at = 2 * kSecondNs, span = 5 * kSecondNs;
    const SimRequest one{.at = at, .model = 2, .deadline = at + span, .tokens = 12};
    const SimResult result =
        RunIn(setup, Merged(Evenly(0, 0, 3 * kSecondNs, every, kSecondNs), {one}), memory, "edf");
    EXPECT_EQ(result.models[2].ok, 1);
    EXPECT_EQ(result.models[2].loads, 1);
    return result.models[2].p50_ms;
  };
  const double idle = waited_ms(100 * kMillisecondNs), busy = waited_ms(kMillisecondNs / 3);
  EXPECT_NEAR(idle, 5.7, 1) << "the load's 5 ms and its own time";
  EXPECT_GT(busy, 2 * idle);
}

TEST(RungsInMemory, KeepsPinnedRungsAndReservations) {
  const scheduler::Setup setup = ThreeModels(2);
  Memory memory = MemoryOf(setup, 60 * kMiB);
  memory.models[2].pinned = true;  // 35 MiB
  // Nobody asks for it.
  const SimResult result =
      RunIn(setup,
            Merged(Evenly(0, 0, 5 * kSecondNs, 4 * kMillisecondNs, 100 * kMillisecondNs),
                   Evenly(1, 0, 5 * kSecondNs, 4 * kMillisecondNs, 100 * kMillisecondNs)),
            memory);
  EXPECT_EQ(result.models[2].evictions, 0);
  EXPECT_EQ(result.total.ok, result.total.sent);
}

// Three models on two cores that are split as the load asks; two threads take seven tenths of one's time.
scheduler::Setup Adaptive(const planner::Layouts& layouts) {
  scheduler::Setup setup = ThreeModels(1);
  setup.widths = layouts.widths;
  for (scheduler::Model& model : setup.models) {
    for (scheduler::Rung& rung : model.rungs) {
      planner::LatencyGrid grid = rung.tables[0].grid();
      for (double& ms : grid.ms) ms *= 0.7;
      rung.tables.push_back(*planner::LatencyTable::FromGrid(std::move(grid)));
    }
  }
  setup.executors.clear();
  for (int e = 0; e < static_cast<int>(layouts.threads.size()); ++e) {
    setup.executors.push_back({.width = layouts.WidthIndex(e), .enabled = e == 0});
  }
  return setup;
}

TEST(SplitOfTheCores, FollowsTheLoad) {
  const planner::Layouts layouts = *planner::MakeLayouts(2, {});
  const scheduler::Setup setup = Adaptive(layouts);
  const auto at = [&](double load, const Resources& resources, const scheduler::Setup& on) {
    auto requests = MakeTraffic(ThreeModels(2), {.load = load, .seconds = 8}, 5);
    for (SimRequest& request : requests) request.deadline = request.at + 60 * kMillisecondNs;
    return *Simulate(on, "edf", requests, kExact, 1, resources);
  };
  const SimResult calm = at(0.15, {.layouts = layouts}, setup);
  EXPECT_EQ(calm.switches, 0) << "all cores for every request";
  const SimResult busy = at(0.9, {.layouts = layouts}, setup);
  EXPECT_EQ(busy.switches, 1);
  const SimResult wide = at(0.9, {}, setup), narrow = at(0.9, {}, ThreeModels(2));
  EXPECT_EQ(wide.switches, 0);
  EXPECT_GT(busy.total.ok, wide.total.ok) << "two narrow executors do more";
  EXPECT_GT(busy.total.ok, narrow.total.ok * 9 / 10) << "but for the time until it has changed";
  EXPECT_LE(busy.busy, 1);
}

TEST(SplitOfTheCores, BreaksNoPromiseWhenItChanges) {
  const planner::Layouts layouts = *planner::MakeLayouts(2, {});
  std::int64_t switches = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    load::Random random(seed);
    const scheduler::Setup setup = Adaptive(layouts);
    std::vector<SimRequest> requests;
    for (int part = 0; part < 3; ++part) {  // calm and busy by turns
      auto more = MakeTraffic(ThreeModels(2),
                              {.load = part == 1 ? 1 + 3 * random.Unit() : 0.1, .seconds = 5},
                              random.Next());
      for (SimRequest& request : more) {
        request.at += part * 5 * kSecondNs;
        request.deadline += part * 5 * kSecondNs;
      }
      requests = Merged(std::move(requests), more);
    }
    Resources resources{.layouts = layouts};
    if (seed % 2 == 1) resources.memory = MemoryOf(setup, 40 * kMiB);
    const auto result = Simulate(setup, "ladder", requests, kExact, seed, resources);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->total.late, 0) << "seed " << seed;
    ASSERT_EQ(result->total.ok + result->total.refused, result->total.sent) << "seed " << seed;
    switches += result->switches;
  }
  EXPECT_GE(switches, 40);
}

TEST(CheckMemory, SaysWhatDoesNotFit) {
  const scheduler::Setup setup = ThreeModels(1);
  const auto message = [&](const Memory& memory) { return CheckMemory(memory, setup).message(); };
  EXPECT_EQ(message({}), "");
  Memory memory = MemoryOf(setup, 30 * kMiB);
  EXPECT_EQ(message(memory), "");
  memory.models[1].pinned = true;
  EXPECT_THAT(message(memory),
              HasSubstr("pinned models need more than the memory budget of 31,457,280"));
  memory.models[1].pinned = false;
  memory.models[1].reserved_bytes = 31 * kMiB;
  EXPECT_THAT(message(memory), HasSubstr("reserve 32,505,856 bytes of memory, more than"));
  memory = MemoryOf(setup, kMiB);
  memory.models[2].rungs.pop_back();
  EXPECT_THAT(message(memory), HasSubstr("\"embed\": memory of 2 rungs; there are 3"));
  memory.models.pop_back();
  EXPECT_THAT(message(memory), HasSubstr("memory of 2 models; there are 3"));
}

}  // namespace
}  // namespace hone::sim
