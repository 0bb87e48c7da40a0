#include "formats/summary.h"

#include <cstring>
#include <string_view>

namespace hone::formats {
namespace {

using tensor::DType;

// N·K of <module>.weight_shape, the only place where a packed matrix says its exact size.
std::uint64_t PackedWeights(const Checkpoint& checkpoint, std::string_view module) {
  const tensor::TensorView* shape = checkpoint.Find(base::StrCat(module, ".weight_shape"));
  std::int64_t sizes[2] = {};
  if (shape == nullptr || shape->dtype != DType::kI64 || shape->bytes() != sizeof sizes) return 0;
  std::memcpy(sizes, shape->data, sizeof sizes);
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  if (sizes[0] < 0 || sizes[1] < 0 || sizes[0] > kMost || sizes[1] > kMost) return 0;
  return static_cast<std::uint64_t>(sizes[0]) * static_cast<std::uint64_t>(sizes[1]);
}

std::uint64_t Parameters(const Checkpoint& checkpoint, const std::string& name,
                         const tensor::TensorView& view) {
  constexpr std::string_view kPacked = ".weight_packed";
  if (name.ends_with(kPacked)) {
    return PackedWeights(checkpoint,
                         std::string_view(name).substr(0, name.size() - kPacked.size()));
  }
  for (const std::string_view part : {".weight_scale", ".weight_zero_point", ".weight_shape"}) {
    if (name.ends_with(part)) return 0;
  }
  const bool is_float = view.dtype == DType::kF64 || view.dtype == DType::kF32 ||
                        view.dtype == DType::kF16 || view.dtype == DType::kBF16;
  const bool is_int8_weight = view.dtype == DType::kI8 && name.ends_with(".weight");
  return is_float || is_int8_weight ? static_cast<std::uint64_t>(view.shape.elements()) : 0;
}

}  // namespace

CheckpointSummary Summarize(const Checkpoint& checkpoint) {
  CheckpointSummary summary;
  for (const std::string& name : checkpoint.Names()) {
    const tensor::TensorView* view = checkpoint.Find(name);
    if (view == nullptr) continue;
    const std::uint64_t parameters = Parameters(checkpoint, name, *view);
    summary.tensors.push_back({name, view->dtype, view->shape, view->bytes(), parameters});
    summary.bytes += view->bytes();
    summary.parameters += parameters;
  }
  return summary;
}

}  // namespace hone::formats
