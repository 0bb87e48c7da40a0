#include "text/vocabulary.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/strings.h"

namespace hone::text {

void TokenTable::Reserve(std::size_t count) {
  if (count * 2 > slots_.size()) Rehash(std::bit_ceil(count * 2 + 2));
}

void TokenTable::Rehash(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.text == nullptr) continue;
    std::size_t i = slot.hash & mask;
    while (slots_[i].text != nullptr) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

std::int32_t TokenTable::Insert(std::string_view text, std::int32_t id) {
  if ((size_ + 1) * 2 > slots_.size()) Rehash(std::max<std::size_t>(16, slots_.size() * 2));
  const auto hash = static_cast<std::uint32_t>(HashBytes(text));
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  for (; slots_[i].text != nullptr; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.hash == hash && std::string_view(slot.text, slot.size) == text) {
      return std::exchange(slot.id, id);
    }
  }
  // An empty text still needs an address that is not null.
  slots_[i] = {text.data() == nullptr ? "" : text.data(), static_cast<std::uint32_t>(text.size()),
               id, hash};
  ++size_;
  longest_ = std::max(longest_, text.size());
  return -1;
}

std::int32_t TokenTable::Find(std::string_view text) const {
  if (slots_.empty()) return -1;
  const auto hash = static_cast<std::uint32_t>(HashBytes(text));
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].text != nullptr; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.hash == hash && std::string_view(slot.text, slot.size) == text) return slot.id;
  }
  return -1;
}

Vocabulary::Vocabulary(std::size_t bytes, std::size_t count) : capacity_(bytes + 1) {
  arena_.reserve(capacity_);
  tokens_.reserve(count);
  table_.Reserve(count);
}

bool Vocabulary::Add(std::string_view token, std::int32_t id) {
  if (id < 0 || id >= kMaxId || arena_.size() + token.size() > capacity_) return false;
  const std::size_t begin = arena_.size();
  arena_.insert(arena_.end(), token.begin(), token.end());
  const std::string_view stored(arena_.data() + begin, token.size());
  if (static_cast<std::size_t>(id) >= tokens_.size()) {
    tokens_.resize(static_cast<std::size_t>(id) + 1);
  }
  std::string_view& place = tokens_[static_cast<std::size_t>(id)];
  if (place.data() != nullptr && !repeat_) repeat_ = {place, stored, id, id};
  place = stored;
  const std::int32_t before = table_.Insert(stored, id);
  if (before >= 0 && !token.empty() && !repeat_) repeat_ = {stored, stored, before, id};
  return true;
}

std::optional<std::string> Vocabulary::RepeatText() const {
  if (!repeat_) return std::nullopt;
  const Repeat& it = *repeat_;
  if (it.token != it.other) {
    return base::StrCat("the id ", it.id, " is of two tokens, \"", it.token, "\" and \"", it.other,
                        "\"");
  }
  return it.id == it.other_id ? base::StrCat("the token \"", it.token, "\" is listed twice")
                              : base::StrCat("the token \"", it.token, "\" has two ids, ", it.id,
                                             " and ", it.other_id);
}

}  // namespace hone::text
