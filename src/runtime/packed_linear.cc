#include "runtime/packed_linear.h"

#include <cmath>

#include "runtime/weight_source.h"

namespace hone::runtime {
namespace {

base::Status AppendBias(const model::Linear& part, bool any_bias, std::vector<float>* bias) {
  if (!any_bias) return base::OkStatus();
  const std::size_t begin = bias->size();
  bias->resize(begin + static_cast<std::size_t>(part.weight.n), 0.0f);
  if (part.bias.empty()) return base::OkStatus();
  const std::span<float> values = std::span(*bias).subspan(begin);
  tensor::CopyToF32(part.bias, 0, values);
  for (const float value : values) {
    if (!std::isfinite(value)) {
      return base::BadInput(part.weight.name, ".bias: has a value that is not finite");
    }
  }
  return base::OkStatus();
}

}  // namespace

base::Status Pack(const PackJob& job, const formats::Checkpoint& checkpoint, std::byte* arena) {
  PackedLinear& target = *job.target;
  std::vector<const formats::StoredMatrix*> matrices;
  bool any_bias = false;
  for (const model::Linear* part : job.parts) {
    matrices.push_back(&part->weight);
    any_bias |= !part->bias.empty();
  }
  {
    HONE_ASSIGN_OR_RETURN(const WeightSource source, GatherRows(matrices, target.kernel->format));
    target.kernel->pack(source.rows, 0, target.panels(), arena + job.offset);
  }
  target.packed = arena + job.offset;
  for (const model::Linear* part : job.parts) {
    HONE_RETURN_IF_ERROR(AppendBias(*part, any_bias, &target.bias));
    checkpoint.DropPages(part->weight.values);
  }
  return base::OkStatus();
}

}  // namespace hone::runtime
