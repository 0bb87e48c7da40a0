// A block of memory aligned to a cache line, for packed weights and activations.
//
// Owns its bytes, which begin uninitialised · not thread-safe · throws std::bad_alloc.
// A block of 2 MiB or more asks the kernel for huge pages, since page faults dominate the packing
// of a large model.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace hone::base {

inline constexpr std::size_t kCacheLineBytes = 64;

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
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t size_ = 0;
};

}  // namespace hone::base
