#include "server/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "scheduler/policy.h"
#include "server/dispatch/answer_size.h"
#include "server/test_models.h"

namespace hone::server {
namespace {

using testing::HasSubstr;

constexpr base::TimeNs kLong = 60 * base::kSecondNs;

// A dispatcher of two cores with one tiny model.
class DispatcherTest : public ServiceTest {
 protected:
  void SetUp() override { Start({}); }

  // `edit` changes the latency tables of the one rung, by width.
  void Start(const std::function<void(std::vector<planner::LatencyTable>&)>& edit,
             int max_texts = 64) {
    Start(TinyModel("bert/embed-mean", "m"), {true}, edit, max_texts);
  }
  void Start(const std::string& directory, const std::vector<bool>& resident,
             const std::function<void(std::vector<planner::LatencyTable>&)>& edit,
             int max_texts = 64) {
    options_.models = {{.name = "m", .directory = directory, .max_texts = max_texts}};
    dispatcher_ = std::make_unique<Dispatcher>(options_, *planner::MakeLayouts(2, {}),
                                               *scheduler::MakePolicy("ladder"), [] {});
    KeptTables kept(files_, "", "", {});
    OpenContext context{.files = files_,
                        .isa = options_.isa,
                        .kept = kept,
                        .widths = dispatcher_->layouts().widths,
                        .pools = {dispatcher_->pool(0)},
                        .measure_ms = 5};
    auto files = ReadModelFiles(files_, options_.models[0]);
    ASSERT_TRUE(files.ok()) << files.status();
    TokenizerLoad tokenizer(files_, files->common_directory);
    auto model = OpenModel(context, options_.models[0], *std::move(files), tokenizer, resident);
    ASSERT_TRUE(model.ok()) << model.status();
    if (edit) edit(model->tables.front());
    endpoint_ = dispatcher_->AddModel(*std::move(model));
    dispatcher_->Start();
  }

  std::vector<float> RunOne(const std::string& text) {
    Replies replies;
    dispatcher_->Submit(Ask(endpoint_, {text}, kLong), replies.Next());
    const Reply reply = replies.Take().front();
    EXPECT_TRUE(reply.ok());
    return reply.ok() ? reply.results[0].outputs[0].values : std::vector<float>{};
  }

  ServiceOptions options_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::shared_ptr<const Endpoint> endpoint_;
};

TEST_F(DispatcherTest, NoBatchBeginsOnceItStops) {
  Replies replies;
  Hold hold(*dispatcher_, Ask(endpoint_, {"a"}, kLong));
  for (int i = 0; i < 5; ++i) {
    dispatcher_->Submit(Ask(endpoint_, {Words(i)}, kLong), replies.Next());
  }
  std::thread stop([&] { dispatcher_->Stop(); });
  // It accepts nothing more from the moment on from which it begins no batch.
  int accepted = 0;
  while (true) {
    Replies one;
    dispatcher_->Submit(Ask(endpoint_, {"b"}, kLong), replies.Next());
    ++accepted;
    if (replies.size() > 0) break;
  }
  hold.Release();
  stop.join();
  const std::vector<Reply> all = replies.Take();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(5 + accepted));
  for (const Reply& reply : all) {
    ASSERT_TRUE(reply.fault);
    EXPECT_EQ(reply.fault->kind, FaultKind::kUnavailable);
  }
}

TEST_F(DispatcherTest, SplitsChangeWhenNothingRunsAndTheBitsStay) {
  const std::vector<float> wide = RunOne("a b c");
  EXPECT_EQ(wide, Alone(options_.models[0].directory, "a b c")[0]);
  // The executor may still be on its way to sleep: the switch comes when it gets there.
  while (!dispatcher_->WantSplit(1, true)) {
  }
  EXPECT_EQ(dispatcher_->split(), 1);
  EXPECT_EQ(RunOne("a b c"), wide);
  ServiceStatus status;
  dispatcher_->AddStatus(&status);
  EXPECT_EQ(status.executors, (std::vector<int>{1, 1}));
  while (!dispatcher_->WantSplit(0, false)) std::this_thread::yield();
  EXPECT_EQ(RunOne("a b c"), wide);
}

// The front's threads are as nice as the process.
TEST_F(DispatcherTest, ComputingThreadsLetTheFrontGoFirst) {
  RunOne("a");
  int computing = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name != "compute") continue;
    ++computing;
    const auto thread = static_cast<id_t>(std::stoi(task.path().filename()));
    EXPECT_EQ(getpriority(PRIO_PROCESS, thread), std::min(getpriority(PRIO_PROCESS, 0) + 10, 19));
  }
  EXPECT_GE(computing, 2) << "the executor that ran, and its worker";
}

