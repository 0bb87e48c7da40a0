#include "base/huge_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace hone::base {
namespace {

std::uintptr_t PageOf(const std::byte* p) {
  return reinterpret_cast<std::uintptr_t>(p) / kHugePageBytes;
}

TEST(HugePages, PiecesShareAPageThatGoesBackWithTheLast) {
  std::byte* const a = TakeHugePiece(100);
  std::byte* const b = TakeHugePiece(kHugePageBytes / 2);
  EXPECT_EQ(PageOf(a), PageOf(b));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b) % 64, 0u);
  std::byte* const c = TakeHugePiece(kHugePageBytes / 2);  // does not fit beside them
  EXPECT_NE(PageOf(c), PageOf(a));
  GiveBackHugePiece(b);
  EXPECT_EQ(TakeHugePiece(kHugePageBytes / 2), b);  // the gap is used again
  for (std::byte* piece : {a, b, c}) {
    *piece = std::byte{1};
    GiveBackHugePiece(piece);
  }
  unsigned char resident = 0;
  auto* const page = reinterpret_cast<std::byte*>(PageOf(a) * kHugePageBytes);
  EXPECT_EQ(mincore(page, 1, &resident), -1);
  EXPECT_EQ(errno, ENOMEM);  // not mapped
}

// Every piece is filled with its number and still holds it when it is given back.
void TakeAndGiveBack(unsigned seed) {
  struct Taken {
    std::byte* begin;
    std::size_t bytes;
    unsigned char mark;
  };
  std::mt19937 random(seed);
  std::vector<Taken> taken;
  for (int i = 0; i < 2000; ++i) {
    if (taken.size() < 20 && random() % 5 != 0) {
      const std::size_t bytes = 1 + random() % (random() % 4 == 0 ? kHugePageBytes - 1 : 5000);
      taken.push_back({TakeHugePiece(bytes), bytes, static_cast<unsigned char>(random())});
      std::memset(taken.back().begin, taken.back().mark, bytes);
    } else if (!taken.empty()) {
      const std::size_t one = random() % taken.size();
      for (const std::size_t at : {std::size_t{0}, taken[one].bytes / 2, taken[one].bytes - 1}) {
        ASSERT_EQ(taken[one].begin[at], std::byte{taken[one].mark});
      }
      GiveBackHugePiece(taken[one].begin);
      taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(one));
    }
  }
  for (const Taken& one : taken) GiveBackHugePiece(one.begin);
}

TEST(HugePages, PiecesOfManyThreadsNeverOverlap) {
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) threads.emplace_back(TakeAndGiveBack, t);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hone::base
