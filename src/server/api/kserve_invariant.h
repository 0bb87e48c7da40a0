// What holds of every tensor that a reader of requests lets through: as many elements as its shape
// says, and the same values when written raw and read again. For the fuzzers of the two protocols
// that carry them, JSON and gRPC.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "server/api/kserve_infer.h"

namespace hone::server {

// Aborts where it does not hold.
inline void CheckTensor(const InferTensor& tensor) {
  std::int64_t elements = 0;
  HONE_CHECK(!CountElements(tensor.name, tensor.shape, &elements));
  HONE_CHECK(static_cast<std::size_t>(elements) ==
             tensor.bytes.size() + tensor.floats.size() + tensor.ints.size());
  InferTensor again{.name = tensor.name, .type = tensor.type, .shape = tensor.shape};
  HONE_CHECK(!ReadRaw(WriteRaw(tensor), &again));
  HONE_CHECK(again.bytes == tensor.bytes && again.ints == tensor.ints);
  // By their bits: a NaN is not equal to itself.
  HONE_CHECK(std::ranges::equal(again.floats, tensor.floats, [](float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  }));
}

}  // namespace hone::server
