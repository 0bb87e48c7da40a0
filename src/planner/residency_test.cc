#include "planner/residency.h"

#include <algorithm>
#include <cstdlib>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hone::planner {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kMiB = 1 << 20;

std::vector<ModelDemand> TwoLadders() {
  return {{.rate_per_s = 100,
           .rungs = {{.bytes = 20 * kMiB, .accuracy = 0.92, .request_ns = 4'000'000},
                     {.bytes = 10 * kMiB, .accuracy = 0.90, .request_ns = 2'000'000}}},
          {.rate_per_s = 1,
           .rungs = {{.bytes = 80 * kMiB, .accuracy = 0.80, .request_ns = 9'000'000},
                     {.bytes = 5 * kMiB, .accuracy = 0.70, .request_ns = 1'000'000}}}};
}

TEST(ChooseResident, KeepsEverythingWithoutLimit) {
  const Residency chosen = ChooseResident(TwoLadders(), 0);
  EXPECT_THAT(chosen.resident, ElementsAre(ElementsAre(true, true), ElementsAre(true, true)));
  EXPECT_EQ(chosen.bytes, 115 * kMiB);
}

TEST(ChooseResident, GivesEveryModelARungBeforeAnybodyASecond) {
  const Residency chosen = ChooseResident(TwoLadders(), 25 * kMiB);
  EXPECT_TRUE(chosen.resident[0][0] || chosen.resident[0][1]);
  EXPECT_THAT(chosen.resident[1], ElementsAre(false, true));
  EXPECT_LE(chosen.bytes, 25 * kMiB);
}

