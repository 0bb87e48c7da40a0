#include "train/teacher_memory.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

namespace hone::train {
namespace {

constexpr std::size_t kHiddenBytes = 2;  // of a bfloat16

std::byte* Data(const at::Tensor& tensor) {
  return static_cast<std::byte*>(tensor.data_ptr());
}

}  // namespace

std::uint64_t KeptHiddenBytes(std::uint64_t tokens, int width, int layers) {
  return tokens * static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(layers) *
         kHiddenBytes;
}

TeacherMemory::TeacherMemory(const model::Head& head, std::uint64_t max_bytes)
    : max_bytes_(max_bytes) {
  for (const model::HeadOutput& output : head.outputs) {
    rows_.push_back(output.rows);
    if (output.rows == model::Rows::kMasked) max_bytes_ = 0;
  }
}

TeacherMemory::Slice TeacherMemory::SliceOf(const TrainingBatch& batch, std::size_t index) {
  Slice slice;
  slice.texts = (batch.begins.size() - 1) / batch.items.size();
  slice.text = index * slice.texts;
  slice.token = static_cast<std::size_t>(batch.begins[slice.text]);
  slice.tokens = static_cast<std::size_t>(batch.begins[slice.text + slice.texts]) - slice.token;
  return slice;
}

std::pair<std::size_t, std::size_t> TeacherMemory::HeadRows(std::size_t head,
                                                            const Slice& slice) const {
  if (rows_[head] == model::Rows::kAll) return {slice.token, slice.tokens};
  return {slice.text, slice.texts};
}

std::uint64_t TeacherMemory::Bytes(const Slice& slice) const {
  std::uint64_t bytes = kHiddenBytes * layers_ * slice.tokens * width_;
  for (std::size_t i = 0; i < head_widths_.size(); ++i) {
    bytes += sizeof(float) * HeadRows(i, slice).second * head_widths_[i];
  }
  return bytes;
}

bool TeacherMemory::Recall(const TrainingBatch& batch, Outputs* outputs) const {
  for (const std::uint32_t item : batch.items) {
    if (item >= items_.size() || items_[item] == nullptr) return false;
  }
  const auto tokens = static_cast<std::int64_t>(batch.ids.size());
  const auto width = static_cast<std::int64_t>(width_);
  const at::Tensor hidden =
      at::empty({static_cast<std::int64_t>(layers_), tokens, width}, at::kBFloat16);
  for (std::size_t i = 0; i < head_widths_.size(); ++i) {
    const bool all = rows_[i] == model::Rows::kAll;
    const std::int64_t rows =
        all ? tokens : static_cast<std::int64_t>(batch.begins.size()) - std::int64_t{1};
    outputs->heads.push_back(
        at::empty({rows, static_cast<std::int64_t>(head_widths_[i])}, at::kFloat));
  }
  const std::size_t row = kHiddenBytes * width_;
  for (std::size_t index = 0; index < batch.items.size(); ++index) {
    const Slice slice = SliceOf(batch, index);
    const std::byte* from = items_[batch.items[index]].get();
    for (std::size_t layer = 0; layer < layers_; ++layer) {
      std::memcpy(Data(hidden) + (layer * batch.ids.size() + slice.token) * row, from,
                  slice.tokens * row);
      from += slice.tokens * row;
    }
    for (std::size_t i = 0; i < head_widths_.size(); ++i) {
      const auto [first, count] = HeadRows(i, slice);
      const std::size_t bytes = sizeof(float) * head_widths_[i];
      std::memcpy(Data(outputs->heads[i]) + first * bytes, from, count * bytes);
      from += count * bytes;
    }
  }
  if (layers_ == 0) return true;
  // The embeddings' own output is not among what the loss compares.
  const at::Tensor plain = hidden.to(at::kFloat);
  outputs->hidden_states.push_back(at::Tensor());
  for (std::int64_t layer = 0; layer < plain.size(0); ++layer) {
    outputs->hidden_states.push_back(plain[layer]);
  }
  return true;
}

void TeacherMemory::Round(Outputs* outputs) {
  for (at::Tensor& state : outputs->hidden_states) {
    if (state.defined()) state = state.to(at::kBFloat16).to(at::kFloat);
  }
}

void TeacherMemory::Keep(const TrainingBatch& batch, const Outputs& outputs) {
  if (bytes_ >= max_bytes_) return;
  std::vector<at::Tensor> hidden;
  for (std::size_t i = 1; i < outputs.hidden_states.size(); ++i) {
    hidden.push_back(outputs.hidden_states[i].to(at::kBFloat16).contiguous());
  }
  layers_ = hidden.size();
  width_ = hidden.empty() ? 0 : static_cast<std::size_t>(hidden[0].size(1));
  head_widths_.clear();
  for (const at::Tensor& head : outputs.heads) {
    head_widths_.push_back(static_cast<std::size_t>(head.size(1)));
  }
  for (std::size_t index = 0; index < batch.items.size(); ++index) {
    const std::uint32_t item = batch.items[index];
    const Slice slice = SliceOf(batch, index);
    const std::uint64_t bytes = Bytes(slice);
    if (bytes_ + bytes > max_bytes_) continue;  // a shorter one may still fit
    if (item >= items_.size()) items_.resize(item + 1);
    if (items_[item] != nullptr) continue;
    items_[item] = std::make_unique<std::byte[]>(std::max<std::uint64_t>(bytes, 1));
    KeepItem(hidden, outputs, slice, items_[item].get());
    bytes_ += bytes;
  }
}

void TeacherMemory::KeepItem(const std::vector<at::Tensor>& hidden, const Outputs& outputs,
                             const Slice& slice, std::byte* to) const {
  const std::size_t row = kHiddenBytes * width_;
  for (const at::Tensor& layer : hidden) {
    std::memcpy(to, Data(layer) + slice.token * row, slice.tokens * row);
    to += slice.tokens * row;
  }
  for (std::size_t i = 0; i < outputs.heads.size(); ++i) {
    const auto [first, count] = HeadRows(i, slice);
    const at::Tensor values = outputs.heads[i].contiguous();
    const std::size_t bytes = sizeof(float) * head_widths_[i];
    std::memcpy(to, Data(values) + first * bytes, count * bytes);
    to += count * bytes;
  }
}

}  // namespace hone::train
