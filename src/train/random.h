// Random numbers that are the same on every machine: each use takes a stream of its own, named by
// numbers, so that nothing depends on what was drawn before, and a resumed run needs no state.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace hone::train {

// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  // The stream of this name: Random({seed, epoch}), Random({seed, epoch, example}).
  explicit Random(std::initializer_list<std::uint64_t> name);

  std::uint64_t Next();
  std::uint64_t Below(std::uint64_t bound);  // 0 .. bound-1, bound ≥ 1; bias below 2^-32
  double Uniform();                          // [0, 1)
  double Normal();                           // mean 0, variance 1 (Box and Muller 1958)

  template <typename T>
  void Shuffle(std::vector<T>* values) {
    for (std::size_t i = values->size(); i > 1; --i) {
      std::swap((*values)[i - 1], (*values)[static_cast<std::size_t>(Below(i))]);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace hone::train
