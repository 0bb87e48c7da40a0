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
    default: HONE_CHECK(false && "embedding tables are f32, f16 or bf16");
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
