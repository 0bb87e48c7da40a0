// Remembers the tokens of words seen before: most words of a text are among a few thousand.
//
// Owns a fixed table (kEntries of one cache line). A word maps to two neighbouring entries; a new
// one takes the older place. Only short words with few tokens that cover them without a gap are
// kept.
//
// Thread-safety  none; one a thread.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "text/model.h"

namespace hone::text {

class WordCache {
 public:
  static constexpr std::size_t kEntries = 1 << 15;  // 2 MiB; half as many cost 8 % on wikitext
  static constexpr std::size_t kMaxWordBytes = 24;
  static constexpr std::size_t kMaxTokens = 6;

  struct Entry {
    std::uint64_t key[3];
    std::uint8_t size;  // 0: free
    std::uint8_t count;
    std::uint8_t ends[kMaxTokens];  // where each token ends
    std::int32_t ids[kMaxTokens];
  };

  struct Key {
    std::uint64_t words[3];
    std::size_t slot;
  };

  // 1 <= word.size() <= kMaxWordBytes. The three words and the size together are the text.
  static Key MakeKey(std::string_view word) {
    Key key = {{0, 0, 0}, 0};
    const char* p = word.data();
    const std::size_t size = word.size();
    if (size >= 8) {
      std::memcpy(&key.words[0], p, 8);
      std::memcpy(&key.words[1], p + size - 8, 8);
      if (size > 16) std::memcpy(&key.words[2], p + 8, 8);
    } else if (size >= 4) {
      std::uint32_t low, high;
      std::memcpy(&low, p, 4);
      std::memcpy(&high, p + size - 4, 4);
      key.words[0] = std::uint64_t{high} << 32 | low;
    } else {
      const auto at = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
      key.words[0] = at(0) | std::uint64_t{at(size / 2)} << 8 | std::uint64_t{at(size - 1)} << 16;
    }
    constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
    std::uint64_t hash = (key.words[0] ^ size) * kMultiplier;
    hash = (hash ^ hash >> 32 ^ key.words[1]) * kMultiplier;
    hash = (hash ^ hash >> 29 ^ key.words[2]) * kMultiplier;
    key.slot = static_cast<std::size_t>(hash >> 40) & (kEntries - 2);
    return key;
  }

  const Entry* Find(const Key& key, std::size_t size) const {
    for (std::size_t i = key.slot; i < key.slot + 2; ++i) {
      const Entry& entry = entries_[i];
      if (entry.size == size && entry.key[0] == key.words[0] && entry.key[1] == key.words[1] &&
          entry.key[2] == key.words[2]) {
        return &entry;
      }
    }
    return nullptr;
  }

  void Insert(const Key& key, std::size_t size, const PieceToken* tokens, std::size_t count) {
    if (count > kMaxTokens) return;
    Entry entry = {};
    std::memcpy(entry.key, key.words, sizeof entry.key);
    entry.size = static_cast<std::uint8_t>(size);
    entry.count = static_cast<std::uint8_t>(count);
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (tokens[i].begin != end) return;
      end = tokens[i].end;
      entry.ids[i] = tokens[i].id;
      entry.ends[i] = static_cast<std::uint8_t>(end);
    }
    entries_[key.slot + 1] = entries_[key.slot];
    entries_[key.slot] = entry;
  }

 private:
  struct Free {
    void operator()(Entry* entries) const { std::free(entries); }
  };
  // calloc, since it leaves fresh pages alone.
  std::unique_ptr<Entry[], Free> entries_{
      static_cast<Entry*>(std::calloc(kEntries, sizeof(Entry)))};
};

}  // namespace hone::text
