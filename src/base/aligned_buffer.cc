#include "base/aligned_buffer.h"

#include <cstdlib>
#include <new>

#include "base/huge_pages.h"

namespace hone::base {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kEndsAreWatched = true;
#elif defined(__has_feature)
constexpr bool kEndsAreWatched = __has_feature(address_sanitizer);
#else
constexpr bool kEndsAreWatched = false;
#endif

// Smaller ones come from the heap; so do all up to a huge page where AddressSanitizer watches their ends.
constexpr std::size_t kLeastPieceBytes = kEndsAreWatched ? kHugePageBytes : std::size_t{32} << 10;

std::size_t RoundUp(std::size_t bytes, std::size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

}  // namespace

void FreeBlock::operator()(std::byte* p) const {
  switch (from) {
    case From::kHeap: std::free(p); return;
    case From::kPiece: GiveBackHugePiece(p); return;
    case From::kMapping: UnmapHuge(p, mapped); return;
  }
}

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  if (bytes < kLeastPieceBytes) {
    const std::size_t rounded = RoundUp(bytes, kCacheLineBytes);
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kCacheLineBytes, rounded)));
    if (data_ == nullptr) throw std::bad_alloc();  // as any container; the program reports it
  } else if (bytes < kHugePageBytes) {
    data_ = {TakeHugePiece(bytes), FreeBlock{.from = FreeBlock::From::kPiece}};
  } else {
    const std::size_t rounded = RoundUp(bytes, kHugePageBytes);
    data_ = {MapHuge(rounded), FreeBlock{.from = FreeBlock::From::kMapping, .mapped = rounded}};
  }
}

void AlignedBuffer::Reserve(std::size_t bytes) {
  if (bytes <= size_) return;
  *this = AlignedBuffer();  // never both at once
  *this = AlignedBuffer(bytes);
}

}  // namespace hone::base
