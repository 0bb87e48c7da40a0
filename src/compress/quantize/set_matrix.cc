#include "compress/quantize/set_matrix.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "formats/packed_int4.h"

namespace hone::compress {
namespace {

using formats::EditedCheckpoint;
using formats::StoredKind;
using tensor::DType;

template <typename T>
const tensor::TensorView& SetPart(const std::string& name, DType dtype, tensor::Shape shape,
                                  const std::vector<T>& values, EditedCheckpoint* checkpoint) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  checkpoint->Set(name, dtype, shape, std::move(bytes));
  const tensor::TensorView* view = checkpoint->Find(name);
  HONE_CHECK(view != nullptr);
  return *view;
}

// Whatever the matrix was stored as, its parts are gone.
void EraseParts(const std::string& module, EditedCheckpoint* checkpoint) {
  for (const char* part :
       {".weight", ".weight_scale", ".weight_packed", ".weight_zero_point", ".weight_shape"}) {
    checkpoint->Erase(module + part);
  }
}

template <typename Scale>
void SetPacked(const std::string& module, int n, int k, int group,
               const std::vector<std::uint32_t>& values, const std::vector<Scale>& scale,
               const std::vector<std::uint32_t>& zero, EditedCheckpoint* checkpoint) {
  EraseParts(module, checkpoint);
  const std::int64_t groups = (k + group - 1) / group;
  formats::StoredMatrix stored;
  stored.name = module;
  stored.kind = StoredKind::kInt4;
  stored.n = n;
  stored.k = k;
  stored.group = group;
  stored.values =
      SetPart(module + ".weight_packed", DType::kI32, {n, (k + 7) / 8}, values, checkpoint);
  stored.scale = SetPart(module + ".weight_scale", sizeof(Scale) == 2 ? DType::kF16 : DType::kF32,
                         {n, groups}, scale, checkpoint);
  stored.zero =
      SetPart(module + ".weight_zero_point", DType::kI32, {(n + 7) / 8, groups}, zero, checkpoint);
  SetPart(module + ".weight_shape", DType::kI64, {2}, std::vector<std::int64_t>{n, k}, checkpoint);
  checkpoint->SetMatrix(stored);
}

}  // namespace

void SetInt8(const std::string& module, const quant::Int8Matrix& matrix,
             EditedCheckpoint* checkpoint) {
  EraseParts(module, checkpoint);
  formats::StoredMatrix stored;
  stored.name = module;
  stored.kind = StoredKind::kInt8;
  stored.n = matrix.n;
  stored.k = matrix.k;
  stored.values =
      SetPart(module + ".weight", DType::kI8, {matrix.n, matrix.k}, matrix.values, checkpoint);
  stored.scale =
      SetPart(module + ".weight_scale", DType::kF32, {matrix.n, 1}, matrix.scale, checkpoint);
  checkpoint->SetMatrix(stored);
}

void SetInt4(const std::string& module, const quant::Int4Matrix& matrix,
             EditedCheckpoint* checkpoint) {
  const formats::PackedInt4 packed = formats::PackInt4(matrix);
  SetPacked(module, matrix.n, matrix.k, quant::kInt4Group, packed.values, packed.scale, packed.zero,
            checkpoint);
}

void SetInt4Rows(const std::string& module, int rows, int width, const Int4Rows& table,
                 EditedCheckpoint* checkpoint) {
  SetPacked(module, rows, width, kEmbeddingGroup, table.values, table.scale, table.zero,
            checkpoint);
}

}  // namespace hone::compress
