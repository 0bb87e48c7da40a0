// What the integer kernels of NEON share: targets, the two layouts of a panel, rows, and the
// epilogue.
//
//   panel     8 columns of int8, K padded with zeros to a multiple of 16, in the order one
//             instruction eats:
//               sdot   [K/4][8][4]       16 bytes are 4 columns × 4 k
//               smmla  [K/8][4][2][8]    16 bytes are 2 columns × 8 k
//   prepared  f32 scale, 60 bytes of padding, int8 [K], to 64 bytes
#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.h"

#define HONE_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define HONE_UNROLL _Pragma("unroll")
#define HONE_ARM_TARGET_BEGIN(isa) \
  HONE_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define HONE_ARM_TARGET_END HONE_PRAGMA(clang attribute pop)
#define HONE_ARM_DOT "dotprod"
#define HONE_ARM_I8MM "i8mm,dotprod,bf16"
#else
#define HONE_UNROLL _Pragma("GCC unroll 32")
#define HONE_ARM_TARGET_BEGIN(isa) HONE_PRAGMA(GCC push_options) HONE_PRAGMA(GCC target(isa))
#define HONE_ARM_TARGET_END HONE_PRAGMA(GCC pop_options)
// The architecture too, since GCC inlines an intrinsic only where all of its own target is allowed;
// every processor with dotprod is at least an ARMv8.2.
#define HONE_ARM_DOT "arch=armv8.2-a+dotprod"
#define HONE_ARM_I8MM "arch=armv8.2-a+dotprod+i8mm+bf16"
#endif

namespace hone::kernels::neon {

inline constexpr int kRows = 8;
inline constexpr int kColumns = 8;
inline constexpr std::size_t kHeaderBytes = 64;

// Where value k of column j lies in a panel, and which column byte i of vector v of 16 bytes
// belongs to.
struct DotLayout {
  static constexpr std::size_t Offset(std::size_t j, std::size_t k) {
    return k / 4 * 32 + j * 4 + k % 4;
  }
  static constexpr std::size_t Column(std::size_t v, std::size_t i) { return v % 2 * 4 + i / 4; }
  static constexpr int kVectorsOfColumns = 2;
};

struct MmlaLayout {
  static constexpr std::size_t Offset(std::size_t j, std::size_t k) {
    return k / 8 * 64 + j / 2 * 16 + j % 2 * 8 + k % 8;
  }
  static constexpr std::size_t Column(std::size_t v, std::size_t i) { return v % 4 * 2 + i / 8; }
  static constexpr int kVectorsOfColumns = 4;
};

// K in blocks of 16.
constexpr std::size_t Blocks(int k) {
  return (static_cast<std::size_t>(k) + 15) / 16;
}

std::size_t PreparedBytes(int k);
void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared);

// All rows times one panel, whose first column is `column` of `n`. scale has 8 values.
struct PanelArgs {
  const std::byte* weights = nullptr;  // 16-byte aligned
  const float* scale = nullptr;
  std::size_t blocks = 0;
  const std::byte* prepared = nullptr;
  std::size_t prepared_stride = 0;
  int rows = 0;
  int n = 0, column = 0;
  const Epilogue* epilogue = nullptr;
  float* c = nullptr;
  std::ptrdiff_t c_stride = 0;
};

void MultiplyPanelDot(const PanelArgs& args);
void MultiplyPanelMmla(const PanelArgs& args);

// sums [rows,8] of rows m … m+rows-1 through the epilogue into C.
void StoreTile(const PanelArgs& args, int m, int rows, const std::int32_t* sums);

}  // namespace hone::kernels::neon
#endif
