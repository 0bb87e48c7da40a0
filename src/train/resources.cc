#include "train/resources.h"

#include <algorithm>

#include "env/space.h"
#include "train/memory.h"
#include "train/teacher_memory.h"

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

// What all that the teacher says of the data would take; 0 where nobody asks twice.
std::uint64_t AllAnswers(const Dataset& data, const compress::TrainRequest& request,
                         const model::Model& teacher) {
  if (request.epochs <= 1 || request.loss.relations > 0) return 0;
  const std::uint64_t tokens = data.ids.size();
  std::uint64_t bytes = 0;
  if (request.loss.hidden > 0) {
    bytes = KeptHiddenBytes(tokens, teacher.config.width, teacher.config.layer_count());
  }
  for (const model::HeadOutput& output : teacher.head.outputs) {
    const std::uint64_t rows =
        output.rows == model::Rows::kAll ? tokens : std::uint64_t{data.begins.size()};
    bytes += rows * static_cast<std::uint64_t>(output.width) * sizeof(float);
  }
  return bytes;
}

}  // namespace

base::StatusOr<Resources> CheckResources(const Prepared& prepared,
                                         const compress::TrainRequest& request,
                                         const model::Model* teacher) {
  TrainingShape shape = LargestBatch(prepared.data, request);
  shape.hidden_states = request.loss.hidden > 0;
  shape.parts = std::max(1, std::min(request.threads, request.batch));
  shape.passes = request.loss.passes();
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
  Resources resources;
  std::string answers;
  if (teacher != nullptr) {
    const std::uint64_t all = AllAnswers(prepared.data, request, *teacher);
    resources.answers = std::min(all, (available - memory.total()) / 2);
    if (all > 0) {
      answers = base::StrCat(", the teacher's answers ", resources.answers / kMiB,
                             resources.answers < all ? " of " : "");
      if (resources.answers < all) base::StrAppend(&answers, all / kMiB);
    }
  }
  resources.text =
      base::StrCat("needs about ", (memory.total() + resources.answers) / kMiB,
                   " MiB of memory (weights, gradients and moments ",
                   (memory.parameters + memory.gradients + memory.moments) / kMiB, ", activations ",
                   memory.activations / kMiB, answers, ") and ", disk / kMiB, " MiB of disk");
  return resources;
}

}  // namespace hone::train
