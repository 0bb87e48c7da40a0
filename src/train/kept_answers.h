// What the teacher of one run said, for the next: the rungs of a ladder have one teacher.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "compress/trainer.h"
#include "train/prepare.h"
#include "train/teacher_memory.h"

namespace hone::train {

class KeptAnswers {
 public:
  // Forgets what is not of this request's teacher and texts.
  void For(const compress::TrainRequest& request, const Prepared& prepared);

  // What is held, or new of so many bytes; null where that is 0.
  std::shared_ptr<TeacherMemory> Memory(const model::Head& head, std::uint64_t max_bytes);

 private:
  std::string of_;
  std::shared_ptr<TeacherMemory> memory_;
};

}  // namespace hone::train
