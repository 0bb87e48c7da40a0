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

// A first moment so small moves no weight any more: with ε in the denominator a step of it is below
// 1e-8 of the learning rate. Without gradients it becomes 0 instead of a denormal, which is slow.
constexpr float kNoMoment = 1e-16f;

// One step's factors in registers.
struct Factors {
  F32V scale, beta1, beta2, rest1, rest2, rate, correction, epsilon, keep;
};

HWY_ATTR Factors Load(const AdamWFactors& f) {
  const F32 d;
  return {hn::Set(d, f.gradient),        hn::Set(d, f.beta1),     hn::Set(d, f.beta2),
          hn::Set(d, 1 - f.beta1),       hn::Set(d, 1 - f.beta2), hn::Set(d, f.rate),
          hn::Set(d, f.root_correction), hn::Set(d, f.epsilon),   hn::Set(d, f.keep)};
}

HWY_ATTR void MoveWeight(const Factors& f, F32V& w, F32V m, F32V v) {
  const F32V root = hn::MulAdd(hn::Sqrt(v), f.correction, f.epsilon);
  w = hn::NegMulAdd(f.rate, hn::Div(m, root), hn::Mul(w, f.keep));
}

HWY_ATTR void StepVector(const Factors& f, F32V g, F32V& w, F32V& m, F32V& v) {
  g = hn::Mul(g, f.scale);
  m = hn::MulAdd(f.beta1, m, hn::Mul(f.rest1, g));
  v = hn::MulAdd(f.beta2, v, hn::Mul(f.rest2, hn::Mul(g, g)));
  MoveWeight(f, w, m, v);
}

HWY_ATTR void IdleVector(const Factors& f, F32V& w, F32V& m, F32V& v) {
  m = hn::Mul(f.beta1, m);
  m = hn::IfThenZeroElse(hn::Lt(hn::Abs(m), hn::Set(F32(), kNoMoment)), m);
  v = hn::Mul(f.beta2, v);
  MoveWeight(f, w, m, v);
}

// Calls body(w, m, v, i, lanes) for each vector of the three, which it may change.
template <typename Body>
HWY_ATTR void ForEachOfThree(std::size_t n, float* w, float* m, float* v, const Body& body) {
  const F32 d;
  const std::size_t lanes = static_cast<std::size_t>(kLanes);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    F32V w_i = hn::LoadU(d, w + i), m_i = hn::LoadU(d, m + i), v_i = hn::LoadU(d, v + i);
    body(w_i, m_i, v_i, i, kLanes);
    hn::StoreU(w_i, d, w + i);
    hn::StoreU(m_i, d, m + i);
    hn::StoreU(v_i, d, v + i);
  }
  if (i == n) return;
  const int rest = static_cast<int>(n - i);
  F32V w_i = simd::LoadFirst(w + i, rest), m_i = simd::LoadFirst(m + i, rest);
  F32V v_i = simd::LoadFirst(v + i, rest);
  body(w_i, m_i, v_i, i, rest);
  simd::StoreFirst(w_i, w + i, rest);
  simd::StoreFirst(m_i, m + i, rest);
  simd::StoreFirst(v_i, v + i, rest);
}

void Step(const AdamWFactors& factors, const float* gradient, std::size_t n, float* w, float* m,
          float* v) {
  const Factors f = Load(factors);
  ForEachOfThree(
      n, w, m, v, [&](F32V& w_i, F32V& m_i, F32V& v_i, std::size_t i, int lanes) HWY_ATTR {
        const F32V g =
            lanes == kLanes ? hn::LoadU(F32(), gradient + i) : simd::LoadFirst(gradient + i, lanes);
        StepVector(f, g, w_i, m_i, v_i);
      });
}

// All steps of a vector while it is in registers: the three streams pass through memory once.
void Idle(const AdamWFactors* factors, std::size_t steps, std::size_t n, float* w, float* m,
          float* v) {
  const F32 d;
  ForEachOfThree(n, w, m, v, [&](F32V& w_i, F32V& m_i, F32V& v_i, std::size_t, int) HWY_ATTR {
    std::size_t step = 0;
    for (; step < steps && !hn::AllTrue(d, hn::Eq(m_i, hn::Zero(d))); ++step) {
      IdleVector(Load(factors[step]), w_i, m_i, v_i);
    }
    for (; step < steps; ++step) {  // as above, where m is 0
      v_i = hn::Mul(hn::Set(d, factors[step].beta2), v_i);
      w_i = hn::Mul(w_i, hn::Set(d, factors[step].keep));
    }
  });
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
HWY_EXPORT(Idle);
HWY_EXPORT(Squares);

void StepAdamW(const AdamWFactors& factors, const float* gradient, std::size_t n, float* w,
               float* m, float* v) {
  HWY_DYNAMIC_DISPATCH(Step)(factors, gradient, n, w, m, v);
}

void IdleAdamW(const AdamWFactors* factors, std::size_t steps, std::size_t n, float* w, float* m,
               float* v) {
  HWY_DYNAMIC_DISPATCH(Idle)(factors, steps, n, w, m, v);
}

double SumOfSquares(const float* x, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(Squares)(x, n);
}

}  // namespace hone::kernels
#endif
