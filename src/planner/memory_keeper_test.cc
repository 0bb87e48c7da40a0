#include "planner/memory_keeper.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hone::planner {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kMiB = 1 << 20;

RungState Rung(std::uint64_t mib, double accuracy, double ms, bool resident) {
  return {.bytes = mib * kMiB,
          .accuracy = accuracy,
          .resident = resident,
          .tables = {*LatencyTable::FromGrid({.lengths = {32}, .texts = {1}, .ms = {ms}})}};
}

// A busy model with its small rung in memory and a rare one with both.
std::vector<ModelState> BusyAndRare() {
  std::vector<ModelState> models(2);
  models[0].demand.rate_per_s = 100;
  models[0].rungs = {Rung(20, 0.92, 4, false), Rung(10, 0.90, 2, true)};
  models[1].demand.rate_per_s = 1;
  models[1].rungs = {Rung(15, 0.80, 3, true), Rung(5, 0.70, 1, true)};
  return models;
}

const std::vector<std::vector<bool>> kKeepNothing = {{false, false}, {false, false}};

MakingRoom RoomFor(const std::vector<ModelState>& models, std::uint64_t budget_bytes, RungRef rung,
                   const std::vector<std::vector<bool>>& choice = kKeepNothing) {
  return MakingRoom(MeanDemands(models), ResidentOf(models), choice, budget_bytes, rung,
                    std::vector<bool>(models.size()));
}

// Evicts whatever is asked for, and notes it.
std::function<bool(RungRef)> Noting(std::vector<RungRef>* evicted) {
  return [evicted](RungRef rung) {
    evicted->push_back(rung);
    return true;
  };
}

TEST(MemoryKeeper, LoadsWhatWouldServeBetterOnceItIsNoBurst) {
  MemoryKeeper keeper(36 * kMiB);
  std::vector<ModelState> models = BusyAndRare();
  EXPECT_THAT(keeper.Look(models, true, 0), IsEmpty()) << "seen for the first time";
  EXPECT_THAT(keeper.Look(models, false, 0), IsEmpty()) << "too soon to tell";
  EXPECT_THAT(keeper.Look(models, true, 0), ElementsAre(RungRef{0, 0}));
  EXPECT_THAT(keeper.Look(models, false, 0), ElementsAre(RungRef{0, 0}))
      << "and as long as it lasts";
  models[0].rungs[0].resident = true;
  models[1].rungs[0].resident = false;
  EXPECT_THAT(keeper.Look(models, true, 0), IsEmpty()) << "all is there";
  // The other way round; the first look after a change is not believed.
  std::swap(models[0].demand.rate_per_s, models[1].demand.rate_per_s);
  EXPECT_THAT(keeper.Look(models, true, 0), IsEmpty());
  EXPECT_THAT(keeper.Look(models, true, 0), ElementsAre(RungRef{1, 0}));
}

TEST(MemoryKeeper, SomebodyWhoWaitsComesFirstWhateverTheLook) {
  MemoryKeeper keeper(36 * kMiB);
  std::vector<ModelState> models = BusyAndRare();
  for (RungState& rung : models[1].rungs) rung.resident = false;
  models[1].wanted = models[1].waited_for = true;
  // Beside 30 MiB of the busy model there is room for the small rung.
  EXPECT_THAT(keeper.Look(models, false, 0), ElementsAre(RungRef{1, 1}));
  // Where the planner would keep neither, it is the smallest.
  models[0].reserved_bytes = 36 * kMiB;
  EXPECT_THAT(keeper.Look(models, false, 0), ElementsAre(RungRef{1, 1}));
  models[1].rungs[1].usable = false;
  EXPECT_THAT(keeper.Look(models, false, 0), ElementsAre(RungRef{1, 0}));
  models[1].rungs[0].usable = false;
  EXPECT_THAT(keeper.Look(models, false, 0), ElementsAre(RungRef{1, -1}))
      << "nobody waits for ever";
}

TEST(MemoryKeeper, EqualsDoNotTakeTurns) {
  MemoryKeeper keeper(10 * kMiB);
  std::vector<ModelState> models(2);
  for (ModelState& model : models) model.rungs = {Rung(10, 0.9, 2, false)};
  models[1].rungs[0].resident = true;  // the first would have been chosen as well
  for (double rate : {0.0, 50.0}) {
    for (ModelState& model : models) model.demand.rate_per_s = rate;
    for (int look = 0; look < 3; ++look)
      EXPECT_THAT(keeper.Look(models, true, 0), IsEmpty()) << rate;
  }
  models[0].demand.rate_per_s = 55;
  EXPECT_THAT(keeper.Look(models, true, 0), ElementsAre(RungRef{0, 0}));
}

