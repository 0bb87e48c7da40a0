// How int8 rows become columns of a panel for kernels whose instruction sums four bytes (VNNI).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hone::kernels {

// Writes k = 4s … 4s+3 of `row` at out + s·step_bytes; what is left of the last four stays as it
// is. Returns Σ row[k]. Whole words are moved, and the sum vectorises: a byte at a time, packing
// would take most of a model's loading time.
inline std::int32_t InterleaveRow(const std::int8_t* row, int k, std::byte* out,
                                  std::size_t step_bytes) {
  int done = 0;
  for (; done + 4 <= k; done += 4, out += step_bytes) {
    std::uint32_t four;
    std::memcpy(&four, row + done, sizeof four);
    std::memcpy(out, &four, sizeof four);
  }
  if (done < k) std::memcpy(out, row + done, static_cast<std::size_t>(k - done));
  std::int32_t sum = 0;
  for (int i = 0; i < k; ++i) sum += row[i];
  return sum;
}

}  // namespace hone::kernels
