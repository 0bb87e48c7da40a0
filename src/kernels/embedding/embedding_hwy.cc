#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/embedding/embedding.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/embedding/embedding_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

// A row is widened by this many elements at a time, through a buffer: checkpoints align nothing.
constexpr int kPiece = 256;

using tensor::DType;

HWY_INLINE F32V Widen(const float* p) {
  return hn::Load(F32(), p);
}
HWY_INLINE F32V Widen(const hwy::bfloat16_t* p) {
  return hn::PromoteTo(F32(), hn::Load(hn::Rebind<hwy::bfloat16_t, F32>(), p));
}
HWY_INLINE F32V Widen(const hwy::float16_t* p) {
  return hn::PromoteTo(F32(), hn::Load(hn::Rebind<hwy::float16_t, F32>(), p));
}

HWY_INLINE F32V Widen(const std::int8_t* p) {
  using I32 = hn::Rebind<std::int32_t, F32>;
  return hn::ConvertTo(F32(), hn::PromoteTo(I32(), hn::Load(hn::Rebind<std::int8_t, F32>(), p)));
}

// out[i] += scale · q[i] for i < n; `q` is a buffer of kPiece or more that may be read past n.
void AddScaled(const std::int8_t* q, float scale, int n, float* out) {
  const F32V factor = hn::Set(F32(), scale);
  MapVectors(out, n, out,
             [&](F32V v, int i) HWY_ATTR { return hn::MulAdd(factor, Widen(q + i), v); });
}

void AddInt8Row(const EmbeddingTable& table, std::size_t row, int n, float* out) {
  HWY_ALIGN std::int8_t piece[kPiece] = {};
  const float scale = FloatAt(table.scale, table.scale_dtype, row);
  const std::byte* from = table.data + row * static_cast<std::size_t>(n);
  for (int begin = 0; begin < n; begin += kPiece) {
    const int count = std::min(kPiece, n - begin);
    std::memcpy(piece, from + begin, static_cast<std::size_t>(count));
    AddScaled(piece, scale, count, out + begin);
  }
}

void AddInt4Row(const EmbeddingTable& table, std::size_t row, int n, float* out) {
  HWY_ALIGN std::int8_t piece[kPiece] = {};
  const auto groups = static_cast<std::size_t>((n + table.group - 1) / table.group);
  const std::byte* from = table.data + row * (static_cast<std::size_t>(n + 7) / 8 * 4);
  for (std::size_t g = 0; g < groups; ++g) {
    const float scale = FloatAt(table.scale, table.scale_dtype, row * groups + g);
    const int zero = ZeroAt(table, row, g, groups);
    const int first = static_cast<int>(g) * table.group;
    const int last = std::min(n, first + table.group);
    for (int begin = first; begin < last; begin += kPiece) {
      const int count = std::min(kPiece, last - begin);
      for (int i = 0; i < count; ++i) {
        const int pair = static_cast<int>(from[(begin + i) / 2]);
        piece[i] = static_cast<std::int8_t>((pair >> ((begin + i) % 2 * 4) & 15) - zero);
      }
      AddScaled(piece, scale, count, out + begin);
    }
  }
}

template <class T>
void AddRow(const std::byte* row, int n, float* out) {
  HWY_ALIGN T piece[kPiece];
  for (int begin = 0; begin < n; begin += kPiece, row += sizeof piece) {
    const int count = std::min(kPiece, n - begin);
    std::memcpy(piece, row, static_cast<std::size_t>(count) * sizeof(T));
    std::fill(reinterpret_cast<std::byte*>(piece + count),
              reinterpret_cast<std::byte*>(piece + kPiece), std::byte{0});
    MapVectors(out + begin, count, out + begin,
               [&](F32V v, int i) HWY_ATTR { return hn::Add(v, Widen(piece + i)); });
  }
}

void AddRowOf(const EmbeddingTable& table, std::int32_t index, int n, float* out) {
  if (table.data == nullptr) return;
  const std::byte* row = table.data + static_cast<std::size_t>(index) *
                                          static_cast<std::size_t>(n) * tensor::SizeOf(table.dtype);
  switch (table.dtype) {
    case DType::kF32: return AddRow<float>(row, n, out);
    case DType::kF16: return AddRow<hwy::float16_t>(row, n, out);
    case DType::kBF16: return AddRow<hwy::bfloat16_t>(row, n, out);
    case DType::kI8: return AddInt8Row(table, static_cast<std::size_t>(index), n, out);
    case DType::kI32: return AddInt4Row(table, static_cast<std::size_t>(index), n, out);
    default: HONE_CHECK(false && "embedding tables are f32, f16, bf16, int8 or int4");
  }
}

void EmbedRows(const EmbeddingArgs& args) {
  for (int t = 0; t < args.tokens; ++t) {
    float* out = args.out + t * args.out_stride;
    std::fill(out, out + args.width, 0.0f);
    if (args.word.data != nullptr) AddRowOf(args.word, args.ids[t], args.width, out);
    if (args.position.data != nullptr) AddRowOf(args.position, args.positions[t], args.width, out);
    if (args.type.data != nullptr) AddRowOf(args.type, args.types[t], args.width, out);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::kernels {

HWY_EXPORT(EmbedRows);

void Embed(const EmbeddingArgs& args) {
  HWY_DYNAMIC_DISPATCH(EmbedRows)(args);
}

}  // namespace hone::kernels
#endif
