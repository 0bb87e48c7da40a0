// All that reduced-inl.h and the vectors include, for the .cc to include outside of its target region: inside,
// inline functions of the standard library would be compiled for the region's instruction set.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "kernels/attention/attention.h"
