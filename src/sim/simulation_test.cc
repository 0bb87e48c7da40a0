// The promises of the policies, over thousands of seeds in made-up time.
#include "sim/simulation.h"

#include <array>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/test_traffic.h"

namespace hone::sim {
namespace {

using scheduler::Setup;

constexpr Machine kExact = {.sigma = 0};

SimResult RunPolicy(const Setup& setup, const std::string& policy,
                    const std::vector<SimRequest>& requests, const Machine& machine = kExact,
                    std::uint64_t seed = 1) {
  auto result = Simulate(setup, policy, requests, machine, seed);
  EXPECT_TRUE(result.ok()) << result.status();
  return *std::move(result);
}

// A setup and traffic that depend on the seed in everything.
struct Scene {
  Setup setup;
  std::vector<SimRequest> requests;
};

Scene SceneOf(std::uint64_t seed) {
  load::Random random(seed);
  Scene scene{.setup = ThreeModels(1 + static_cast<int>(random.Below(3))), .requests = {}};
  for (scheduler::Model& model : scene.setup.models) {
    model.max_texts = 1 << random.Below(6);
    // Sometimes the accurate rung or the fastest is not in memory.
    if (random.Below(4) == 0) model.rungs[2 * random.Below(2)].resident = false;
    if (random.Below(4) == 0) model.max_executors = 1;
  }
  scene.setup.max_batch_ns = (2 + static_cast<base::TimeNs>(random.Below(30))) * 1'000'000;
  const Traffic traffic{.load = 0.3 + 5 * random.Unit(),
                        .seconds = 0.06,
                        .arrivals = random.Below(2) == 0 ? "poisson" : "gamma:4",
                        .tenants = 1 + static_cast<int>(random.Below(3)),
                        .classes = true};
  scene.requests = MakeTraffic(scene.setup, traffic, random.Next());
  return scene;
}

TEST(Promises, AreAllKeptWhereTheMachineIsAsPredicted) {
  std::int64_t sent = 0, ok = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Scene scene = SceneOf(seed);
    if (scene.requests.empty()) continue;
    for (const char* policy : {"edf", "ladder"}) {
      const SimResult result = RunPolicy(scene.setup, policy, scene.requests);
      ASSERT_EQ(result.total.late, 0) << policy << ", seed " << seed;
      ASSERT_EQ(result.total.ok + result.total.refused, result.total.sent)
          << policy << ", seed " << seed;
      sent += result.total.sent;
      ok += result.total.ok;
    }
  }
  // Refusing everybody would keep every promise too.
  EXPECT_GT(static_cast<double>(ok), 0.5 * static_cast<double>(sent));
}

TEST(Promises, AreLostByNobodyWhateverTheMachineDoes) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Scene scene = SceneOf(seed);
    if (scene.requests.empty()) continue;
    for (const std::string_view policy : scheduler::PolicyNames()) {
      const SimResult result =
          RunPolicy(scene.setup, std::string(policy), scene.requests,
                    {.sigma = 0.2, .stall_every = 40, .stall_ms = 15, .front_ms = 0.05}, seed);
      const SimModelResult& total = result.total;
      ASSERT_EQ(total.ok + total.late + total.refused, total.sent) << policy << ", seed " << seed;
    }
  }
}

TEST(Promises, AreKeptOnAMachineWithNoise) {
  const auto setup = ThreeModels(2);
  for (const double load : {1.5, 3.0}) {
    std::int64_t sent = 0, accepted = 0, late = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto requests = MakeTraffic(setup, {.load = load, .seconds = 2}, seed);
      const SimResult result = RunPolicy(setup, "ladder", requests, {.sigma = 0.05}, seed);
      sent += result.total.sent;
      accepted += result.total.ok + result.total.late;
      late += result.total.late;
    }
    EXPECT_LE(static_cast<double>(late), 0.001 * static_cast<double>(accepted)) << load;
    // Refusing everybody would keep every promise too.
    EXPECT_GT(static_cast<double>(accepted), 0.9 * static_cast<double>(sent) / load) << load;
  }
}

TEST(Simulation, GivesTheSameForTheSameSeed) {
  const auto setup = ThreeModels(2);
  const auto requests = MakeTraffic(setup, {.load = 2, .seconds = 1, .tenants = 3}, 5);
  const Machine machine = {.sigma = 0.1, .stall_every = 50, .stall_ms = 5};
  const SimResult first = RunPolicy(setup, "ladder", requests, machine, 9);
  const SimResult again = RunPolicy(setup, "ladder", requests, machine, 9);
  const SimResult other = RunPolicy(setup, "ladder", requests, machine, 10);
  EXPECT_EQ(first.total.ok, again.total.ok);
  EXPECT_EQ(first.total.p99_ms, again.total.p99_ms);
  EXPECT_EQ(first.total.rungs, again.total.rungs);
  EXPECT_NE(first.total.p99_ms, other.total.p99_ms);
}

