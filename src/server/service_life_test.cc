// What happens to queries and models over time: cancelled, missed, unloaded, evicted, loaded again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <numeric>
#include <thread>

#include "base/strings.h"
#include "planner/table_file.h"
#include "server/service.h"
#include "server/test_models.h"

namespace hone::server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class ServiceLifeTest : public ServiceTest {
 protected:
  // One executor of one thread, so that a Hold holds everything.
  ServiceOptions One(const std::string& directory) const {
    ServiceOptions options;
    options.threads = 1;
    options.models = {{.name = "m", .directory = directory}};
    return options;
  }
  // The models m and n, alike in size, and memory for one and a half of them.
  ServiceOptions TwoWithRoomForOne() {
    ServiceOptions options = One(TinyModel("bert/embed-mean", "a"));
    options.models.push_back({.name = "n", .directory = TinyModel("bert/embed-cls", "b")});
    const auto whole = Start(options);
    if (whole) options.memory_bytes = whole->Status().resident_bytes * 3 / 4;
    return options;
  }
  // Longer than any delay of a busy machine that runs tests.
  static constexpr base::TimeNs kLong = 60 * base::kSecondNs;

  // Within half a minute.
  static bool Eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }
};

TEST_F(ServiceLifeTest, CancelledQueriesCostNothingAndAreAnsweredOnce) {
  const auto service = Start(One(TinyModel("bert/embed-mean", "m")));
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies replies;
  {
    Hold hold(*service, Ask(endpoint, {"a"}, kLong));
    std::vector<Ticket> tickets;
    for (int i = 0; i < 20; ++i) {
      tickets.push_back(service->Submit(Ask(endpoint, {Words(i)}, kLong), replies.Next()));
    }
    EXPECT_EQ(service->Status().queued, 20);
    for (int i = 0; i < 20; i += 2) service->Cancel(tickets[static_cast<std::size_t>(i)]);
    service->Cancel(tickets[0]);  // again: nothing
    service->Cancel({12345});     // nobody's
    EXPECT_EQ(service->Status().queued, 10);
    EXPECT_EQ(replies.size(), 10u);
  }
  int cancelled = 0, answered = 0;
  for (const Reply& reply : replies.Take()) {
    reply.ok() ? ++answered : ++cancelled;
    if (reply.fault) {
      EXPECT_EQ(reply.fault->kind, FaultKind::kCancelled);
    }
  }
  EXPECT_EQ(cancelled, 10);
  EXPECT_EQ(answered, 10);
  const Counters counters = service->Status().counters;
  EXPECT_EQ(counters.cancelled, 10);
  EXPECT_EQ(counters.texts, 11);
}

TEST_F(ServiceLifeTest, AnAcceptedDeadlineThatPassesIsAMissAndCounted) {
  const auto service = Start(One(TinyModel("bert/embed-mean", "m")));
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies replies;
  {
    Hold hold(*service, Ask(endpoint, {"a"}, kLong));
    service->Submit(Ask(endpoint, {"b"}, 50 * base::kMillisecondNs), replies.Next());
    service->Submit(Ask(endpoint, {"c"}, kLong), replies.Next());
    std::this_thread::sleep_for(milliseconds(60));
  }
  const std::vector<Reply> all = replies.Take();
  ASSERT_EQ(all.size(), 2u);
  const auto missed = std::ranges::count_if(
      all, [](const Reply& r) { return !r.ok() && r.fault->kind == FaultKind::kMissed; });
  EXPECT_EQ(missed, 1);
  EXPECT_EQ(service->Status().counters.missed, 1);
  EXPECT_EQ(service->Status().counters.answered, 2);
}

