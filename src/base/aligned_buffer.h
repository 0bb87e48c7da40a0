// Memory aligned to a cache line, for packed weights and activations: a block of bytes, and a vector.
//
// AlignedBuffer owns its bytes, which begin uninitialised · not thread-safe · throws std::bad_alloc.
// A block of 2 MiB or more is a mapping of its own and asks the kernel for huge pages, since page faults
// dominate the packing of a large model; it goes back to the system when it is freed. One of 32 KiB or more
// is a piece of a huge page that others share (huge_pages.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

namespace hone::base {

inline constexpr std::size_t kCacheLineBytes = 64;

struct FreeBlock {
  enum class From : std::uint8_t { kHeap, kPiece, kMapping };
  From from = From::kHeap;
  std::size_t mapped = 0;  // bytes of a mapping
  void operator()(std::byte* p) const;
};

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes);

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  template <typename T>
  T* As() {
    return reinterpret_cast<T*>(data_.get());
  }
  template <typename T>
  const T* As() const {
    return reinterpret_cast<const T*>(data_.get());
  }

  // Makes room for at least `bytes`; keeps nothing of the old contents when it has to grow.
  void Reserve(std::size_t bytes);

 private:
  std::unique_ptr<std::byte[], FreeBlock> data_;
  std::size_t size_ = 0;
};

// Memory from the heap, aligned to a cache line: of an array that lies otherwise every load and store
// of a whole vector touches two lines.
template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{kCacheLineBytes}));
  }
  void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{kCacheLineBytes}); }
  bool operator==(const CacheLineAllocator&) const = default;
};
template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace hone::base