TEST(Simulation, ReportsProgressAndIsNotChangedByIt) {
  const auto setup = ThreeModels(2);
  const auto requests = MakeTraffic(setup, {.load = 2, .seconds = 20}, 5);
  ASSERT_GT(requests.size(), std::size_t{5000});
  std::size_t last = 0, calls = 0;
  const auto watched =
      Simulate(setup, "edf", requests, kExact, 1, {}, [&](std::size_t done, std::size_t total) {
        EXPECT_EQ(total, requests.size());
        EXPECT_LT(done, total);
        EXPECT_GE(done, last);
        last = done;
        ++calls;
      });
  ASSERT_TRUE(watched.ok()) << watched.status();
  EXPECT_GE(calls, std::size_t{2});
  EXPECT_LE(calls, 1 + requests.size() / 1000) << "a report costs nothing beside the requests";
  EXPECT_EQ(watched->total.ok, RunPolicy(setup, "edf", requests, kExact, 1).total.ok);
}

TEST(Simulation, NamesTheRequestThatIsWrong) {
  const auto setup = ThreeModels(1);
  const auto message = [&](const std::vector<SimRequest>& requests) {
    return Simulate(setup, "ladder", requests, kExact, 1).status().message();
  };
  EXPECT_THAT(message({}), testing::HasSubstr("no request"));
  EXPECT_THAT(message({{.at = 5}, {.at = 4}}), testing::HasSubstr("request 1"));
  EXPECT_THAT(message({{.model = 7}}), testing::HasSubstr("no model 7"));
  EXPECT_THAT(message({{.texts = 3, .tokens = 2}}), testing::HasSubstr("3 texts of 2 tokens"));
  EXPECT_THAT(Simulate(setup, "lifo", {{}}, kExact, 1).status().message(),
              testing::HasSubstr("ladder, edf, round_robin, fcfs"));
}

TEST(Ladder, AnswersHalfAsManyMoreThanFcfsWhereTheMachineIsOverloaded) {
  const auto setup = ThreeModels(2);
  for (const char* arrivals : {"poisson", "gamma:4"}) {
    for (const double load : {1.5, 3.0}) {
      const auto requests =
          MakeTraffic(setup, {.load = load, .seconds = 2, .arrivals = arrivals}, 3);
      const SimResult fcfs = RunPolicy(setup, "fcfs", requests),
                      edf = RunPolicy(setup, "edf", requests),
                      ladder = RunPolicy(setup, "ladder", requests);
      EXPECT_GE(ladder.goodput_per_s, 1.5 * fcfs.goodput_per_s) << arrivals << " " << load;
      EXPECT_GE(ladder.goodput_per_s, 1.2 * edf.goodput_per_s) << arrivals << " " << load;
      EXPECT_GE(ladder.accuracy_goodput_per_s, edf.accuracy_goodput_per_s);
      const auto bound = static_cast<double>(UpperBound(setup, requests));
      const double share = static_cast<double>(ladder.total.ok) / bound;
      EXPECT_LE(share, 1);
      EXPECT_GE(share, 0.9) << arrivals << " " << load;
    }
  }
}

// Mean accuracy of the answers, and how many of the sent were refused, for a setup of moderate deadlines.
SimResult AtLoad(double load, std::uint64_t seed) {
  const auto setup = ThreeModels(2);
  auto requests = MakeTraffic(setup, {.load = load, .seconds = 3}, seed);
  for (SimRequest& request : requests) request.deadline = request.at + 60'000'000;
  return RunPolicy(setup, "ladder", requests);
}

// Two models on two executors, of which the second takes ten times as long a token.
scheduler::Setup CheapAndDear() {
  scheduler::Setup setup{.widths = {1}};
  setup.models = {
      {.name = "cheap", .rungs = {{.name = "only", .tables = {LinearTable(0.1, 0.03)}}}},
      {.name = "dear", .rungs = {{.name = "only", .tables = {LinearTable(0.1, 0.3)}}}}};
  setup.executors = {{}, {}};
  return setup;
}

