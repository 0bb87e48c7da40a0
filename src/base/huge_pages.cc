#include "base/huge_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>
#include <vector>

#include "base/check.h"

namespace hone::base {
namespace {

constexpr std::size_t kLine = 64;

std::atomic<std::int64_t> takes = 0;

std::uintptr_t AddressOf(const std::byte* p) {
  return reinterpret_cast<std::uintptr_t>(p);
}

struct Piece {
  std::size_t begin, end;  // within its page
};

struct Page {
  std::byte* begin = nullptr;
  std::vector<Piece> pieces = {};  // in order
};

class SharedPages {
 public:
  std::byte* Take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    for (Page& page : pages_) {
      if (std::byte* const piece = TakeFrom(page, bytes)) return piece;
    }
    pages_.push_back({.begin = MapHuge(kHugePageBytes)});
    return TakeFrom(pages_.back(), bytes);
  }

  void GiveBack(std::byte* piece) {
    const std::lock_guard lock(mutex_);
    const auto page =
        std::ranges::find(pages_, AddressOf(piece) / kHugePageBytes,
                          [](const Page& one) { return AddressOf(one.begin) / kHugePageBytes; });
    HONE_CHECK(page != pages_.end());
    const auto offset = static_cast<std::size_t>(piece - page->begin);
    HONE_CHECK(std::erase_if(page->pieces, [&](const Piece& one) { return one.begin == offset; }) ==
               1);
    if (!page->pieces.empty()) return;
    UnmapHuge(page->begin, kHugePageBytes);
    pages_.erase(page);
  }

 private:
  // The first gap that is large enough; null where there is none.
  static std::byte* TakeFrom(Page& page, std::size_t bytes) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= page.pieces.size(); ++i) {
      const bool last = i == page.pieces.size();
      if (begin + bytes <= (last ? kHugePageBytes : page.pieces[i].begin)) {
        page.pieces.insert(page.pieces.begin() + static_cast<std::ptrdiff_t>(i),
                           {begin, begin + bytes});
        return page.begin + begin;
      }
      if (!last) begin = (page.pieces[i].end + kLine - 1) / kLine * kLine;
    }
    return nullptr;
  }

  std::mutex mutex_;
  std::vector<Page> pages_;
};

// Never destroyed: a buffer may outlive every static object.
SharedPages& TheSharedPages() {
  static SharedPages& pages = *new SharedPages;
  return pages;
}

}  // namespace

std::byte* MapHuge(std::size_t bytes) {
  takes.fetch_add(1, std::memory_order_relaxed);
  const std::size_t asked = bytes + kHugePageBytes;  // enough to hold an aligned part
  void* const mapped =
      mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t past = AddressOf(begin) % kHugePageBytes;
  const std::size_t before = past == 0 ? 0 : kHugePageBytes - past;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + bytes, kHugePageBytes - before);
  (void)madvise(begin + before, bytes, MADV_HUGEPAGE);
  return begin + before;
}

void UnmapHuge(std::byte* begin, std::size_t bytes) {
  munmap(begin, bytes);
}

std::byte* TakeHugePiece(std::size_t bytes) {
  HONE_CHECK(bytes > 0 && bytes < kHugePageBytes);
  takes.fetch_add(1, std::memory_order_relaxed);
  return TheSharedPages().Take(bytes);
}

void GiveBackHugePiece(std::byte* piece) {
  TheSharedPages().GiveBack(piece);
}

std::int64_t HugeTakes() {
  return takes;
}

}  // namespace hone::base
