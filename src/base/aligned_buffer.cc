#include "base/aligned_buffer.h"

#include <sys/mman.h>

#include <new>

namespace hone::base {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  const std::size_t alignment = bytes >= kHugePageBytes ? kHugePageBytes : kCacheLineBytes;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
  if (data_ == nullptr) throw std::bad_alloc();  // as any container; the program reports it
  // Advice only: a kernel without transparent huge pages refuses, and nothing is lost.
  if (alignment == kHugePageBytes) (void)madvise(data_.get(), rounded, MADV_HUGEPAGE);
}

void AlignedBuffer::Reserve(std::size_t bytes) {
  if (bytes <= size_) return;
  *this = AlignedBuffer();  // never both at once
  *this = AlignedBuffer(bytes);
}

}  // namespace hone::base
