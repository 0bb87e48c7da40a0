#include "compress/latency/steady.h"

#include <gtest/gtest.h>

#include <vector>

namespace hone::compress {
namespace {

// A machine on which the dense model takes what `dense_ms` says, timing after timing, and the candidate,
// whatever the dense model does, 10 ms and a thousandth more each time, so that a test sees which one was taken.
class Machine {
 public:
  explicit Machine(std::vector<double> dense_ms) : dense_ms_(std::move(dense_ms)) {}

  LatencyPair operator()() {
    const double dense = dense_ms_.at(static_cast<std::size_t>(timings_));
    const double candidate = 10 + 0.001 * timings_++;
    return {{dense, dense, dense}, {candidate, candidate, candidate}};
  }
  int timings() const { return timings_; }

 private:
  std::vector<double> dense_ms_;
  int timings_ = 0;
};

// A machine whose dense model takes 100 ms in sixteen timings, as many as count, and `then_ms` from there on.
Machine ChangingTo(double then_ms) {
  std::vector<double> dense_ms(SteadyTimer::kLatest, 100);
  dense_ms.resize(100, then_ms);
  return Machine(dense_ms);
}

TEST(SteadyTimer, TimesOnceWhereNothingDisturbs) {
  Machine machine({100, 103, 98, 101});
  SteadyTimer timer;
  EXPECT_EQ(timer.usual_ms(), 0);
  for (int i = 1; i <= 4; ++i) {
    timer.Time(std::ref(machine));
    EXPECT_EQ(machine.timings(), i);
  }
  EXPECT_DOUBLE_EQ(timer.usual_ms(), 98);
}

TEST(SteadyTimer, TimesAgainUntilTheDisturbanceIsOver) {
  Machine machine({100, 101, 180, 175, 102});
  SteadyTimer timer;
  timer.Time(std::ref(machine));
  timer.Time(std::ref(machine));
  const LatencyPair pair = timer.Time(std::ref(machine));
  EXPECT_EQ(machine.timings(), 5);
  EXPECT_DOUBLE_EQ(pair.dense.p50_ms, 102);
  EXPECT_DOUBLE_EQ(pair.candidate.p50_ms, 10.004) << "of the same timing as the dense model's";
}

TEST(SteadyTimer, ForgetsAFirstTimingThatWasDisturbed) {
  Machine machine({180, 100, 101, 179, 100});
  SteadyTimer timer;
  EXPECT_DOUBLE_EQ(timer.Time(std::ref(machine)).dense.p50_ms, 180) << "nothing else is known yet";
  EXPECT_DOUBLE_EQ(timer.Time(std::ref(machine)).dense.p50_ms, 100);
  EXPECT_DOUBLE_EQ(timer.Time(std::ref(machine)).dense.p50_ms, 101);
  EXPECT_DOUBLE_EQ(timer.Time(std::ref(machine)).dense.p50_ms, 100);
  EXPECT_EQ(machine.timings(), 5);
}

TEST(SteadyTimer, GivesUpWithTheNearest) {
  std::vector<double> dense(4, 100);
  dense.resize(4 + SteadyTimer::kMostTimes, 180);
  dense[6] = 120;
  Machine machine(dense);
  SteadyTimer timer;
  for (int i = 0; i < 4; ++i) timer.Time(std::ref(machine));
  EXPECT_DOUBLE_EQ(timer.Time(std::ref(machine)).dense.p50_ms, 120);
  EXPECT_EQ(machine.timings(), 4 + SteadyTimer::kMostTimes);
}

TEST(SteadyTimer, AMachineThatStaysSlowerIsSoonTheUsual) {
  Machine machine = ChangingTo(120);
  SteadyTimer timer;
  for (int i = 0; i < 18; ++i) timer.Time(std::ref(machine));
  EXPECT_DOUBLE_EQ(timer.usual_ms(), 120);
  const int before = machine.timings();
  timer.Time(std::ref(machine));
  EXPECT_EQ(machine.timings(), before + 1);
}

TEST(SteadyTimer, AMachineThatBecomesFasterToo) {
  Machine machine = ChangingTo(80);
  SteadyTimer timer;
  for (int i = 0; i < 17; ++i) timer.Time(std::ref(machine));
  EXPECT_DOUBLE_EQ(timer.usual_ms(), 80);
  EXPECT_EQ(machine.timings(), 20) << "four of sixteen are a quartile";
}

}  // namespace
}  // namespace hone::compress
