// A finished model that says what a student's outputs should be.
//
// Logits and hidden states come from the engine, which is faster than libtorch; relations need
// queries and keys, which only the graph shows. What a teacher says of an example does not change,
// so all but relations is kept (up to a bound) and the next epochs cost nothing.
//
// Errors  a teacher with another head, with classes that the student does not have, or with another
//         vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/trainer.h"
#include "env/file.h"
#include "model/model.h"
#include "runtime/local_engine.h"
#include "text/tokenizer.h"
#include "train/batches.h"
#include "train/graph.h"
#include "train/teacher_memory.h"

namespace hone::train {

class Teacher {
 public:
  // `student` and `tokenizer` are what the teacher is held to.
  static base::StatusOr<std::unique_ptr<Teacher>> Open(env::FileSystem& files,
                                                       const compress::TrainRequest& request,
                                                       const model::Model& student,
                                                       const text::Tokenizer& tokenizer);

  const model::Model& model() const { return model_; }

  // Keeps what it says from now on there, and repeats what it holds already, which must be of the
  // same teacher and items. The same is said with and without.
  void Remember(std::shared_ptr<TeacherMemory> memory) { memory_ = std::move(memory); }

  // What the losses need of it: heads always; hidden_states and query, key, value where their
  // weight is not 0. No gradients.
  base::StatusOr<Outputs> Say(const TrainingBatch& batch, std::int32_t mask_id);

 private:
  Teacher() = default;
  Outputs FromGraph(const TrainingBatch& batch, std::int32_t mask_id);
  Outputs FromEngine(const TrainingBatch& batch, std::int32_t mask_id);
  void Reorder(Outputs* outputs) const;

  model::Model model_;
  bool hidden_ = false, relations_ = false, types_ = false;
  std::unique_ptr<runtime::LocalEngine> engine_;
  std::unique_ptr<Graph> graph_;                  // for relations
  std::vector<std::vector<std::int64_t>> order_;  // per output: student's class → teacher's column
  std::shared_ptr<TeacherMemory> memory_;
};

}  // namespace hone::train
