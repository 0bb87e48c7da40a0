// How much memory a training run takes at its peak, before it takes it.
#pragma once

#include <cstdint>

#include "model/model.h"

namespace hone::train {

struct TrainingShape {
  int tokens = 0;        // of the largest batch
  int texts = 0;         // of that batch
  int longest_text = 0;  // tokens
  bool hidden_states = false;
  // A second model in f32 that only computes (a teacher); null: none.
  const model::Model* teacher = nullptr;
};

struct TrainingMemory {
  std::uint64_t parameters = 0;  // f32
  std::uint64_t gradients = 0;
  std::uint64_t moments = 0;      // Adam's two
  std::uint64_t activations = 0;  // kept from forward to backward, and what backward needs beside
  std::uint64_t teacher = 0;
  std::uint64_t fixed = 0;  // libtorch and its libraries, before any tensor
  std::uint64_t total() const {
    return parameters + gradients + moments + activations + teacher + fixed;
  }
};

// Foreseen peak of the process, within a factor of 1.5 of what is measured (memory_test.cc).
TrainingMemory ForeseeMemory(const model::Model& model, const TrainingShape& shape);

}  // namespace hone::train
