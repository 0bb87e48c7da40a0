#include "train/random.h"

#include <cmath>
#include <numbers>

namespace hone::train {

std::uint64_t Random::SeedOf(std::initializer_list<std::uint64_t> name) {
  std::uint64_t seed = 0;
  for (const std::uint64_t part : name) seed = base::MixBits(seed + base::kSplitMixStep + part);
  return seed;
}

double Random::Normal() {
  const double radius = std::sqrt(-2 * std::log(1 - Unit()));
  return radius * std::cos(2 * std::numbers::pi * Unit());
}

}  // namespace hone::train
