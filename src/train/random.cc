#include "train/random.h"

#include <cmath>
#include <numbers>

namespace hone::train {
namespace {

std::uint64_t Mix(std::uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

}  // namespace

Random::Random(std::initializer_list<std::uint64_t> name) : state_(0) {
  for (const std::uint64_t part : name) state_ = Mix(state_ + kGolden + part);
}

std::uint64_t Random::Next() {
  return Mix(state_ += kGolden);
}

std::uint64_t Random::Below(std::uint64_t bound) {
  return Next() % bound;
}

double Random::Uniform() {
  return static_cast<double>(Next() >> 11) * 0x1p-53;
}

double Random::Normal() {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

}  // namespace hone::train
