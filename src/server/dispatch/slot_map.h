// Things that are known by a number and live for a while: a request by its ticket, a part of it by the
// scheduler's id. Numbers ascend and are never used twice; finding one touches one place.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace hone::server {

template <typename T>
class SlotMap {
 public:
  // id = order of arrival · 2^kSlotBits + slot; never 0.
  std::uint64_t Add(T value) {
    if (free_.empty()) {
      HONE_CHECK(slots_.size() < std::size_t{1} << kSlotBits);
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    const std::uint64_t id = ++added_ << kSlotBits | slot;
    slots_[slot] = {id, std::move(value)};
    return id;
  }

  T* Find(std::uint64_t id) {
    const std::uint64_t slot = id & kSlotMask;
    if (id == 0 || slot >= slots_.size() || slots_[slot].id != id) return nullptr;
    return &*slots_[slot].value;
  }

  void Erase(std::uint64_t id) {
    if (Find(id) == nullptr) return;
    const auto slot = static_cast<std::uint32_t>(id & kSlotMask);
    slots_[slot] = {};
    free_.push_back(slot);
  }

  std::size_t size() const { return slots_.size() - free_.size(); }

  std::vector<std::uint64_t> Ids() const {
    std::vector<std::uint64_t> ids;
    for (const Slot& slot : slots_) {
      if (slot.id != 0) ids.push_back(slot.id);
    }
    return ids;
  }

 private:
  static constexpr int kSlotBits = 22;
  static constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;
  struct Slot {
    std::uint64_t id = 0;  // 0: free
    std::optional<T> value;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t added_ = 0;
};

}  // namespace hone::server
