// FNV-1a of 64 bits: a hash of short texts that is the same on every machine; not for adversaries.
//
// Source  Fowler, Noll, Vo; RFC 9923.
#pragma once

#include <cstdint>
#include <string_view>

namespace hone::base {

inline constexpr std::uint64_t kFnv1aBasis = 0xCBF29CE484222325u;

// `hash`: of what stands before the text.
constexpr std::uint64_t Fnv1a(std::string_view text, std::uint64_t hash = kFnv1aBasis) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

}  // namespace hone::base
