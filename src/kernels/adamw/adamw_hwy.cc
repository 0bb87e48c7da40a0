#include "kernels/adamw/adamw.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/adamw/adamw_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace simd = hone::kernels::HWY_NAMESPACE;
namespace hn = hwy::HWY_NAMESPACE;
using simd::F32;
using simd::F32V;
using simd::kLanes;

void Step(const AdamWFactors& f, const float* gradient, std::size_t n, float* w, float* m,
          float* v) {
  const F32 d;
  const F32V scale = hn::Set(d, f.gradient), beta1 = hn::Set(d, f.beta1);
  const F32V beta2 = hn::Set(d, f.beta2), rest1 = hn::Set(d, 1 - f.beta1);
  const F32V rest2 = hn::Set(d, 1 - f.beta2), rate = hn::Set(d, f.rate);
  const F32V correction = hn::Set(d, f.root_correction), epsilon = hn::Set(d, f.epsilon);
  const F32V keep = hn::Set(d, f.keep);
  const auto step = [&](F32V g, F32V& w_i, F32V& m_i, F32V& v_i) HWY_ATTR {
    g = hn::Mul(g, scale);
    m_i = hn::MulAdd(beta1, m_i, hn::Mul(rest1, g));
    v_i = hn::MulAdd(beta2, v_i, hn::Mul(rest2, hn::Mul(g, g)));
    const F32V root = hn::MulAdd(hn::Sqrt(v_i), correction, epsilon);
    w_i = hn::NegMulAdd(rate, hn::Div(m_i, root), hn::Mul(w_i, keep));
  };
  const std::size_t lanes = static_cast<std::size_t>(kLanes);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    F32V w_i = hn::LoadU(d, w + i), m_i = hn::LoadU(d, m + i), v_i = hn::LoadU(d, v + i);
    step(gradient == nullptr ? hn::Zero(d) : hn::LoadU(d, gradient + i), w_i, m_i, v_i);
    hn::StoreU(w_i, d, w + i);
    hn::StoreU(m_i, d, m + i);
    hn::StoreU(v_i, d, v + i);
  }
  if (i == n) return;
  const int rest = static_cast<int>(n - i);
  F32V w_i = simd::LoadFirst(w + i, rest), m_i = simd::LoadFirst(m + i, rest);
  F32V v_i = simd::LoadFirst(v + i, rest);
  step(gradient == nullptr ? hn::Zero(d) : simd::LoadFirst(gradient + i, rest), w_i, m_i, v_i);
  simd::StoreFirst(w_i, w + i, rest);
  simd::StoreFirst(m_i, m + i, rest);
  simd::StoreFirst(v_i, v + i, rest);
}

void Scale(float factor, std::size_t n, float* w) {
  const F32V by = hn::Set(F32(), factor);
  simd::MapVectors(w, static_cast<int>(n), w, [&](F32V x, int) HWY_ATTR { return hn::Mul(x, by); });
}

// In doubles: the squares of small gradients would vanish beside the sum of a large tensor's.
double Squares(const float* x, std::size_t n) {
  double total = 0;
  constexpr std::size_t kBlock = 4096;  // short enough for a sum in floats
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    const std::size_t size = n - begin < kBlock ? n - begin : kBlock;
    F32V sum = hn::Zero(F32());
    simd::ForEachVector(x + begin, static_cast<int>(size),
                        [&](F32V g, int) HWY_ATTR { sum = hn::MulAdd(g, g, sum); });
    total += double{simd::SumLanes(sum)};
  }
  return total;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::kernels {

HWY_EXPORT(Step);
HWY_EXPORT(Scale);
HWY_EXPORT(Squares);

void StepAdamW(const AdamWFactors& factors, const float* gradient, std::size_t n, float* w,
               float* m, float* v) {
  HWY_DYNAMIC_DISPATCH(Step)(factors, gradient, n, w, m, v);
}

void ScaleValues(float factor, std::size_t n, float* w) {
  HWY_DYNAMIC_DISPATCH(Scale)(factor, n, w);
}

double SumOfSquares(const float* x, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(Squares)(x, n);
}

}  // namespace hone::kernels
#endif