TEST(ChooseResident, TakesTheLargeRungBackWhereASmallOneWasInItsWay) {
  // The middle one adds most by itself, and then the best no longer fits; best and fastest are worth more.
  const std::vector<ModelDemand> ladder = {
      {.rate_per_s = 100,
       .rungs = {{.bytes = 10 * kMiB, .accuracy = 0.87, .request_ns = 1'000'000},
                 {.bytes = 5 * kMiB, .accuracy = 0.82, .request_ns = 500'000},
                 {.bytes = 2 * kMiB, .accuracy = 0.67, .request_ns = 180'000}}}};
  EXPECT_THAT(ChooseResident(ladder, 12 * kMiB).resident,
              ElementsAre(ElementsAre(true, false, true)));
}

TEST(ChooseResident, KeepsPinnedRungsAndSaysWhenTheyAloneAreTooMuch) {
  std::vector<ModelDemand> models = TwoLadders();
  models[1].rungs[0].pinned = true;
  const Residency chosen = ChooseResident(models, 90 * kMiB);
  EXPECT_TRUE(chosen.fits);
  EXPECT_TRUE(chosen.resident[1][0]);
  EXPECT_TRUE(chosen.resident[0][1]);  // 80 + 10
  EXPECT_FALSE(ChooseResident(models, 70 * kMiB).fits);
}

TEST(ChooseResident, LeavesOutWhatCannotBeLoaded) {
  std::vector<ModelDemand> models = TwoLadders();
  models[0].rungs[0] = {.bytes = 0, .accuracy = 0.92, .request_ns = 4'000'000, .usable = false};
  const Residency chosen = ChooseResident(models, 25 * kMiB);
  EXPECT_THAT(chosen.resident[0], ElementsAre(false, true)) << "the other rung must serve";
  EXPECT_THAT(ChooseResident(models, 0).resident[0], ElementsAre(false, true));
}

TEST(ChooseResident, KeepsToAModelsReservationAndLimit) {
  std::vector<ModelDemand> models = TwoLadders();
  // The first is asked for a hundred times as often; the second's memory is its own all the same.
  models[1].reserved_bytes = 85 * kMiB;
  Residency chosen = ChooseResident(models, 95 * kMiB);
  EXPECT_THAT(chosen.resident, ElementsAre(ElementsAre(false, true), ElementsAre(true, true)));
  models[1].reserved_bytes = 0;
  models[0].limit_bytes = 12 * kMiB;
  chosen = ChooseResident(models, 200 * kMiB);
  EXPECT_THAT(chosen.resident[0], ElementsAre(false, true)) << "though there is room";
  EXPECT_THAT(chosen.resident[1], ElementsAre(true, true));
}

TEST(EvictionOrder, LeavesWhatIsReserved) {
  std::vector<ModelDemand> models = TwoLadders();
  models[1].reserved_bytes = 4 * kMiB;
  const std::vector<std::vector<bool>> all = {{true, true}, {true, true}};
  const std::vector<RungRef> order = EvictionOrder(models, all);
  EXPECT_EQ(order.size(), 3U);
  EXPECT_EQ(std::ranges::count(order, 1, &RungRef::model), 1) << "one of the second's rungs stays";
}

// The most that any choice within the budget is worth.
double BestValue(const std::vector<ModelDemand>& models, std::uint64_t budget) {
  int rungs = 0;
  for (const ModelDemand& model : models) rungs += static_cast<int>(model.rungs.size());
  double best = 0;
  for (unsigned set = 0; set < 1u << rungs; ++set) {
    std::vector<std::vector<bool>> resident;
    std::uint64_t bytes = 0;
    unsigned bit = 0;
    for (const ModelDemand& model : models) {
      resident.emplace_back();
      for (const RungDemand& rung : model.rungs) {
        resident.back().push_back(set >> bit++ & 1);
        if (resident.back().back()) bytes += rung.bytes;
      }
    }
    if (bytes <= budget) best = std::max(best, ResidencyValue(models, resident));
  }
  return best;
}

TEST(ChooseResident, IsNearTheOptimumOfSmallCases) {
  double sum = 0, worst = 1;
  constexpr int kSeeds = 300;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return random() % n; };
    std::vector<ModelDemand> models(3);
    std::uint64_t total = 0;
    for (ModelDemand& model : models) {
      model.rate_per_s = 1 + below(100);
      std::uint64_t bytes = (8 + below(60)) * kMiB;
      double accuracy = 0.9;
      base::TimeNs time = 8'000'000;
      for (unsigned r = 1 + below(3); r > 0; --r) {
        model.rungs.push_back({.bytes = bytes, .accuracy = accuracy, .request_ns = time});
        total += bytes;
        bytes = bytes * (40 + below(50)) / 100;
        accuracy -= 0.01 * (1 + below(3));
        time = time * (30 + below(50)) / 100;
      }
    }
    const std::uint64_t budget = total * (20 + below(70)) / 100;
    const Residency chosen = ChooseResident(models, budget);
    ASSERT_LE(chosen.bytes, budget) << "seed " << seed;
    const double best = BestValue(models, budget);
    const double share = best > 0 ? ResidencyValue(models, chosen.resident) / best : 1;
    ASSERT_LE(share, 1 + 1e-9) << "seed " << seed;
    sum += share;
    worst = std::min(worst, share);
  }
  EXPECT_GE(sum / kSeeds, 0.97);
  EXPECT_GE(worst, 0.5);  // Greedy's promise for such sums (Leskovec et al. 2007, CELF) is 0.31.
}

TEST(EvictionOrder, GivesUpTheLeastUsefulPerByteFirstAndAModelsLastRungLate) {
  const std::vector<ModelDemand> models = TwoLadders();
  const std::vector<std::vector<bool>> all = {{true, true}, {true, true}};
  // The rare model's large rung adds accuracy to one request in a hundred; the busy model's last rung
  // carries everything.
  EXPECT_THAT(EvictionOrder(models, all),
              ElementsAre(RungRef{1, 0}, RungRef{1, 1}, RungRef{0, 0}, RungRef{0, 1}));
}

TEST(EvictionOrder, LeavesOutPinnedRungsAndThoseOnDisk) {
  std::vector<ModelDemand> models = TwoLadders();
  models[0].rungs[0].pinned = true;
  EXPECT_THAT(EvictionOrder(models, {{true, true}, {false, true}}),
              ElementsAre(RungRef{1, 1}, RungRef{0, 1}));
}

}  // namespace
}  // namespace hone::planner
