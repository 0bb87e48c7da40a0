#include "server/api/aside.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace hone::server {
namespace {

// A job that runs until it is let go.
struct Held {
  std::promise<void> began, may_end;
  std::function<void()> job = [this] {
    began.set_value();
    may_end.get_future().wait();
  };
};

TEST(Aside, TakesSoManyJobsAndNoMore) {
  Aside aside("test", 1);
  Held held;
  ASSERT_TRUE(aside.Run(held.job));
  held.began.get_future().wait();
  int ran = 0;
  EXPECT_TRUE(aside.Run([&] { ++ran; })) << "one may wait";
  EXPECT_FALSE(aside.Run([&] { ran += 100; }));
  held.may_end.set_value();
  aside.Stop();
  EXPECT_EQ(ran, 1) << "what waits is done before it stops";
  EXPECT_FALSE(aside.Run([&] { ran += 100; })) << "after Stop";
  EXPECT_EQ(ran, 1);
}

TEST(Aside, DoesItsJobsInOrderOnAThreadOfItsOwn) {
  Aside aside("test", 100);
  std::vector<int> order;
  std::thread::id thread;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(aside.Run([&, i] {
      order.push_back(i);
      thread = std::this_thread::get_id();
    }));
  }
  aside.Stop();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_NE(thread, std::this_thread::get_id());
}

}  // namespace
}  // namespace hone::server
