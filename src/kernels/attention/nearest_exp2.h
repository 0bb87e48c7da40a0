// 2^x as the vectors of AVX2 and NEON compute it, which have no instruction that scales by a power of
// two. Included inside a target region.
#pragma once

namespace hone::kernels {
namespace {

// A minimax polynomial of degree 3 in the distance to the nearest integer (7.5e-5), which adding 1.5 · 2^23
// finds: its sum's low bits then are the exponent field of that power. What is below 2^-30 rounds to zero
// later, -inf included.
template <typename V>
typename V::F NearestExp2(typename V::F x) {
  const auto magic = V::Set(12582912.0f + 127.0f);
  x = V::Max(V::Set(-30.0f), x);
  const auto biased = V::Add(x, magic);
  const auto f = V::Sub(x, V::Sub(biased, magic));
  auto p = V::Set(5.517165767e-2f);
  p = V::MulAdd(p, f, V::Set(2.426111213e-1f));
  p = V::MulAdd(p, f, V::Set(6.932609876e-1f));
  p = V::MulAdd(p, f, V::Set(9.999280736e-1f));
  return V::Mul(p, V::AsExponent(biased));
}

}  // namespace
}  // namespace hone::kernels
