// The weights of the next panel, asked for while the tiles of this one are computed: at few rows a product
// is as fast as its weights arrive. Each tile asks for about an equal part, since a processor waits for
// memory in a few dozen places only.
#pragma once

#include <cstddef>

#include "kernels/matmul/matmul.h"
#include "kernels/matmul/x86.h"

namespace hone::kernels {
namespace {

class NextPanel {
 public:
  // By as many calls of AskForSome() as `steps` in each of `tiles`.
  NextPanel(const Upcoming& next, std::size_t steps, int tiles)
      : at_(next.begin), end_(next.begin + next.bytes) {
    const std::size_t calls = steps * static_cast<std::size_t>(tiles) * 64;
    part_ = (next.bytes + calls - 1) / calls * 64;
  }

  void AskForSome() {
    if (at_ >= end_) return;
    for (std::size_t line = 0; line < part_; line += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(at_ + line), _MM_HINT_T1);
    }
    at_ += part_;
  }

 private:
  const std::byte *at_, *end_;
  std::size_t part_ = 0;
};

}  // namespace
}  // namespace hone::kernels
