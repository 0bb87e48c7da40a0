#include "train/teacher.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>

#include "formats/tokenizer_files.h"

namespace hone::train {
namespace {

using base::Status;
using base::StatusOr;

at::Tensor Rectangle(const std::vector<float>& values, std::int64_t rows) {
  const std::int64_t width = rows == 0 ? 0 : static_cast<std::int64_t>(values.size()) / rows;
  at::Tensor tensor = at::empty({rows, width}, at::kFloat);
  std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(float));
  return tensor;
}

// Where each of the student's classes stands among the teacher's; empty where that is in order.
StatusOr<std::vector<std::int64_t>> OrderOf(const std::vector<std::string>& student,
                                            const std::vector<std::string>& teacher,
                                            const std::string& directory) {
  std::vector<std::int64_t> order;
  if (student == teacher) return order;
  const auto unnamed = [](const std::vector<std::string>& labels) {
    return std::ranges::all_of(labels, [](const auto& l) { return l.starts_with("LABEL_"); });
  };
  if (student.size() == teacher.size() && (unnamed(student) || unnamed(teacher))) return order;
  for (const std::string& label : student) {
    const auto found = std::ranges::find(teacher, label);
    if (found == teacher.end() || student.size() != teacher.size()) {
      return base::BadInput(directory, ": the teacher's labels are ", base::Join(teacher, ", "),
                            "; the student's ", base::Join(student, ", "));
    }
    order.push_back(found - teacher.begin());
  }
  return order;
}

Status CheckVocabulary(env::FileSystem& files, const std::string& directory,
                       const text::Tokenizer& student) {
  HONE_ASSIGN_OR_RETURN(const auto teacher, formats::OpenTokenizer(files, directory));
  bool same = teacher->vocabulary_size() == student.vocabulary_size();
  for (std::int32_t id = 0; same && id < student.vocabulary_size(); ++id) {
    same = teacher->Token(id) == student.Token(id);
  }
  if (same) return base::OkStatus();
  return base::BadInput(directory,
                        ": the teacher's tokens are not the student's; distillation needs one "
                        "vocabulary");
}

}  // namespace

StatusOr<std::unique_ptr<Teacher>> Teacher::Open(env::FileSystem& files,
                                                 const compress::TrainRequest& request,
                                                 const model::Model& student,
                                                 const text::Tokenizer& tokenizer) {
  auto teacher = std::unique_ptr<Teacher>(new Teacher);
  const std::string& directory = request.teacher;
  HONE_ASSIGN_OR_RETURN(teacher->model_, model::Model::Open(files, directory));
  const model::Model& model = teacher->model_;
  HONE_RETURN_IF_ERROR(CheckVocabulary(files, directory, tokenizer));
  if (request.loss.logits > 0) {
    if (model.head.task != student.head.task) {
      return base::BadInput(directory,
                            ": the teacher's head is of another kind than the student's; with "
                            "--loss logits=0 only its hidden states are used");
    }
    HONE_ASSIGN_OR_RETURN(auto labels, OrderOf(student.head.labels, model.head.labels, directory));
    HONE_ASSIGN_OR_RETURN(auto slots,
                          OrderOf(student.head.slot_labels, model.head.slot_labels, directory));
    teacher->order_ = {std::move(labels), std::move(slots)};
  }
  teacher->types_ = model.config.token_types >= 2;
  teacher->hidden_ = request.loss.hidden > 0;
  teacher->relations_ = request.loss.relations > 0;
  if (teacher->relations_) {
    HONE_ASSIGN_OR_RETURN(teacher->graph_, Graph::Create(model, {.trainable = false}));
  } else {
    HONE_ASSIGN_OR_RETURN(teacher->engine_, runtime::LocalEngine::Load(
                                                model, {.format = {}, .threads = request.threads}));
  }
  return teacher;
}

StatusOr<Outputs> Teacher::Say(const TrainingBatch& batch, std::int32_t mask_id) {
  const c10::NoGradGuard no_gradients;
  Outputs outputs;
  const bool keeps = memory_ != nullptr && !relations_;
  if (keeps && memory_->Recall(batch, &outputs)) return outputs;
  if (graph_) {
    outputs = FromGraph(batch, mask_id);
  } else {
    HONE_RETURN_IF_ERROR(engine_->Check(batch.view(types_)));
    outputs = FromEngine(batch, mask_id);
    TeacherMemory::Round(&outputs);
  }
  Reorder(&outputs);
  if (keeps) memory_->Keep(batch, outputs);
  return outputs;
}

Outputs Teacher::FromGraph(const TrainingBatch& batch, std::int32_t mask_id) {
  return graph_->Forward(
      batch.view(types_),
      {.hidden_states = hidden_, .relations = true, .mask_id = mask_id, .masked = batch.masked});
}

Outputs Teacher::FromEngine(const TrainingBatch& batch, std::int32_t mask_id) {
  const runtime::Batch view = batch.view(types_);
  const std::int64_t tokens = view.tokens(), width = engine_->width();
  Outputs outputs;
  outputs.hidden = at::empty({tokens, width}, at::kFloat);
  const std::span<float> hidden(outputs.hidden.data_ptr<float>(),
                                static_cast<std::size_t>(tokens * width));
  const int layers = engine_->all_layers().end;
  if (hidden_) {
    // One layer at a time; the embeddings' own output is not among what the loss compares.
    outputs.hidden_states.push_back(at::Tensor());
    for (int layer = 0; layer < layers; ++layer) {
      engine_->Forward({layer, layer + 1}, view, hidden);
      outputs.hidden_states.push_back(outputs.hidden.clone());
    }
  } else {
    engine_->Forward(engine_->all_layers(), view, hidden);
  }
  // Words that were hidden for the student by another word than the mask have no mask to find.
  runtime::Batch head_view = view;
  std::vector<std::int32_t> ids;
  if (!batch.masked.empty()) {
    ids.assign(view.ids.begin(), view.ids.end());
    for (const std::int32_t t : batch.masked) ids[static_cast<std::size_t>(t)] = -1;
    head_view.ids = ids;
    mask_id = -1;
  }
  for (std::size_t i = 0; i < model_.head.outputs.size(); ++i) {
    std::vector<float> rows;
    engine_->ApplyHead(static_cast<int>(i), head_view, hidden, mask_id, &rows);
    const std::int64_t out_width = model_.head.outputs[i].width;
    outputs.heads.push_back(Rectangle(
        rows, static_cast<std::int64_t>(rows.size()) / std::max<std::int64_t>(out_width, 1)));
  }
  return outputs;
}

void Teacher::Reorder(Outputs* outputs) const {
  for (std::size_t i = 0; i < order_.size() && i < outputs->heads.size(); ++i) {
    if (order_[i].empty()) continue;
    outputs->heads[i] = outputs->heads[i].index_select(1, at::tensor(order_[i], at::kLong));
  }
}

}  // namespace hone::train
