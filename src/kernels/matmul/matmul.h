// Matrix product with packed weights:
//
//   C[m,n] = activate( Σ_k A[m,k] · B[n,k] + bias[n] ) + residual[m,n]
//
// Shapes    A [M,K] f32 · B [N,K] in a number format (quant/format.h), packed once · C [M,N] f32
// Use       kernel = SelectMatMul(format, isa)
//           packed.Reserve(kernel.packed_bytes(n, k))
//           kernel.pack(rows, panels…)      once, any thread
//           kernel.prepare(x, …, prepared)  per forward: A's rows into the kernel's own encoding
//           kernel.multiply(…)              any rows × any whole panels, any thread
// Prepare   quantises (int8, int4: symmetric per row, scale = max|x| / activation_max),
//           rounds (bf16) or copies (f32). One row's encoding depends on that row alone.
// Numerics  every C[m,n] is the same sequence of operations whatever M, the tile it falls into and
//           the range asked for: the same input gives the same bits in any batch, for any number of
//           threads. Integer sums are exact: no kernel saturates, whatever the values (|q| ≤ 127,
//           K ≤ kMaxK).
// Aliasing  C may be the residual. C may not overlap A's encoding.
// Errors    none at run time; shapes are CHECKed when packed.
// Threads   multiply and prepare write only the rows and columns asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/isa.h"
#include "kernels/activation.h"
#include "quant/format.h"

namespace hone::kernels {

// K is limited so that int32 sums cannot overflow: 255·127·2^16 < 2^31.
inline constexpr int kMaxK = 1 << 16;

// The rows of B wherever they lie, so that several tensors stacked (fused Q, K, V) are one matrix.
struct WeightRows {
  quant::Format format = quant::Format::kF32;
  int n = 0, k = 0;
  // [N] first byte of each row. f32: float[K]; bf16: uint16[K]; int8: int8[K]; int4: nibbles
  // (quant/int4.h). No alignment is promised.
  std::vector<const std::byte*> row;
  std::vector<float> scale;                      // [N], int8 and int4
  std::vector<const std::uint8_t*> group_scale;  // [N] → s[G], int4
  std::vector<const std::uint8_t*> group_zero;   // [N] → z[G], int4
};

// What happens to a sum before it is stored; any pointer may be null.
struct Epilogue {
  const float* bias = nullptr;  // [N], indexed by the absolute column
  Activation activation = Activation::kNone;
  const float* residual = nullptr;  // row m, column n at residual[m·residual_stride + n]
  std::ptrdiff_t residual_stride = 0;
};

// What a thread will probably read after a product's last panel, from `begin` on; null: not known. It is asked
// for meanwhile, since at few rows a product is as fast as its weights arrive.
struct Upcoming {
  const std::byte* begin = nullptr;
  std::size_t bytes = 0;
};

// What comes after the panel of `bytes` at `panel`: another one, or what the caller of multiply says.
inline Upcoming AfterPanel(const std::byte* panel, std::size_t bytes, bool another,
                           const Upcoming& next) {
  return another ? Upcoming{panel + bytes, bytes} : next;
}

// One implementation: a name, what it needs, its tile, and four functions.
struct MatMulKernel {
  std::string_view name;  // "int8_avx512", as in list.inc
  quant::Format format;
  base::Isa isa;
  int tile_m, tile_n;            // rows and columns of the register tile; a panel is tile_n columns
  std::string_view instruction;  // what the peak is made of: "vpdpbusd zmm", for reports

  // Bytes of the packed matrix, and of one prepared row (a multiple of 64).
  std::size_t (*packed_bytes)(int n, int k);
  std::size_t (*prepared_bytes)(int k);

  // Packs panels [panel_begin, panel_end) of ceil(N / tile_n) into `packed` (64-byte aligned).
  void (*pack)(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed);

  // Encodes `rows` rows of x (row r at x + r·x_stride) into prepared (row r at
  // r·prepared_bytes(k)).
  void (*prepare)(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared);

  // Rows 0 … rows-1 of prepared times columns of panels [panel_begin, panel_end), stored at
  // c[m·c_stride + n] (n absolute, columns beyond N are not touched).
  // `scratch` is this thread's, of scratch_bytes(k) bytes, 64-byte aligned. `next` changes the time only.
  void (*multiply)(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
                   int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
                   std::ptrdiff_t c_stride, std::byte* scratch, const Upcoming& next);
  std::size_t (*scratch_bytes)(int k);

  // Integer kernels: the largest |q| that prepare makes of an activation, 127 or less; else 0.
  int activation_max = 0;

  // Whether this processor is faster with it than with the next of its format in the list; null: always.
  bool (*pays)() = nullptr;
};

// Every implementation built for this architecture, best first within a format, reference last.
std::span<const MatMulKernel> MatMulKernels();

// The first of the list that has the format, is usable under `limit` and pays. Never fails: the reference
// of every format is portable.
const MatMulKernel& SelectMatMul(quant::Format format, base::Isa limit);

constexpr int Panels(int n, int tile_n) {
  return (n + tile_n - 1) / tile_n;
}

}  // namespace hone::kernels