TEST_F(ServiceLifeTest, WhoLeavesAfterTheDeadlineWasMissed) {
  const auto service = Start(One(TinyModel("bert/embed-mean", "m")));
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies replies;
  Hold hold(*service, Ask(endpoint, {"a"}, kLong));
  const Ticket ticket =
      service->Submit(Ask(endpoint, {"b"}, 50 * base::kMillisecondNs), replies.Next());
  std::this_thread::sleep_for(milliseconds(60));
  service->Cancel(ticket);
  EXPECT_EQ(replies.Take().front().fault->kind, FaultKind::kMissed);
  EXPECT_EQ(service->Status().counters.missed, 1);
  EXPECT_EQ(service->Status().counters.cancelled, 0);
}

TEST_F(ServiceLifeTest, UnloadingAnswersWhatWasAccepted) {
  const auto service = Start(One(TinyModel("bert/embed-mean", "m")));
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies replies;
  std::thread unload;
  {
    Hold hold(*service, Ask(endpoint, {"a"}, kLong));
    for (int i = 0; i < 8; ++i) {
      service->Submit(Ask(endpoint, {Words(i)}, kLong), replies.Next());
    }
    unload = std::thread([&] { EXPECT_TRUE(service->Unload("m").ok()); });
    while (service->Find("m") != nullptr) std::this_thread::yield();
    // Whoever found it before may still ask; the answer says why not.
    Reply reply;
    do {
      Replies late;
      const Ticket ticket = service->Submit(Ask(endpoint, {"x"}, kLong), late.Next());
      service->Cancel(ticket);  // accepted before the model was closed
      reply = late.Take().front();
    } while (reply.fault->kind == FaultKind::kCancelled);
    EXPECT_EQ(reply.fault->kind, FaultKind::kUnavailable);
    EXPECT_THAT(reply.fault->message, HasSubstr("unloaded"));
  }
  for (const Reply& reply : replies.Take()) EXPECT_TRUE(reply.ok());
  unload.join();
  EXPECT_FALSE(service->Status().models.front().ready);
  EXPECT_TRUE(Eventually([&] { return service->Status().resident_bytes == 0; }));

  ASSERT_TRUE(service->Load("m").ok());
  const auto again = service->Find("m");
  ASSERT_TRUE(again);
  EXPECT_TRUE(Run(*service, Ask(again, {"a"})).ok());
  EXPECT_EQ(Run(*service, Ask(endpoint, {"a"})).fault->kind, FaultKind::kUnavailable)
      << "the old endpoint is another model's";
  EXPECT_FALSE(service->Load("other").ok());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(service->Load("m").ok());
    EXPECT_LT(service->Find("m")->number, 2) << "a place is used again";
  }
}

TEST_F(ServiceLifeTest, AModelThatLeavesHoldsUpNoOthersLoad) {
  const ServiceOptions options = TwoWithRoomForOne();
  for (const bool reload : {false, true}) {
    const auto service = Start(options);
    ASSERT_TRUE(service);
    ASSERT_TRUE(Run(*service, Ask(service->Find("m"), {"a"}, kLong)).ok());
    Replies replies;
    std::thread leave;
    const auto named = [&](const std::string& name) {
      const ServiceStatus status = service->Status();
      return std::ranges::count_if(
          status.models, [&](const ModelStatus& model) { return model.endpoint->name == name; });
    };
    const auto ready = [&](const std::string& name) {
      const ServiceStatus status = service->Status();
      return std::ranges::any_of(status.models, [&](const ModelStatus& model) {
        return model.endpoint->name == name && model.ready;
      });
    };
    {
      const auto old = service->Find("m");
      Hold hold(*service, Ask(old, {"a"}, kLong));
      service->Submit(Ask(old, {"b"}, kLong), replies.Next());  // answered only after the hold
      leave = std::thread(
          [&] { EXPECT_TRUE((reload ? service->Load("m") : service->Unload("m")).ok()); });
      while (service->Find("m") == old) std::this_thread::yield();
      service->Submit(Ask(service->Find("n"), {"c"}, kLong), replies.Next());
      EXPECT_TRUE(Eventually([&] { return ready("n"); }));
      leave.join();  // nor another unload or load
      EXPECT_EQ(named("m"), 1) << "the one that leaves and its successor are not both told of";
      EXPECT_EQ(named("n"), 1);
    }
    for (const Reply& reply : replies.Take()) EXPECT_TRUE(reply.ok());
    EXPECT_TRUE(
        Eventually([&] { return service->Status().resident_bytes <= options.memory_bytes; }));
  }
}