TEST_F(DispatcherTest, SaysOfAnAnswerWhetherNothingElseWaits) {
  Start({}, 1);  // so that no two share a batch
  Replies replies;
  {
    Hold held(*dispatcher_, Ask(endpoint_, {"a"}, kLong));
    dispatcher_->Submit(Ask(endpoint_, {"b"}, kLong), replies.Next());
    dispatcher_->Submit(Ask(endpoint_, {"c"}, kLong), replies.Next());
  }
  const std::vector<Reply> taken = replies.Take();
  EXPECT_FALSE(taken[0].at_once) << "the other was still to be computed";
  EXPECT_TRUE(taken[1].at_once);
}

TEST_F(DispatcherTest, ASplitThatKeepsAllPromisesComesWhileQueriesWait) {
  Hold held(*dispatcher_, Ask(endpoint_, {"a"}, kLong));
  Replies waiting;
  dispatcher_->Submit(Ask(endpoint_, {"b"}, kLong), waiting.Next());
  EXPECT_TRUE(dispatcher_->WantSplit(1, false)) << "a minute is enough for one core";
  EXPECT_TRUE(waiting.Take().front().ok()) << "the others answer, while the wide one is held";
}

// Promises leave what the front takes; where none can be given any more, no answer shows that it has caught up.
TEST_F(DispatcherTest, ASlowAnswerDoesNotRefuseForEver) {
  constexpr base::TimeNs kTight = 20 * base::kMillisecondNs;
  const auto ask = [&] {
    Replies replies;
    dispatcher_->Submit(Ask(endpoint_, {"a"}, kTight), replies.Next());
    return replies.Take().front();
  };
  dispatcher_->Sent(60 * base::kMillisecondNs);
  const Reply refused = ask();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.fault->kind, FaultKind::kRefused);
  bool accepted = false;
  for (int i = 0; i < 200 && !accepted; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const Reply reply = ask();
    accepted = reply.ok() || reply.fault->kind == FaultKind::kMissed;  // on a busy machine
  }
  EXPECT_TRUE(accepted);
}

TEST_F(DispatcherTest, WaitingForARungEndsWithTheDeadline) {
  ASSERT_TRUE(dispatcher_->Evict(endpoint_->number, 0));
  Replies replies;
  dispatcher_->Submit(Ask(endpoint_, {"a"}, 500 * base::kMillisecondNs), replies.Next());
  const Reply reply = replies.Take().front();  // nobody loads it
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.fault->kind, FaultKind::kUnavailable);
  EXPECT_THAT(reply.fault->message, HasSubstr("in time"));
  EXPECT_GT(reply.fault->retry_after_s, 0);
  ServiceStatus status;
  dispatcher_->AddStatus(&status);
  EXPECT_EQ(status.counters.missed, 0) << "it was never promised";
  EXPECT_EQ(status.queued, 0);
}

