// What a teacher has said of each item, so that it is asked once and not in every epoch.
//
// Hidden vectors are kept as bfloat16: half the bytes, the range of f32, and an error (1 in 256 of a
// value at most) far below the distance that a student can reach. Heads' outputs are kept as they are.
//
// Usage
//   if (memory.Recall(batch, &outputs)) return outputs;
//   outputs = …;
//   TeacherMemory::Round(&outputs);  // whether kept or not: results do not depend on the limit
//   memory.Keep(batch, outputs);
//
// Limits         `max_bytes` of what is kept; items that come after that are not.
// Thread-safety  one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/head.h"
#include "train/batches.h"
#include "train/graph.h"

namespace hone::train {

// What the hidden vectors of so many tokens take.
std::uint64_t KeptHiddenBytes(std::uint64_t tokens, int width, int layers);

class TeacherMemory {
 public:
  // A head over masked words is asked of others in each epoch: nothing is kept then.
  TeacherMemory(const model::Head& head, std::uint64_t max_bytes);

  // Heads and hidden states of every item of the batch; false where one was not kept.
  bool Recall(const TrainingBatch& batch, Outputs* outputs) const;

  // Makes the hidden states what Recall would give.
  static void Round(Outputs* outputs);

  // `outputs` is rounded.
  void Keep(const TrainingBatch& batch, const Outputs& outputs);

  std::uint64_t bytes() const { return bytes_; }

 private:
  // Of a batch: an item's tokens and texts.
  struct Slice {
    std::size_t token = 0, tokens = 0, text = 0, texts = 0;
  };
  static Slice SliceOf(const TrainingBatch& batch, std::size_t index);
  // Rows of a head's output that belong to the slice: the first, and how many.
  std::pair<std::size_t, std::size_t> HeadRows(std::size_t head, const Slice& slice) const;
  std::uint64_t Bytes(const Slice& slice) const;
  void KeepItem(const std::vector<at::Tensor>& hidden, const Outputs& outputs, const Slice& slice,
                std::byte* to) const;

  std::vector<model::Rows> rows_;  // per head
  std::uint64_t max_bytes_, bytes_ = 0;
  // Of what the teacher says, known with the first batch: hidden states beyond the embeddings', their
  // width, and the heads'.
  std::size_t layers_ = 0, width_ = 0;
  std::vector<std::size_t> head_widths_;
  // By item, empty where it was not kept: layers [layers, tokens, D] in bfloat16, then each head's
  // rows in f32.
  std::vector<std::unique_ptr<std::byte[]>> items_;
};

}  // namespace hone::train