TEST_F(ServiceLifeTest, ReloadingUnderLoadLosesNothing) {
  ServiceOptions options = One(TinyLadder("bert/embed-mean", "l"));
  options.threads = 2;
  options.table_cache = Path("tables");
  const auto service = Start(options);
  ASSERT_TRUE(service);
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0}, lost{0};
  // Between finding and asking the model may have been replaced, once for each of the loads.
  constexpr int kLoads = 3;
  const auto ask = [&] {
    for (int i = 0; i <= kLoads; ++i) {
      const Reply reply = Run(*service, Ask(service->Find("m"), {"a b", "c"}, kLong));
      if (reply.ok() || reply.fault->kind != FaultKind::kUnavailable) return reply.ok();
    }
    return false;
  };
  std::vector<std::thread> clients;
  for (int t = 0; t < 2; ++t) {
    clients.emplace_back([&] {
      while (!stop) ask() ? ++answered : ++lost;
    });
  }
  for (int i = 0; i < kLoads; ++i) {
    const int before = answered;
    EXPECT_TRUE(service->Load("m").ok());
    EXPECT_TRUE(Eventually([&] { return answered > before; }));
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(lost.load(), 0);
  EXPECT_EQ(service->Status().models.size(), 1u);
}

TEST_F(ServiceLifeTest, AModelThatFailsToLoadLeavesTheOthersServing) {
  ServiceOptions options = One(TinyModel("bert/embed-mean", "m"));
  const std::string broken = TinyModel("bert/ForTokenClassification", "broken");
  Put("broken/bert_ForTokenClassification/model.safetensors", "no tensors");
  options.models.push_back({.name = "broken", .directory = broken});
  // A ladder one of whose rungs is broken serves with the other.
  const std::string ladder = TinyLadder("bert/embed-mean", "l");
  Put("l/dense/model.safetensors", "no tensors");
  options.models.push_back({.name = "ladder", .directory = ladder});
  const auto service = Start(options);
  ASSERT_TRUE(service);
  EXPECT_TRUE(Run(*service, Ask(service->Find("m"), {"a"})).ok());
  EXPECT_EQ(service->Find("broken"), nullptr);
  EXPECT_EQ(service->Only(), nullptr);
  const ServiceStatus status = service->Status();
  for (const ModelStatus& model : status.models) {
    EXPECT_EQ(model.ready, model.endpoint->name != "broken");
    if (model.endpoint->name != "broken") continue;
    EXPECT_THAT(model.error, HasSubstr("model.safetensors"));
  }
  const Reply reply = Run(*service, Ask(service->Find("ladder"), {"a"}));
  ASSERT_TRUE(reply.ok()) << reply.fault->message;
  EXPECT_EQ(reply.served.rung, "int8");
}

TEST_F(ServiceLifeTest, NumbersThatAreNotFiniteFailOnlyWhoAskedForThem) {
  const std::string model = TinyModel("bert/embed-mean", "m");
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.name != "bert/embed-mean") continue;
    std::vector<std::vector<float>> values;
    for (const tests::TinyTensor& tensor : tiny.folders.front().tensors) {
      values.push_back(tests::TinyValues(tensor.value, tensor.shape));
      if (tensor.name.find("word_embeddings") == std::string::npos) continue;
      constexpr std::size_t kIdOfA = 5;
      values.back()[kIdOfA * static_cast<std::size_t>(tensor.shape[1])] = NAN;
    }
    Put("m/bert_embed-mean/model.safetensors",
        tests::SafetensorsBytes(tiny.folders.front().tensors, values));
  }
  const auto service = Start(One(model));
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies sick, well;
  {
    // Both run in one batch.
    Hold hold(*service, Ask(endpoint, {"b"}, kLong));
    service->Submit(Ask(endpoint, {"c", "a"}, kLong), sick.Next());
    service->Submit(Ask(endpoint, {"c", "d"}, kLong), well.Next());
  }
  const Reply failed = sick.Take().front();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.fault->kind, FaultKind::kInternal);
  EXPECT_THAT(failed.fault->message, HasSubstr("not finite"));
  EXPECT_TRUE(well.Take().front().ok());
  EXPECT_EQ(service->Status().counters.failed, 1);
}

