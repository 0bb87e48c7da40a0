// Makes Highway's own dispatch (layer norm, activations, …) obey the level that kernel lists obey.
//
// Process-wide, because Highway's dispatch is. Call it once at the start, before any kernel runs:
// the program and the test main do when HONE_ISA is set, nothing else.
#pragma once

#include "base/isa.h"

namespace hone::kernels {

void LimitIsa(base::Isa limit);

}  // namespace hone::kernels
