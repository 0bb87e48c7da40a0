// Random numbers that are the same on every machine: each use takes a stream of its own, named by
// numbers, so that nothing depends on what was drawn before, and a resumed run needs no state.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "base/split_mix64.h"

namespace hone::train {

class Random : public base::SplitMix64 {
 public:
  // The stream of this name: Random({seed, epoch}), Random({seed, epoch, example}).
  explicit Random(std::initializer_list<std::uint64_t> name) : SplitMix64(SeedOf(name)) {}

  double Normal();  // mean 0, variance 1 (Box and Muller 1958)

  template <typename T>
  void Shuffle(std::vector<T>* values) {
    for (std::size_t i = values->size(); i > 1; --i) {
      std::swap((*values)[i - 1], (*values)[Below(i)]);
    }
  }

 private:
  static std::uint64_t SeedOf(std::initializer_list<std::uint64_t> name);
};

}  // namespace hone::train
