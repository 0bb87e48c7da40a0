// Memory in huge pages: mappings of whole ones, and pieces of pages that are shared.
//
// Where a small model's weights lie in physical memory decides how much of them a second-level cache
// keeps: 4 KiB pages come from anywhere, many of them from the same few sets. A rung of the demo (1 MiB of
// cache, Zen 4) took 28.5 µs a pass in some processes and 35 to 37 in others, in huge pages 28.5 in all ten.
// Not from the heap: it would keep what is given back, and the advice with it, so that a few bytes used
// there later would cost two megabytes.
//
// Advice only: a kernel without transparent huge pages gives ordinary ones, and nothing else changes.
// Thread-safe · throws std::bad_alloc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hone::base {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// `bytes` is a multiple of kHugePageBytes; given back by UnmapHuge with the same number.
std::byte* MapHuge(std::size_t bytes);
void UnmapHuge(std::byte* begin, std::size_t bytes);

// Fewer bytes than a huge page, from one that others share; begins a cache line. A page goes back to the
// system with its last piece.
std::byte* TakeHugePiece(std::size_t bytes);
void GiveBackHugePiece(std::byte* piece);

// Mappings and pieces taken so far, for tests that nothing is.
std::int64_t HugeTakes();

}  // namespace hone::base