TEST_F(ServiceLifeTest, KeptTablesAreUsedAgainAndBrokenOnesMeasuredAnew) {
  ServiceOptions options = One(TinyLadder("bert/embed-mean", "l"));
  options.table_cache = Path("tables");
  std::vector<std::string> warnings;
  options.warn = [&](const std::string& message) { warnings.push_back(message); };
  const auto measured = [&] {
    const auto service = Start(options);
    double ms = 0;
    const ServiceStatus status = service->Status();
    for (const RungInfo& rung : status.models.front().rungs) {
      ms += rung.load.measure_ms;
    }
    EXPECT_TRUE(Run(*service, Ask(service->Find("m"), {"a"})).ok());
    return ms;
  };
  EXPECT_GT(measured(), 0);
  const std::vector<std::string> files = *files_.List(options.table_cache);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(measured(), 0) << "the second start measures nothing";
  Put("tables/" + files.front(), "{\"schema\": 1, \"kind\": \"latency-tables\", \"rungs\": [3]}");
  EXPECT_TRUE(warnings.empty());
  EXPECT_GT(measured(), 0);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("kept of \"m\" are of no use"));
  EXPECT_EQ(measured(), 0);
  // Another split has executors of other widths.
  options.threads = 2;
  options.split = {2};
  EXPECT_GT(measured(), 0);
}

// Loading beside others measures one thread alone, and guesses the others: as kept, that would be believed for good.
TEST_F(ServiceLifeTest, GuessedTablesAreNotKept) {
  ServiceOptions options = One(TinyModel("bert/embed-mean", "m"));
  options.threads = 2;
  options.table_cache = Path("tables");
  {
    const auto service = Start(options);
    ASSERT_TRUE(service);
    const std::vector<std::string> files = *files_.List(options.table_cache);
    ASSERT_EQ(files.size(), 1u);
    ASSERT_TRUE(files_.RemoveTree(options.table_cache + "/" + files.front()).ok());
    ASSERT_TRUE(service->Load("m").ok());
    EXPECT_TRUE(Run(*service, Ask(service->Find("m"), {"a"})).ok());
  }
  EXPECT_EQ(files_.List(options.table_cache)->size(), 0u) << "nor at the end";
  ASSERT_TRUE(Start(options));
  EXPECT_EQ(files_.List(options.table_cache)->size(), 1u) << "the next start measures";
}

TEST_F(ServiceLifeTest, TheDirectoryOfKeptTablesIsMadeWithThoseAboveIt) {
  ServiceOptions options = One(TinyModel("bert/embed-mean", "m"));
  options.table_cache = Path("fresh/cache/tables");
  options.warn = [](const std::string& message) { ADD_FAILURE() << message; };
  ASSERT_TRUE(Start(options));
  EXPECT_EQ(files_.List(options.table_cache)->size(), 1u);
}

TEST_F(ServiceLifeTest, TablesThatCannotBeKeptAreAWarningGivenOnce) {
  ServiceOptions options = One(TinyModel("bert/embed-mean", "m"));
  options.models.push_back({.name = "n", .directory = TinyModel("bert/embed-cls", "n")});
  Put("file", "");
  options.table_cache = Path("file/tables");
  std::vector<std::string> warnings;
  options.warn = [&](const std::string& message) { warnings.push_back(message); };
  {
    const auto service = Start(options);
    ASSERT_TRUE(service);
    EXPECT_TRUE(service->Load("m").ok());
    EXPECT_TRUE(Run(*service, Ask(service->Find("m"), {"a"})).ok());
  }
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("latency tables are not kept, those of \"m\""));
  EXPECT_THAT(warnings[0], HasSubstr(Path("file") + ": cannot create the directory"));
}