TEST(MemoryKeeper, WhoWaitsIsNotServedByWhatWasAskedForBefore) {
  MemoryKeeper keeper(20 * kMiB);
  std::vector<ModelState> models(3);
  for (ModelState& model : models) model.rungs = {Rung(10, 0.9, 2, true)};
  models[2].rungs[0].resident = false;
  base::TimeNs now = 0;
  // The first two are asked for alike, then nobody asks for the first any more.
  for (int i = 0; i < 1000; ++i) {
    now += base::kMillisecondNs;
    models[1].demand.Asked(1, 32, base::kSecondNs, now);
    if (i < 900) models[0].demand.Asked(1, 32, base::kSecondNs, now);
  }
  for (ModelState& model : models) model.demand.Look(1);
  EXPECT_THAT(keeper.Look(models, true, now), IsEmpty());
  EXPECT_THAT(keeper.Look(models, true, now), IsEmpty());
  models[2].wanted = models[2].waited_for = true;
  for (int i = 0; i < 20; ++i)
    models[2].demand.Asked(1, 32, base::kSecondNs, now += base::kMillisecondNs);
  EXPECT_THAT(keeper.Look(models, false, now), ElementsAre(RungRef{2, 0}));
  std::vector<RungRef> evicted;
  EXPECT_EQ(keeper.RoomFor(models, {2, 0}).Try(Noting(&evicted)), MakingRoom::kMade);
  EXPECT_THAT(evicted, ElementsAre(RungRef{0, 0}))
      << "by the means of a second it would be worth more";
  // Nor does the plan of that second take it back.
  models[0].rungs[0].resident = false;
  models[2].rungs[0].resident = true;
  models[2].wanted = models[2].waited_for = false;
  EXPECT_THAT(keeper.Look(models, false, now), IsEmpty());
}

// Each would displace the other at every request, and neither would answer any.
TEST(MemoryKeeper, WhoCannotWaitTakesNothingFromAModelThatIsAskedFor) {
  MemoryKeeper keeper(10 * kMiB);
  std::vector<ModelState> models(2);
  for (ModelState& model : models) model.rungs = {Rung(10, 0.9, 2, false)};
  models[0].rungs[0].resident = true;
  base::TimeNs now = 0;
  const auto ask = [&](int model, double per_s, double seconds) {
    for (int i = 0; i < per_s * seconds; ++i) {
      now += static_cast<base::TimeNs>(base::kSecondNs / per_s);
      models[static_cast<std::size_t>(model)].demand.Asked(1, 32, 50 * base::kMillisecondNs, now);
    }
  };
  const auto room = [&](RungRef rung) {
    std::vector<RungRef> evicted;
    return keeper.RoomFor(models, rung).Try(Noting(&evicted));
  };
  ask(1, 20, 0.5);
  ask(0, 40, 0.5);
  for (ModelState& model : models) model.demand.Look(1);
  EXPECT_THAT(keeper.Look(models, true, now), IsEmpty());
  models[1].wanted = true;
  EXPECT_THAT(keeper.Look(models, false, now), ElementsAre(RungRef{1, 0}));
  EXPECT_EQ(room({1, 0}), MakingRoom::kNone) << "it is told so, and the other stays";
  models[1].waited_for = true;
  EXPECT_THAT(keeper.Look(models, false, now), ElementsAre(RungRef{1, 0}));
  EXPECT_EQ(room({1, 0}), MakingRoom::kMade) << "somebody is served by that";
  models[1].waited_for = false;

  // What is asked for more gets the place, after two looks.
  for (int look = 0; look < 3; ++look) {
    ask(0, 40, 0.25);
    ask(1, 300, 0.25);
    for (ModelState& model : models) model.demand.Look(0.5);
    keeper.Look(models, true, now);
  }
  EXPECT_THAT(keeper.Look(models, true, now), ElementsAre(RungRef{1, 0}));
  EXPECT_EQ(room({1, 0}), MakingRoom::kMade);
  EXPECT_THAT(keeper.Look(models, false, now), ElementsAre(RungRef{1, 0}));
  EXPECT_EQ(room({1, 0}), MakingRoom::kNone) << "the plan was tried, and the request is told so";

  // Nor does a model keep its place that nobody asks any more.
  now += 2 * base::kSecondNs;
  EXPECT_THAT(keeper.Look(models, false, now), ElementsAre(RungRef{1, 0}));
  EXPECT_EQ(room({1, 0}), MakingRoom::kMade);
}

TEST(MemoryKeeper, WhoCannotWaitTakesWhatLeavesOthersARung) {
  MemoryKeeper keeper(30 * kMiB);
  std::vector<ModelState> models = BusyAndRare();  // 20 and 10 MiB, 15 and 5
  for (RungState& rung : models[0].rungs) rung.resident = true;
  for (RungState& rung : models[1].rungs) rung.resident = false;
  const base::TimeNs now = base::kSecondNs;
  for (ModelState& model : models) model.demand.Asked(1, 32, base::kMillisecondNs, now);
  models[1].wanted = true;
  const auto loads = keeper.Look(models, false, now);
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].model, 1);
  std::vector<RungRef> evicted;
  EXPECT_EQ(keeper.RoomFor(models, {1, 1}).Try(Noting(&evicted)), MakingRoom::kMade);
  EXPECT_THAT(evicted, ElementsAre(RungRef{0, 0}));
  models[0].rungs[0].resident = false;
  models[1].rungs[1].resident = true;
  // 15 MiB fit beside the small rung, which is the last.
  evicted.clear();
  EXPECT_EQ(keeper.RoomFor(models, {1, 0}).Try(Noting(&evicted)), MakingRoom::kMade);
  models[0].rungs[1].bytes = 16 * kMiB;
  keeper.Look(models, false, now);
  EXPECT_EQ(keeper.RoomFor(models, {1, 0}).Try(Noting(&evicted)), MakingRoom::kNone);
  EXPECT_THAT(evicted, IsEmpty());
}

