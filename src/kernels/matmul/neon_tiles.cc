// The two micro-kernels of NEON, 8 rows × 8 columns of int32 sums in 16 of the 32 registers.
//
//   sdot   8 activation and 8 weight loads for 64 instructions of 16 products
//   smmla  8 loads, 8 permutations and 8 weight loads for 32 instructions of 32 products
#if defined(__aarch64__)
#include <algorithm>
#include <array>

#include "kernels/matmul/neon.h"

namespace hone::kernels::neon {
namespace {

const std::int8_t* Values(const std::byte* p) {
  return reinterpret_cast<const std::int8_t*>(p);
}

template <typename Function, std::size_t kCount>
void ForEachTile(const PanelArgs& args, const std::array<Function, kCount>& tiles, int unit) {
  alignas(16) std::int32_t sums[kRows * kColumns];
  for (int m = 0; m < args.rows; m += kRows) {
    const int rows = std::min(args.rows - m, kRows);
    const std::byte* a = args.prepared + static_cast<std::size_t>(m) * args.prepared_stride;
    tiles[static_cast<std::size_t>((rows + unit - 1) / unit - 1)](args, a + kHeaderBytes, rows,
                                                                  sums);
    StoreTile(args, m, rows, sums);
  }
}

using TileFunction = void (*)(const PanelArgs&, const std::byte*, int, std::int32_t*);

}  // namespace
}  // namespace hone::kernels::neon

HONE_ARM_TARGET_BEGIN(HONE_ARM_DOT)
namespace hone::kernels::neon {
namespace {

template <int kR>
void DotTile(const PanelArgs& args, const std::byte* a, int, std::int32_t* out) {
  int32x4_t sum[kR][2];
  HONE_UNROLL for (int r = 0; r < kR; ++r) sum[r][0] = sum[r][1] = vdupq_n_s32(0);
  const std::int8_t* b = Values(args.weights);
  for (std::size_t block = 0; block < args.blocks; ++block, a += 16, b += 128) {
    int8x16_t x[kR];
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      x[r] = vld1q_s8(Values(a + static_cast<std::size_t>(r) * args.prepared_stride));
    }
    HONE_UNROLL for (int v = 0; v < 2; ++v) {
      const int8x16_t w0 = vld1q_s8(b + v * 16), w1 = vld1q_s8(b + 32 + v * 16);
      const int8x16_t w2 = vld1q_s8(b + 64 + v * 16), w3 = vld1q_s8(b + 96 + v * 16);
      HONE_UNROLL for (int r = 0; r < kR; ++r) {
        sum[r][v] = vdotq_laneq_s32(sum[r][v], w0, x[r], 0);
        sum[r][v] = vdotq_laneq_s32(sum[r][v], w1, x[r], 1);
        sum[r][v] = vdotq_laneq_s32(sum[r][v], w2, x[r], 2);
        sum[r][v] = vdotq_laneq_s32(sum[r][v], w3, x[r], 3);
      }
    }
  }
  HONE_UNROLL for (int r = 0; r < kR; ++r) {
    vst1q_s32(out + r * kColumns, sum[r][0]);
    vst1q_s32(out + r * kColumns + 4, sum[r][1]);
  }
}

constexpr std::array<TileFunction, 8> kDotTiles = {DotTile<1>, DotTile<2>, DotTile<3>, DotTile<4>,
                                                   DotTile<5>, DotTile<6>, DotTile<7>, DotTile<8>};

}  // namespace

void MultiplyPanelDot(const PanelArgs& args) {
  ForEachTile(args, kDotTiles, 1);
}

}  // namespace hone::kernels::neon
HONE_ARM_TARGET_END

HONE_ARM_TARGET_BEGIN(HONE_ARM_I8MM)
namespace hone::kernels::neon {
namespace {

// kP pairs of rows. Of an odd number the last row is multiplied twice and stored once.
template <int kP>
void MmlaTile(const PanelArgs& args, const std::byte* a, int rows, std::int32_t* out) {
  int32x4_t sum[kP][4];  // row 0 × columns 0, 1, then row 1 × columns 0, 1
  HONE_UNROLL for (int p = 0; p < kP; ++p) {
    HONE_UNROLL for (int j = 0; j < 4; ++j) sum[p][j] = vdupq_n_s32(0);
  }
  const std::size_t last = static_cast<std::size_t>(rows - 1) * args.prepared_stride;
  const std::int8_t* b = Values(args.weights);
  for (std::size_t block = 0; block < args.blocks; ++block, a += 16, b += 128) {
    int8x16_t low[kP], high[kP];  // of the 16 k: [2 rows][8 k] each
    HONE_UNROLL for (int p = 0; p < kP; ++p) {
      const std::size_t row = static_cast<std::size_t>(2 * p) * args.prepared_stride;
      const int64x2_t x0 = vreinterpretq_s64_s8(vld1q_s8(Values(a + row)));
      const int64x2_t x1 =
          vreinterpretq_s64_s8(vld1q_s8(Values(a + std::min(row + args.prepared_stride, last))));
      low[p] = vreinterpretq_s8_s64(vtrn1q_s64(x0, x1));
      high[p] = vreinterpretq_s8_s64(vtrn2q_s64(x0, x1));
    }
    HONE_UNROLL for (int j = 0; j < 4; ++j) {
      const int8x16_t w0 = vld1q_s8(b + j * 16), w1 = vld1q_s8(b + 64 + j * 16);
      HONE_UNROLL for (int p = 0; p < kP; ++p) {
        sum[p][j] = vmmlaq_s32(sum[p][j], low[p], w0);
        sum[p][j] = vmmlaq_s32(sum[p][j], high[p], w1);
      }
    }
  }
  HONE_UNROLL for (int p = 0; p < kP; ++p) {
    HONE_UNROLL for (int j = 0; j < 4; ++j) {
      vst1_s32(out + 2 * p * kColumns + j * 2, vget_low_s32(sum[p][j]));
      vst1_s32(out + (2 * p + 1) * kColumns + j * 2, vget_high_s32(sum[p][j]));
    }
  }
}

constexpr std::array<TileFunction, 4> kMmlaTiles = {MmlaTile<1>, MmlaTile<2>, MmlaTile<3>,
                                                    MmlaTile<4>};

}  // namespace

void MultiplyPanelMmla(const PanelArgs& args) {
  ForEachTile(args, kMmlaTiles, 2);
}

}  // namespace hone::kernels::neon
HONE_ARM_TARGET_END
#endif