TEST_F(ServiceLifeTest, WhatServingTeachesOfLatencyIsKept) {
  ServiceOptions options = One(TinyModel("bert/embed-mean", "m"));
  options.table_cache = Path("tables");
  Start(options).reset();
  const std::string path = Path("tables/" + files_.List(options.table_cache)->front());
  const auto kept = [&] { return *planner::ParseTableFile(*files_.Read(path, 1 << 20), path); };
  planner::TableFile slow = kept();
  constexpr double kAbsurdMs = 1000;  // a batch of a tiny model takes microseconds
  for (double& ms : slow.rungs[0].tables[0].ms) ms = kAbsurdMs;
  Put("tables/" + files_.List(options.table_cache)->front(), planner::ToJson(slow));
  {
    const auto service = Start(options);
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(Run(*service, Ask(service->Find("m"), {Words(i)}, kLong)).ok());
    }
  }
  EXPECT_LT(kept().rungs[0].tables[0].ms[0], kAbsurdMs / 2);
}

TEST_F(ServiceLifeTest, AMemoryBudgetEvictsAndLoadsOnDemand) {
  ServiceOptions options = TwoWithRoomForOne();
  const auto service = Start(options);
  ASSERT_TRUE(service);
  EXPECT_GT(service->Status().resident_bytes, 0u);
  for (int i = 0; i < 6; ++i) {
    const auto endpoint = service->Find(i % 2 == 0 ? "m" : "n");
    const Reply reply = Run(*service, Ask(endpoint, {Words(i)}, kLong));
    ASSERT_TRUE(reply.ok()) << reply.fault->message;
    EXPECT_EQ(reply.results[0].outputs[0].values, Alone(endpoint->directory, Words(i))[0]);
    EXPECT_LE(service->Status().resident_bytes, options.memory_bytes);
  }
  // No time to load it: told when to come again, and by then it is there.
  const ServiceStatus status = service->Status();
  std::int64_t loads = 0, evictions = 0;
  for (const ModelStatus& model : status.models) {
    loads += model.rungs[0].loads;
    evictions += model.rungs[0].evictions;
  }
  EXPECT_GE(loads, 5) << "each but perhaps the first was asked of the model that was not there";
  EXPECT_EQ(loads, evictions);
  EXPECT_TRUE(status.models[0].ready && status.models[1].ready) << "on demand";
  const bool first = status.models[0].rungs[0].state == RungState::kReady;
  const auto absent = service->Find(first ? "n" : "m");
  const Reply early = Run(*service, Ask(absent, {"a"}, base::kMicrosecondNs * 900));
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.fault->kind, FaultKind::kUnavailable);
  EXPECT_GT(early.fault->retry_after_s, 0);
  EXPECT_TRUE(Run(*service, Ask(absent, {"a"}, kLong)).ok());

  // A model that is pinned can be loaded again: the one it replaces makes way.
  options.models[0].pinned = true;
  const auto pinned = Start(options);
  ASSERT_TRUE(pinned);
  EXPECT_TRUE(pinned->Load("m").ok());
  EXPECT_TRUE(Run(*pinned, Ask(pinned->Find("m"), {"a"}, kLong)).ok());

  options.models[0].pinned = options.models[1].pinned = true;
  EXPECT_THAT(Service::Start(files_, options).status().message(), HasSubstr("pinned"));
}

