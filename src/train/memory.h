// How much memory a training run takes at its peak, before it takes it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/model.h"

namespace hone::train {

struct TrainingShape {
  int tokens = 0;        // of the largest batch
  int texts = 0;         // of that batch
  int longest_text = 0;  // tokens
  int parts = 1;         // of a batch, each with gradients of its own until they are summed
  int passes = 1;        // of each text, all kept until the backward pass
  bool hidden_states = false;
  // A second model in f32 that only computes (a teacher); null: none.
  const model::Model* teacher = nullptr;
};

struct TrainingMemory {
  std::uint64_t parameters = 0;  // f32
  std::uint64_t gradients = 0;
  std::uint64_t moments = 0;      // Adam's two
  std::uint64_t activations = 0;  // kept from forward to backward, and what backward needs beside
  std::uint64_t exported = 0;     // the parameters once more, as the engine and the file take them
  std::uint64_t engine = 0;       // packed weights of the engine that evaluates, between two steps
  std::uint64_t teacher = 0;
  std::uint64_t fixed = 0;  // libtorch and its libraries, before any tensor

  // What is there at once: gradients and activations are gone while the engine evaluates.
  std::uint64_t total() const {
    return parameters + moments + exported + std::max(gradients + activations, engine) + teacher +
           fixed;
  }
};

// Foreseen peak of the process, within a factor of 1.5 of what is measured (memory_test.cc).
TrainingMemory ForeseeMemory(const model::Model& model, const TrainingShape& shape);

}  // namespace hone::train
