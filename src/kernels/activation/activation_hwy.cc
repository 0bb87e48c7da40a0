#include <algorithm>

#include "kernels/activation/activation.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activation/activation_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/activation/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

template <Activation kActivation>
void ActivateArray(float* x, int n) {
  MapVectors(x, n, x, [](F32V v, int) HWY_ATTR { return Activated<kActivation>(v); });
}

template <Activation kActivation>
void GateRows(const float* x, std::ptrdiff_t x_stride, int rows, int f, float* out,
              std::ptrdiff_t out_stride) {
  for (int r = 0; r < rows; ++r, x += x_stride, out += out_stride) {
    MapVectors(x, f, out, [&](F32V v, int i) HWY_ATTR {
      return hn::Mul(Activated<kActivation>(v), LoadWithin(x + f, i, f));
    });
  }
}

void ActivateAny(Activation activation, float* x, int n) {
  switch (activation) {
    case Activation::kNone: return;
    case Activation::kGelu: return ActivateArray<Activation::kGelu>(x, n);
    case Activation::kGeluTanh: return ActivateArray<Activation::kGeluTanh>(x, n);
    case Activation::kRelu: return ActivateArray<Activation::kRelu>(x, n);
    case Activation::kSilu: return ActivateArray<Activation::kSilu>(x, n);
    case Activation::kTanh: return ActivateArray<Activation::kTanh>(x, n);
  }
}

void GateAny(Activation activation, const float* x, std::ptrdiff_t x_stride, int rows, int f,
             float* out, std::ptrdiff_t out_stride) {
  switch (activation) {
    case Activation::kNone:
      return GateRows<Activation::kNone>(x, x_stride, rows, f, out, out_stride);
    case Activation::kGelu:
      return GateRows<Activation::kGelu>(x, x_stride, rows, f, out, out_stride);
    case Activation::kGeluTanh:
      return GateRows<Activation::kGeluTanh>(x, x_stride, rows, f, out, out_stride);
    case Activation::kRelu:
      return GateRows<Activation::kRelu>(x, x_stride, rows, f, out, out_stride);
    case Activation::kSilu:
      return GateRows<Activation::kSilu>(x, x_stride, rows, f, out, out_stride);
    case Activation::kTanh:
      return GateRows<Activation::kTanh>(x, x_stride, rows, f, out, out_stride);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::kernels {

HWY_EXPORT(ActivateAny);
HWY_EXPORT(GateAny);

void Activate(Activation activation, float* x, std::size_t n) {
  constexpr std::size_t kStep = 1 << 30;  // the body counts in int
  for (std::size_t i = 0; i < n; i += kStep) {
    HWY_DYNAMIC_DISPATCH(ActivateAny)(activation, x + i, static_cast<int>(std::min(kStep, n - i)));
  }
}

void Gate(Activation activation, const float* x, std::ptrdiff_t x_stride, int rows, int f,
          float* out, std::ptrdiff_t out_stride) {
  HWY_DYNAMIC_DISPATCH(GateAny)(activation, x, x_stride, rows, f, out, out_stride);
}

}  // namespace hone::kernels
#endif