TEST_F(ServiceLifeTest, CountersAndHistogramsOutliveALoad) {
  const auto service = Start(One(TinyModel("bert/embed-mean", "m")));
  ASSERT_TRUE(service);
  const auto ask = [&] { return Run(*service, Ask(service->Find("m"), {"a"}, kLong)).ok(); };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask());
  EXPECT_TRUE(service->Load("m").ok());
  EXPECT_TRUE(ask());
  EXPECT_TRUE(service->Unload("m").ok());
  EXPECT_TRUE(service->Load("m").ok());
  EXPECT_TRUE(ask());
  const ModelStatus model = service->Status().models.front();
  EXPECT_EQ(model.counters.answered, 5);
  EXPECT_EQ(std::accumulate(model.total.counts.begin(), model.total.counts.end(), std::int64_t{0}),
            5);
  EXPECT_EQ(model.rungs[0].served, 5);
}

TEST_F(ServiceLifeTest, ALoadThatFailedIsTriedAgain) {
  ServiceOptions options = TwoWithRoomForOne();
  const auto service = Start(options);
  ASSERT_TRUE(service);
  const ServiceStatus status = service->Status();
  const ModelStatus& absent =
      status.models[status.models[0].rungs[0].state == RungState::kReady ? 1 : 0];
  const std::string weights = absent.endpoint->directory + "/model.safetensors";
  ASSERT_TRUE(files_.Move(weights, weights + ".gone").ok());
  const auto ask = [&] { return Run(*service, Ask(absent.endpoint, {"a"}, kLong)); };
  const Reply failed = ask();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.fault->kind, FaultKind::kUnavailable);
  const Reply soon = ask();
  ASSERT_FALSE(soon.ok());
  EXPECT_GT(soon.fault->retry_after_s, 0);
  EXPECT_LE(soon.fault->retry_after_s, 2);
  ASSERT_TRUE(files_.Move(weights + ".gone", weights).ok());
  EXPECT_TRUE(Eventually([&] { return ask().ok(); }));
}

TEST_F(ServiceLifeTest, ALadderIsNotReplacedByOneThatLacksARung) {
  const std::string ladder = TinyLadder("bert/embed-mean", "l");
  const auto service = Start(One(ladder));
  ASSERT_TRUE(service);
  const auto before = service->Find("m");
  const std::string rung = service->Status().models[0].rungs.back().name;
  const std::string weights = ladder + "/" + rung + "/model.safetensors";
  ASSERT_TRUE(files_.IsFile(weights)) << weights;
  ASSERT_TRUE(files_.Move(weights, weights + ".gone").ok());
  const base::Status load = service->Load("m");
  EXPECT_EQ(load.code(), base::StatusCode::kUnavailable);
  EXPECT_THAT(load.message(), HasSubstr("rung " + rung));
  EXPECT_EQ(service->Find("m"), before);
  EXPECT_TRUE(Run(*service, Ask(before, {"a"}, kLong)).ok());
}

TEST_F(ServiceLifeTest, AModelKeepsTheMemoryReservedForIt) {
  ServiceOptions options = TwoWithRoomForOne();
  // All that one of them needs: they are alike.
  options.models[0].reserved_bytes = options.memory_bytes * 2 / 3;
  const auto service = Start(options);
  ASSERT_TRUE(service);
  EXPECT_TRUE(service->Status().models[0].ready);
  const Reply reply = Run(*service, Ask(service->Find("n"), {"a"}, kLong));
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.fault->kind, FaultKind::kUnavailable);
  EXPECT_THAT(reply.fault->message, HasSubstr("other models hold them"));
  EXPECT_TRUE(Run(*service, Ask(service->Find("m"), {"a"}, kLong)).ok());

  options.models[0].reserved_bytes = options.memory_bytes + 1;
  EXPECT_THAT(Service::Start(files_, options).status().message(), HasSubstr("reserve"));
  options.models[0].reserved_bytes = 0;
  options.models[1].reserved_cores = 1.5;
  EXPECT_THAT(Service::Start(files_, options).status().message(),
              HasSubstr("1.5 cores are reserved"));
}