TEST(Ladder, RefusesFirstWhatCostsMostAndLeavesItSome) {
  const scheduler::Setup setup = CheapAndDear();
  // Each asks for nine tenths of the two cores and more; the dear one gives itself more time.
  std::vector<SimRequest> requests;
  for (int i = 0; i < 8000; ++i) {
    SimRequest request{.at = base::TimeNs{i} * 500'000, .model = i % 10 == 0, .tokens = 32};
    request.deadline = request.at + (request.model == 1 ? 200'000'000 : 20'000'000);
    requests.push_back(request);
  }
  const SimResult result = RunPolicy(setup, "ladder", requests);
  const auto share = [&](std::size_t model) {
    const SimModelResult& of = result.models[model];
    return static_cast<double>(of.ok) / static_cast<double>(of.sent);
  };
  // Were all alike, the dear ones, who book early, would have 0.9 of what they ask, the cheap ones 0.2.
  EXPECT_GT(share(0), 0.6);
  EXPECT_LT(share(1), 0.5);
  EXPECT_GT(share(1), 0.1);
  EXPECT_EQ(result.total.late, 0);
}

TEST(Ladder, DearOnesLeaveRoomForCheapOnesThatGiveMoreTime) {
  scheduler::Setup setup{.widths = {1}};
  setup.executors = {{}, {}};
  struct Stream {
    const char* name;
    double per_token_ms;
    std::size_t weight;
    base::TimeNs span;
  };
  // 5,400 a second ask for 3.8 cores of two: the cheap for 0.7, those in a hurry for 1.4, the dearest for 1.7.
  constexpr Stream kStreams[] = {{"cheap", 0.008, 5, 50'000'000},
                                 {"hurried", 0.027, 3, 20'000'000},
                                 {"dearest", 0.048, 2, 150'000'000}};
  for (const Stream& stream : kStreams) {
    setup.models.push_back(
        {.name = stream.name,
         .rungs = {{.name = "only", .tables = {LinearTable(0.1, stream.per_token_ms)}}}});
  }
  load::Random random(1);
  std::vector<SimRequest> requests;
  for (const load::Arrival& arrival :
       load::MakeArrivals(*load::ParseArrivals("poisson"), 5400, 4'000'000'000, random.Next())) {
    SimRequest request{.at = arrival.at, .tokens = static_cast<int>(8 + random.Below(49))};
    for (std::size_t left = random.Below(10); left >= kStreams[request.model].weight;
         ++request.model) {
      left -= kStreams[request.model].weight;
    }
    request.deadline = request.at + kStreams[request.model].span;
    requests.push_back(request);
  }
  const SimResult result = RunPolicy(setup, "ladder", requests, {.sigma = 0.05}, 1);
  // 88 % and 71 % where the dear only leave what comes before their own deadlines.
  EXPECT_GT(result.models[0].ok, result.models[0].sent * 91 / 100);
  EXPECT_GT(result.total.ok, result.total.sent * 73 / 100);
  EXPECT_GT(result.models[2].ok, result.models[2].sent * 20 / 100);
  EXPECT_EQ(result.total.late, 0);
}

TEST(Ladder, TurnsNobodyAwayForABurstThatIsOver) {
  const scheduler::Setup setup = CheapAndDear();
  // Half of the machine asked for by the cheap, a fifth by the dear, who give little more than their own time of
  // 9.7 ms; after two of six seconds a burst of a hundred dear ones.
  constexpr int kCheap = 6000, kOneDearIn = 25, kBurst = 100;
  std::vector<SimRequest> requests;
  const auto ask = [&](base::TimeNs at, int model, base::TimeNs span) {
    requests.push_back({.at = at, .model = model, .deadline = at + span, .tokens = 32});
  };
  for (int i = 0; i < kCheap; ++i) {
    const base::TimeNs at = base::TimeNs{i} * 1'000'000;
    ask(at, 0, 30'000'000);
    if (i % kOneDearIn == 0) ask(at, 1, 14'000'000);
    for (int k = 0; i == kCheap / 3 && k < kBurst; ++k) ask(at, 1, 30'000'000);
  }
  const SimResult result = RunPolicy(setup, "ladder", requests);
  EXPECT_GE(result.models[0].ok, kCheap * 95 / 100);
  EXPECT_GE(result.models[1].ok, kCheap / kOneDearIn * 9 / 10);
}

TEST(Ladder, GivesUpAccuracyBeforeItRefuses) {
  const SimResult light = AtLoad(0.4, 1);
  EXPECT_EQ(light.total.refused, 0);
  EXPECT_GT(light.total.accuracy, 0.9195);  // all but a few by the accurate rung, of 0.92
  double before = light.total.accuracy;
  for (const double load : {1.2, 2.0, 3.0}) {
    const SimResult result = AtLoad(load, 1);
    EXPECT_EQ(result.total.refused, 0) << load;
    EXPECT_LT(result.total.accuracy, before) << load;
    before = result.total.accuracy;
  }
  const SimResult over = AtLoad(8, 1);
  EXPECT_GT(over.total.refused, 0);
  EXPECT_NEAR(over.total.accuracy, 0.88, 0.002);  // by the fastest alone
}

TEST(Ladder, IsAccurateAgainWithinASecondWhenTheLoadFalls) {
  const auto setup = ThreeModels(2);
  std::vector<SimRequest> requests = MakeTraffic(setup, {.load = 6, .seconds = 2}, 1);
  std::vector<SimRequest> calm = MakeTraffic(setup, {.load = 0.4, .seconds = 3}, 2);
  for (SimRequest& request : calm) request.at += 2'000'000'000;
  requests.insert(requests.end(), calm.begin(), calm.end());
  for (SimRequest& request : requests) request.deadline = request.at + 60'000'000;
  // What the last two seconds add to the first three.
  std::vector<SimRequest> early;
  for (const SimRequest& request : requests) {
    if (request.at < 3'000'000'000) early.push_back(request);
  }
  const SimResult all = RunPolicy(setup, "ladder", requests),
                  first = RunPolicy(setup, "ladder", early);
  const auto added = [&](const std::string& rung) {
    const auto a = all.total.rungs.find(rung), b = first.total.rungs.find(rung);
    return (a == all.total.rungs.end() ? 0 : a->second) -
           (b == first.total.rungs.end() ? 0 : b->second);
  };
  EXPECT_GT(added("dense"), 200);
  EXPECT_GE(added("dense"), 49 * (added("2x") + added("4x")));
}

// The refused share of each class, low to high.
std::array<double, 3> RefusedByClass(double load) {
  const auto setup = ThreeModels(2);
  auto requests = MakeTraffic(setup, {.load = load, .seconds = 2, .classes = true}, 4);
  // Results are counted by model: each class has models of its own, which are the same.
  auto by_class = setup;
  const std::size_t models = setup.models.size();
  for (std::size_t m = 0; m < 2 * models; ++m) by_class.models.push_back(setup.models[m % models]);
  for (SimRequest& request : requests) {
    request.deadline = request.at + 60'000'000;
    request.model += static_cast<int>(models) * static_cast<int>(request.priority);
  }
  const SimResult result = RunPolicy(by_class, "ladder", requests);
  std::array<double, 3> refused = {}, sent = {};
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    refused[m / models] += static_cast<double>(result.models[m].refused);
    sent[m / models] += static_cast<double>(result.models[m].sent);
  }
  for (std::size_t c = 0; c < 3; ++c) refused[c] /= sent[c];
  return refused;
}

TEST(Classes, GiveWayInTheirOrder) {
  const auto busy = RefusedByClass(7), overrun = RefusedByClass(16);
  EXPECT_GT(busy[0], 0.1);  // low gives way, the others hardly notice
  EXPECT_LT(busy[1], 0.02);
  EXPECT_LT(busy[2], 0.02);
  EXPECT_GT(overrun[0], overrun[1] + 0.05);
  EXPECT_GT(overrun[1], overrun[2] + 0.05);
}

TEST(Tenants, EachGetTheirShareWhateverTheOtherSends) {
  // Tenant 0 sends ten times what tenant 1 does, each to a model of its own; together far too much.
  scheduler::Setup setup{.widths = {1}};
  for (const char* name : {"loud", "quiet"}) {
    setup.models.push_back(
        {.name = name, .rungs = {{.name = "only", .tables = {LinearTable(0.2, 0.05)}}}});
  }
  setup.executors = {{}, {}};
  // About 1,100 of them a second can be served.
  std::vector<SimRequest> requests;
  load::Random random(3);
  for (const load::Arrival& arrival :
       load::MakeArrivals(*load::ParseArrivals("poisson"), 5500, 4'000'000'000, 8)) {
    const int tenant = random.Below(11) == 0 ? 1 : 0;
    requests.push_back({.at = arrival.at,
                        .model = tenant,
                        .tenant = tenant,
                        .deadline = arrival.at + 50'000'000,
                        .tokens = 32});
  }
  const SimResult result = RunPolicy(setup, "ladder", requests);
  // The quiet one asks for 500 a second, less than half: it gets nearly all of it.
  const SimModelResult &loud = result.models[0], &quiet = result.models[1];
  EXPECT_GE(static_cast<double>(quiet.ok), 0.9 * static_cast<double>(quiet.sent));
  EXPECT_GE(result.busy, 0.9);
  EXPECT_GT(loud.refused, 0);

  for (SimRequest& request : requests) request.tenant = 0;  // nobody is told apart
  const SimResult unfair = RunPolicy(setup, "ladder", requests);
  EXPECT_LT(static_cast<double>(unfair.models[1].ok), 0.85 * static_cast<double>(quiet.ok));
}

}  // namespace
}  // namespace hone::sim
