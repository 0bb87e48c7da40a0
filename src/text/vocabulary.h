// Tokens by id, ids by token.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone::text {

// A fast hash of short byte strings; not for adversaries, whose tables only get slower.
inline std::uint64_t HashBytes(std::string_view text) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = text.size() * kMultiplier;
  const char* p = text.data();
  std::size_t left = text.size();
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 32;
  };
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    mix(word);
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, left);
    mix(word);
  }
  return hash;
}

// Open addressing with linear probing, at most half full. Strings live elsewhere and must stay.
class TokenTable {
 public:
  void Reserve(std::size_t count);
  // A later insertion of the same text replaces the id, and gives the one before; else -1.
  std::int32_t Insert(std::string_view text, std::int32_t id);
  // -1 where there is none.
  std::int32_t Find(std::string_view text) const;
  std::size_t size() const { return size_; }
  std::size_t longest() const { return longest_; }  // bytes

 private:
  struct Slot {
    const char* text = nullptr;
    std::uint32_t size = 0;
    std::int32_t id = -1;
    std::uint32_t hash = 0;
  };
  void Rehash(std::size_t slots);

  std::vector<Slot> slots_;
  std::size_t size_ = 0, longest_ = 0;
};

// The model's tokens. Ids may have holes; Limits: ids below kMaxId.
class Vocabulary {
 public:
  static constexpr std::int32_t kMaxId = 1 << 21;

  // Reserves the memory of the tokens, which do not move afterwards.
  explicit Vocabulary(std::size_t bytes, std::size_t count);
  // False where the memory that was reserved is used up.
  bool Add(std::string_view token, std::int32_t id);

  // The first token or id that was added twice. Empty tokens, which nothing matches, may be many: ends of files.
  struct Repeat {
    std::string_view token, other;  // the same token, or two of one id
    std::int32_t id, other_id;
  };
  const std::optional<Repeat>& repeat() const { return repeat_; }
  // "the token "a" has two ids, 3 and 7"; nothing where no token or id repeats.
  std::optional<std::string> RepeatText() const;

  std::int32_t Find(std::string_view token) const { return table_.Find(token); }
  std::string_view Token(std::int32_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < tokens_.size()
               ? tokens_[static_cast<std::size_t>(id)]
               : std::string_view();
  }
  bool Has(std::int32_t id) const { return Token(id).data() != nullptr; }
  std::int32_t id_limit() const {
    return static_cast<std::int32_t>(tokens_.size());
  }  // highest id + 1
  std::size_t size() const { return table_.size(); }
  std::size_t longest() const { return table_.longest(); }

 private:
  std::vector<char> arena_;  // never grows beyond what was reserved: the views below point into it
  std::size_t capacity_;
  std::vector<std::string_view> tokens_;
  TokenTable table_;
  std::optional<Repeat> repeat_;
};

}  // namespace hone::text
