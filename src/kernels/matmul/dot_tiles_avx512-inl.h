// The products of AVX-512 that take four bytes of each row at a step: the body that int8_avx512.cc (four
// int8), bf16_avx512.cc (two bf16) and int4_avx512.cc (four int4, expanded on the way) include, each with a
// struct Dot of its panel, sums and instruction, and with kRows, kColumns and kStepBytes.
//
// A tile is 8 rows × 48 columns of 32-bit sums in 24 registers, three weight vectors and one broadcast
// activation; 24 dot products for 11 loads, so that both vector ports are always busy. Of a last panel with
// fewer columns only the vectors that hold any are computed: pruned models are as narrow as 50 columns.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "kernels/matmul/epilogue_avx512.h"
#include "kernels/matmul/matmul.h"

namespace hone::kernels {
namespace {

// What a tile does besides, a little before each step: nothing, where the weights lie there as they are
// multiplied.
struct NothingAhead {
  template <int kV>
  void BeforeStep(int) {}
};

// Lines of the next panel that a step asks for at most. With three, BERT-base's shape took 0.96 of the time at
// 8 tokens and 1.06 at 4 (int8, two threads, Zen 4).
inline constexpr int kMostLinesAStep = 2;

// Sums of kR rows and the panel's first kV vectors of columns, stored to out [kR, kV·16]. `lines` from `next`
// on are asked for on the way, one a step, or two in the first steps where that is not enough: at few rows
// the product is as fast as its weights arrive. So are the tile's rows of `c`, which lie thousands of bytes
// apart, where no hardware looks ahead; shortly before the end, since asking for them at the beginning did
// not help (Zen 4).
template <int kR, int kV, class Ahead>
void Tile(const Dot::Panel& panel, const std::byte* a, std::size_t a_stride, const std::byte* next,
          int lines, const float* c, std::ptrdiff_t c_stride, Ahead& ahead, Dot::Sum* out) {
  Dot::Sums sum[kR][kV];
  HONE_UNROLL for (int v = 0; v < kV; ++v) {
    const Dot::Sums start = Dot::Start(panel, v);
    HONE_UNROLL for (int r = 0; r < kR; ++r) sum[r][v] = start;
  }
  const std::byte* b = panel.weights;
  const auto step = [&](int s) __attribute__((always_inline)) {
    ahead.template BeforeStep<kV>(s);
    __m512i w[kV];
    HONE_UNROLL for (int v = 0; v < kV; ++v) w[v] = _mm512_load_si512(b + v * 64);
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      std::int32_t four;
      std::memcpy(&four, a + static_cast<std::size_t>(r) * a_stride + s * 4, sizeof four);
      const __m512i x = _mm512_set1_epi32(four);
      HONE_UNROLL for (int v = 0; v < kV; ++v) sum[r][v] = Dot::Add(sum[r][v], x, w[v]);
    }
    b += kStepBytes;
  };
  int s = 0;
  const auto* line = reinterpret_cast<const char*>(next);
  for (; s < lines - panel.steps; ++s, line += kMostLinesAStep * 64) {
    HONE_UNROLL for (int i = 0; i < kMostLinesAStep; ++i) _mm_prefetch(line + i * 64, _MM_HINT_T1);
    step(s);
  }
  for (const int last = std::min(lines, panel.steps); s < last; ++s, line += 64) {
    _mm_prefetch(line, _MM_HINT_T1);
    step(s);
  }
  for (; s < panel.steps - 3 * kR; ++s) step(s);
  for (int r = 0; s < panel.steps && r < kR; ++s, ++r) {
    const auto* row = reinterpret_cast<const char*>(c + r * c_stride);
    HONE_UNROLL for (int v = 0; v < kV; ++v) _mm_prefetch(row + v * 64, _MM_HINT_T0);
    step(s);
  }
  for (; s < panel.steps; ++s) step(s);
  HONE_UNROLL for (int r = 0; r < kR; ++r) {
    HONE_UNROLL for (int v = 0; v < kV; ++v) Dot::Store(sum[r][v], out + (r * kV + v) * 16);
  }
}

inline constexpr int kVectors = kColumns / 16;

template <class Ahead>
using TileFunction = void (*)(const Dot::Panel&, const std::byte*, std::size_t, const std::byte*,
                              int, const float*, std::ptrdiff_t, Ahead&, Dot::Sum*);
template <int kV, class Ahead>
inline constexpr std::array<TileFunction<Ahead>, kRows> kTilesOf = {
    Tile<1, kV, Ahead>, Tile<2, kV, Ahead>, Tile<3, kV, Ahead>, Tile<4, kV, Ahead>,
    Tile<5, kV, Ahead>, Tile<6, kV, Ahead>, Tile<7, kV, Ahead>, Tile<8, kV, Ahead>};
// Of vectors - 1, rows - 1.
template <class Ahead>
inline constexpr std::array<std::array<TileFunction<Ahead>, kRows>, kVectors> kTiles = {
    kTilesOf<1, Ahead>, kTilesOf<2, Ahead>, kTilesOf<3, Ahead>};

// The tiles that rows are divided into, as even as can be, 25 as 7 + 6 + 6 + 6: a row alone would wait for its
// own sums. Tile i begins with row TileBegin(i, rows).
inline int Tiles(int rows) {
  return (rows + kRows - 1) / kRows;
}
inline int TileBegin(int i, int rows) {
  return static_cast<int>(static_cast<long>(rows) * i / Tiles(rows));
}

// Tiles begin <= i < end of the rows times one panel, whose first column is `column` of `n`.
template <class Ahead>
inline void TilesTimesPanel(const Dot::Panel& panel, int begin, int end, Ahead ahead,
                            const std::byte* prepared, std::size_t prepared_stride, int rows, int n,
                            int column, const Epilogue& epilogue, float* c,
                            std::ptrdiff_t c_stride) {
  alignas(64) Dot::Sum sums[kRows * kColumns];
  StoreArgs512<Dot::Sum> store;
  store.sums = sums;
  store.prepared_stride = prepared_stride;
  store.scale = Dot::Scale(panel);
  store.bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + column;
  store.residual_stride = epilogue.residual_stride;
  store.c_stride = c_stride;
  store.columns = std::min(n - column, kColumns);
  const int vectors = (store.columns + 15) / 16;
  const auto all_lines = static_cast<int>((panel.next.bytes + 63) / 64);
  const int a_tile = panel.steps * (all_lines > Tiles(rows) * panel.steps ? kMostLinesAStep : 1);
  for (int i = begin; i < end; ++i) {
    const int m = TileBegin(i, rows), asked = std::min(all_lines, i * a_tile);
    store.rows = TileBegin(i + 1, rows) - m;
    store.prepared = prepared + static_cast<std::size_t>(m) * prepared_stride;
    store.c = c + m * c_stride + column;
    store.residual = epilogue.residual == nullptr
                         ? nullptr
                         : epilogue.residual + m * epilogue.residual_stride + column;
    kTiles<Ahead>[static_cast<std::size_t>(vectors - 1)][static_cast<std::size_t>(store.rows - 1)](
        panel, store.prepared + Dot::kHeaderBytes, prepared_stride,
        panel.next.begin + std::size_t{64} * static_cast<std::size_t>(asked),
        std::min(all_lines - asked, a_tile), store.c, c_stride, ahead, sums);
    StoreTile512(vectors, epilogue.activation, store);
  }
}

}  // namespace
}  // namespace hone::kernels
