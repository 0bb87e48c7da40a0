#include "train/kept_answers.h"

#include "base/strings.h"
#include "train/random.h"

namespace hone::train {
namespace {

// Which teacher, of which texts, for which classes.
std::string Name(const compress::TrainRequest& request, const Prepared& prepared) {
  if (request.teacher.empty()) return "";
  std::uint64_t hash = 0;
  const auto add = [&hash](std::uint64_t value) { hash = Random({hash, value}).Next(); };
  for (const std::int32_t id : prepared.data.ids) add(static_cast<std::uint64_t>(id));
  for (const std::size_t begin : prepared.data.begins) add(begin);
  const model::Head& head = prepared.draft.model().head;
  return base::StrCat(request.teacher, request.loss.hidden > 0 ? "\nhidden\n" : "\n", hash, "\n",
                      base::Join(head.labels, ","), "\n", base::Join(head.slot_labels, ","));
}

}  // namespace

void KeptAnswers::For(const compress::TrainRequest& request, const Prepared& prepared) {
  std::string of = Name(request, prepared);
  if (of == of_) return;
  of_ = std::move(of);
  memory_.reset();
}

std::shared_ptr<TeacherMemory> KeptAnswers::Memory(const model::Head& head,
                                                   std::uint64_t max_bytes) {
  if (memory_ == nullptr && max_bytes > 0) {
    memory_ = std::make_shared<TeacherMemory>(head, max_bytes);
  }
  return memory_;
}

}  // namespace hone::train