TEST_F(DispatcherTest, WhoWaitsForARungIsSeenToOverAChangeOfTheSplit) {
  ASSERT_TRUE(dispatcher_->Evict(endpoint_->number, 0));
  Replies replies;
  dispatcher_->Submit(Ask(endpoint_, {"a"}, 300 * base::kMillisecondNs), replies.Next());
  while (!dispatcher_->WantSplit(1, true)) {
  }
  EXPECT_THAT(replies.Take().front().fault->message, HasSubstr("in time"));
}

class LadderTest : public DispatcherTest {
 protected:
  void SetUp() override { Start(TinyLadder("bert/embed-mean", "l"), {false, false}, {}); }
};

TEST_F(LadderTest, ARungThatFailsLosesNobodyWhomAnotherOneMayServe) {
  Replies replies;
  dispatcher_->Submit(Ask(endpoint_, {"a"}, kLong), replies.Next());
  dispatcher_->RungFailed(endpoint_->number, 0, "broken");
  EXPECT_EQ(replies.size(), 0u);
  ServiceStatus status;
  dispatcher_->AddStatus(&status);
  EXPECT_EQ(status.queued, 1) << "the other rung may come";
  dispatcher_->RungFailed(endpoint_->number, 1, "broken too");
  EXPECT_THAT(replies.Take().front().fault->message, HasSubstr("broken too"));
}

TEST_F(DispatcherTest, AnswersUnderWayHoldNoMoreThanTheirLimit) {
  options_.max_answers_bytes = AnswerBytes(Ask(endpoint_, {"b"}, kLong));
  Hold held(*dispatcher_, Ask(endpoint_, {"a"}, kLong));  // answered: it counts no more
  Replies waiting, over;
  dispatcher_->Submit(Ask(endpoint_, {"b"}, kLong), waiting.Next());
  dispatcher_->Submit(Ask(endpoint_, {"c"}, kLong), over.Next());
  const Reply refused = over.Take().front();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.fault->kind, FaultKind::kRefused);
  EXPECT_THAT(refused.fault->message, HasSubstr("memory"));
  held.Release();
  EXPECT_TRUE(waiting.Take().front().ok());
  EXPECT_FALSE(RunOne("c").empty()) << "nothing is left counted";
}

// One core alone would take longer than any deadline here.
class SlowCoreTest : public DispatcherTest {
 protected:
  void SetUp() override {
    Start([](std::vector<planner::LatencyTable>& by_width) {
      by_width.front() =
          *planner::LatencyTable::FromGrid({.lengths = {1}, .texts = {1}, .ms = {1e6}});
    });
  }
};

TEST_F(SlowCoreTest, AHoldRefusesUntilTheSplitIsInForce) {
  Hold held(*dispatcher_, Ask(endpoint_, {"a"}, kLong));
  Replies waiting;
  dispatcher_->Submit(Ask(endpoint_, {"b"}, kLong), waiting.Next());
  EXPECT_FALSE(dispatcher_->WantSplit(1, false)) << "what waits would be late";
  bool refused = false;
  for (int attempt = 0; attempt < 100 && !refused; ++attempt) {
    std::atomic<bool> over{false};
    std::thread hold([&] {
      EXPECT_FALSE(dispatcher_->WantSplit(1, true)) << "it gives up after a while";
      over = true;
    });
    while (!refused && !over) {
      Replies replies;
      const Ticket ticket = dispatcher_->Submit(Ask(endpoint_, {"c"}, kLong), replies.Next());
      dispatcher_->Cancel(ticket);
      const Reply reply = replies.Take().front();
      refused = reply.fault->kind == FaultKind::kRefused;
      if (refused) {
        EXPECT_THAT(reply.fault->message, HasSubstr("split"));
      }
    }
    hold.join();
  }
  EXPECT_TRUE(refused);
  held.Release();
  EXPECT_TRUE(waiting.Take().front().ok());
  while (!dispatcher_->WantSplit(1, false)) std::this_thread::yield();
  EXPECT_EQ(dispatcher_->split(), 1);
}

}  // namespace
}  // namespace hone::server
