#include "base/aligned_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace hone::base {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

std::size_t RoundUp(std::size_t bytes, std::size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

// Whole huge pages of their own. Not from the heap: it would keep what is given back, and the advice with it,
// so that a few bytes used there later would cost two megabytes.
std::byte* MapHuge(std::size_t bytes) {
  const std::size_t asked = bytes + kHugePageBytes;  // enough to hold an aligned part
  void* const mapped =
      mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::size_t before = RoundUp(address, kHugePageBytes) - address;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + bytes, kHugePageBytes - before);
  // Advice only: a kernel without transparent huge pages refuses, and nothing is lost.
  (void)madvise(begin + before, bytes, MADV_HUGEPAGE);
  return begin + before;
}

}  // namespace

void FreeBlock::operator()(std::byte* p) const {
  if (mapped > 0) {
    munmap(p, mapped);
  } else {
    std::free(p);
  }
}

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  if (bytes < kHugePageBytes) {
    const std::size_t rounded = RoundUp(bytes, kCacheLineBytes);
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kCacheLineBytes, rounded)));
    if (data_ == nullptr) throw std::bad_alloc();  // as any container; the program reports it
    return;
  }
  const std::size_t rounded = RoundUp(bytes, kHugePageBytes);
  data_ = {MapHuge(rounded), FreeBlock{.mapped = rounded}};
}

void AlignedBuffer::Reserve(std::size_t bytes) {
  if (bytes <= size_) return;
  *this = AlignedBuffer();  // never both at once
  *this = AlignedBuffer(bytes);
}

}  // namespace hone::base
