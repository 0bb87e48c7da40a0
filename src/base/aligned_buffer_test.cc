#include "base/aligned_buffer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/huge_pages.h"

namespace hone::base {
namespace {

std::uintptr_t AddressOf(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p);
}

TEST(AlignedBuffer, BeginsALineAndHoldsWhatIsWritten) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{64}, std::size_t{65}, kHugePageBytes - 1, kHugePageBytes,
        kHugePageBytes + 1, 3 * kHugePageBytes}) {
    AlignedBuffer buffer(bytes);
    ASSERT_EQ(buffer.size(), bytes);
    EXPECT_EQ(
        AddressOf(buffer.data()) % (bytes < kHugePageBytes ? kCacheLineBytes : kHugePageBytes), 0u);
    buffer.data()[0] = std::byte{1};
    buffer.data()[bytes - 1] = std::byte{2};
    const AlignedBuffer moved = std::move(buffer);
    EXPECT_EQ(moved.data()[bytes - 1], std::byte{2});
  }
  EXPECT_TRUE(AlignedBuffer(0).empty());
}

TEST(AlignedBuffer, ReserveGrowsAndNeverShrinks) {
  AlignedBuffer buffer;
  buffer.Reserve(100);
  const std::byte* const first = buffer.data();
  buffer.Reserve(50);
  EXPECT_EQ(buffer.data(), first);
  buffer.Reserve(kHugePageBytes);
  EXPECT_EQ(buffer.size(), kHugePageBytes);
}

TEST(AlignedBuffer, LargeOnesGoBackToTheSystem) {
  std::byte* begin = nullptr;
  {
    AlignedBuffer buffer(2 * kHugePageBytes);
    begin = buffer.data();
    begin[0] = std::byte{1};
  }
  unsigned char resident = 0;
  EXPECT_EQ(mincore(begin, 1, &resident), -1);
  EXPECT_EQ(errno, ENOMEM);  // not mapped
}

TEST(AlignedVector, BeginsALine) {
  AlignedVector<float> values;
  for (int i = 0; i < 100; ++i) {
    values.push_back(static_cast<float>(i));
    ASSERT_EQ(AddressOf(values.data()) % kCacheLineBytes, 0u);
  }
  const AlignedVector<float> copy = values;
  EXPECT_EQ(copy, values);
}

}  // namespace
}  // namespace hone::base