TEST(MemoryKeeper, ModelsMayComeAndGo) {
  MemoryKeeper keeper(36 * kMiB);
  std::vector<ModelState> models = BusyAndRare();
  for (int look = 0; look < 2; ++look) keeper.Look({models[1]}, true, 0);
  EXPECT_THAT(keeper.Look(models, true, 0), IsEmpty())
      << "the first of two is another than that of one";
  EXPECT_THAT(keeper.Look(models, true, 0), ElementsAre(RungRef{0, 0}));
  EXPECT_THAT(keeper.Look({}, true, 0), IsEmpty());
}

TEST(MemoryKeeper, NeverLoadsWhatFailedBefore) {
  MemoryKeeper keeper(100 * kMiB);
  std::vector<ModelState> models = BusyAndRare();
  models[0].rungs[0].usable = false;
  for (int look = 0; look < 3; ++look) EXPECT_THAT(keeper.Look(models, true, 0), IsEmpty());
}

TEST(MakingRoom, TheLeastUsefulGoAndNoMoreThanNeeded) {
  const std::vector<ModelState> models = BusyAndRare();
  std::vector<RungRef> evicted;
  EXPECT_EQ(RoomFor(models, 50 * kMiB, {0, 0}).Try(Noting(&evicted)), MakingRoom::kMade);
  EXPECT_THAT(evicted, IsEmpty());
  EXPECT_EQ(RoomFor(models, 45 * kMiB, {0, 0}).Try(Noting(&evicted)), MakingRoom::kMade);
  EXPECT_THAT(evicted, ElementsAre(RungRef{1, 0}));
}

TEST(MakingRoom, WhatIsToStayGoesLast) {
  std::vector<RungRef> evicted;
  const std::vector<std::vector<bool>> choice = {{true, false}, {true, false}};
  EXPECT_EQ(RoomFor(BusyAndRare(), 45 * kMiB, {0, 0}, choice).Try(Noting(&evicted)),
            MakingRoom::kMade);
  EXPECT_THAT(evicted, ElementsAre(RungRef{1, 1}));
}

TEST(MakingRoom, WaitsForWhatWasPromisedAndGivesUpInTheEnd) {
  const std::vector<ModelState> models = BusyAndRare();
  MakingRoom room = RoomFor(models, 20 * kMiB, {0, 0});
  bool promised = true;
  std::vector<RungRef> evicted;
  const auto evict = [&](RungRef rung) {
    if (promised && rung == RungRef{1, 1}) return false;
    evicted.push_back(rung);
    return true;
  };
  EXPECT_EQ(room.Try(evict), MakingRoom::kBlocked);
  EXPECT_THAT(evicted, ElementsAre(RungRef{1, 0}, RungRef{0, 1}));
  promised = false;
  EXPECT_EQ(room.Try(evict), MakingRoom::kMade);
  EXPECT_THAT(evicted, ElementsAre(RungRef{1, 0}, RungRef{0, 1}, RungRef{1, 1}));

  MakingRoom never = RoomFor(models, 20 * kMiB, {0, 0});
  int tries = 0;
  while (never.Try([](RungRef) { return false; }) == MakingRoom::kBlocked) ++tries;
  EXPECT_EQ(tries, MakingRoom::kTries - 1);
}

TEST(MakingRoom, SaysAtOnceWhereNothingThatMayGoWouldHelp) {
  std::vector<ModelState> models = BusyAndRare();
  std::vector<RungRef> evicted;
  EXPECT_EQ(RoomFor(models, 19 * kMiB, {0, 0}).Try(Noting(&evicted)), MakingRoom::kNone)
      << "20 MiB are more than all there is";
  EXPECT_THAT(evicted, IsEmpty());
  // Its own limit: others' rungs are in nobody's way.
  models[0].limit_bytes = 25 * kMiB;
  evicted.clear();
  EXPECT_EQ(RoomFor(models, 100 * kMiB, {0, 0}).Try(Noting(&evicted)), MakingRoom::kMade);
  EXPECT_THAT(evicted, ElementsAre(RungRef{0, 1}));
  models[0].limit_bytes = 15 * kMiB;
  evicted.clear();
  EXPECT_EQ(RoomFor(models, 100 * kMiB, {0, 0}).Try(Noting(&evicted)), MakingRoom::kNone);
  EXPECT_THAT(evicted, IsEmpty());
  // Pinned ones stay.
  models[0].limit_bytes = 0;
  models[1].pinned = true;
  evicted.clear();
  EXPECT_EQ(RoomFor(models, 35 * kMiB, {0, 0}).Try(Noting(&evicted)), MakingRoom::kNone);
  EXPECT_THAT(evicted, IsEmpty()) << "what would be for nothing";
}

}  // namespace
}  // namespace hone::planner