TEST_F(ServiceLifeTest, WhatNeverFitsIsToldSo) {
  ServiceOptions options = One(TinyModel("bert/embed-mean", "m"));
  options.memory_bytes = 1000;
  std::vector<std::string> warnings;
  options.warn = [&](const std::string& message) { warnings.push_back(message); };
  const auto service = Start(options);
  ASSERT_TRUE(service);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("the rung \"model\" of \"m\" will never be used"));
  EXPECT_THAT(warnings[0], HasSubstr("the budget has 1,000"));
  const Reply reply = Run(*service, Ask(service->Find("m"), {"a"}, kLong));
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.fault->message, HasSubstr("the budget has 1,000"));
  options.memory_bytes = 1 << 30;
  options.models[0].limit_bytes = 1000;
  const auto limited = Start(options);
  ASSERT_TRUE(limited);
  EXPECT_THAT(Run(*limited, Ask(limited->Find("m"), {"a"}, kLong)).fault->message,
              HasSubstr("limit_memory allows 1,000"));
}

TEST_F(ServiceLifeTest, DrainingRefusesTheNewAndAnswersTheOld) {
  const auto service = Start(One(TinyModel("bert/embed-mean", "m")));
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies replies;
  {
    Hold hold(*service, Ask(endpoint, {"a"}, kLong));
    service->Submit(Ask(endpoint, {"b"}, kLong), replies.Next());
    EXPECT_FALSE(service->Drain(0.01));
    EXPECT_EQ(Run(*service, Ask(endpoint, {"c"}, kLong)).fault->kind, FaultKind::kUnavailable);
  }
  EXPECT_TRUE(service->Drain(60));
  EXPECT_TRUE(replies.Take().front().ok());
}

TEST_F(ServiceLifeTest, GivingUpAnswersWhatStillWaitsAtOnce) {
  const auto service = Start(One(TinyModel("bert/embed-mean", "m")));
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies replies;
  Hold hold(*service, Ask(endpoint, {"a"}, kLong));
  for (int i = 0; i < 5; ++i) service->Submit(Ask(endpoint, {Words(i)}, kLong), replies.Next());
  EXPECT_FALSE(service->Drain(0.01));
  EXPECT_EQ(service->GiveUp(), 5);
  for (const Reply& reply : replies.Take()) {  // while the executor is held
    ASSERT_TRUE(reply.fault);
    EXPECT_EQ(reply.fault->kind, FaultKind::kUnavailable);
  }
  EXPECT_EQ(service->GiveUp(), 0);
}

TEST_F(ServiceLifeTest, ABusyMachineRefusesWithATimeToComeAgain) {
  ServiceOptions options = One(TinyModel("bert/embed-mean", "m"));
  options.models[0].max_texts = options.max_texts;
  options.models[0].max_batch_tokens = 1 << 20;
  const auto service = Start(options);
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("m");
  Replies replies;
  const std::vector<std::string> texts(static_cast<std::size_t>(options.max_texts), Words(6));
  {
    Hold hold(*service, Ask(endpoint, {"a"}, kLong));
    // Each takes milliseconds: no machine does ten thousand of them in two seconds.
    int accepted = 0;
    while (accepted < 10'000) {
      const Ticket ticket =
          service->Submit(Ask(endpoint, texts, 2 * base::kSecondNs), replies.Next());
      if (ticket.id == 0) break;
      ++accepted;
    }
    EXPECT_GT(accepted, 0);
    EXPECT_EQ(service->Status().counters.accepted, accepted + 1);
  }
  const std::vector<Reply> all = replies.Take();
  const auto refused = std::ranges::find_if(
      all, [](const Reply& r) { return r.fault && r.fault->kind == FaultKind::kRefused; });
  ASSERT_NE(refused, all.end());
  EXPECT_GT(refused->fault->retry_after_s, 0);
  EXPECT_THAT(refused->fault->message, HasSubstr("2000 ms"));
}

}  // namespace
}  // namespace hone::server
