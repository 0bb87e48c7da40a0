#include "train/resources.h"

#include <algorithm>

#include "env/space.h"
#include "train/memory.h"

namespace hone::train {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// The batch with the most tokens. Epochs differ little: the same texts are sorted by length anew.
TrainingShape LargestBatch(const Dataset& data, const compress::TrainRequest& request) {
  TrainingShape shape;
  for (const auto& items : EpochBatches(data, request.batch, request.seed, 0)) {
    int tokens = 0;
    for (const std::uint32_t item : items) {
      tokens += data.Tokens(item);
      shape.longest_text = std::max(shape.longest_text, data.Tokens(item));
    }
    if (tokens <= shape.tokens) continue;
    shape.tokens = tokens;
    shape.texts = static_cast<int>(items.size()) * data.texts_per_item;
  }
  return shape;
}

}  // namespace

base::StatusOr<std::string> CheckResources(const Prepared& prepared,
                                           const compress::TrainRequest& request,
                                           const model::Model* teacher) {
  TrainingShape shape = LargestBatch(prepared.data, request);
  shape.hidden_states = request.loss.hidden > 0;
  shape.teacher = teacher;
  const TrainingMemory memory = ForeseeMemory(prepared.draft.model(), shape);
  const std::uint64_t available = env::AvailableMemoryBytes();
  // State and best checkpoint, each twice while it is replaced.
  const std::uint64_t disk = 2 * (memory.parameters + memory.moments) + 2 * memory.parameters;
  const std::uint64_t free = env::FreeDiskBytes(request.out);
  if (memory.total() > available) {
    return base::OutOfResource(
        "training needs about ", memory.total() / kMiB, " MiB of memory and ", available / kMiB,
        " MiB can be had; a smaller batch (with more accumulation) or fewer max-tokens needs less");
  }
  if (disk > free) {
    return base::OutOfResource(request.out, ": training needs about ", disk / kMiB,
                               " MiB of disk and ", free / kMiB, " MiB are free");
  }
  return base::StrCat(
      "needs about ", memory.total() / kMiB, " MiB of memory (weights, gradients ", "and moments ",
      (memory.parameters + memory.gradients + memory.moments) / kMiB, ", activations ",
      memory.activations / kMiB, ") and ", disk / kMiB, " MiB of disk");
}

}  // namespace hone::train
