#include "kernels/isa_limit.h"

#include <cstdint>

#include "hwy/highway.h"

namespace hone::kernels {

void LimitIsa(base::Isa limit) {
  std::int64_t disabled = 0;
#if defined(__x86_64__)
  // Bits below a target's own are better targets of its family.
  if (!base::IsaUsable(limit, base::Isa::kAvx512)) disabled |= (HWY_AVX3 << 1) - 1;
  if (!base::IsaUsable(limit, base::Isa::kAvx2)) disabled |= (HWY_AVX2 << 1) - 1;
#else
  if (!base::IsaUsable(limit, base::Isa::kNeon)) disabled |= HWY_NEON;
#endif
  hwy::DisableTargets(disabled);
  hwy::GetChosenTarget().DeInit();  // functions chosen before are chosen anew
}

}  // namespace hone::kernels
