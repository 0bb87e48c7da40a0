// Weights [n,k] rounded to nearest by their codecs (quant/int8.h, quant/int4.h), rows in parallel.
#pragma once

#include <span>

#include "base/thread_pool.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::compress {

quant::Int8Matrix NearestInt8(std::span<const float> weights, int n, int k, base::ThreadPool& pool);
quant::Int4Matrix NearestInt4(std::span<const float> weights, int n, int k, base::ThreadPool& pool);

}  // namespace hone::compress
