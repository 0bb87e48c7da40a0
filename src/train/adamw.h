// AdamW: Adam with decoupled weight decay, over all parameters in one pass of memory.
//
//   g = gradient · min(1, clip / ‖all gradients‖)
//   m = β₁ m + (1-β₁) g          v = β₂ v + (1-β₂) g²
//   w = w - lr · decay · w - lr · (m / (1-β₁ᵗ)) / (√(v / (1-β₂ᵗ)) + ε)
//
// Gradients may be sparse in their rows (the word embedding's): rows without one count as zero, as
// in a dense optimiser, and rows that never had one only decay. Such a table is most of a small
// model, so its rows are brought up to date when they are needed: call Touch before they are read,
// Settle before the whole table is. The bits do not depend on when that is done.
//
// Usage
//   adam.Touch(batch.ids);  // forward, backward
//   adam.Step(rate, clip);
//   adam.Settle();          // then the parameters can be written or evaluated
//
// Thread-safety  one caller at a time; it uses the threads of UseThreads inside.
// Source         Loshchilov, Hutter 2017, arXiv:1711.05101; PyTorch's torch.optim.AdamW.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "kernels/adamw/adamw.h"
#include "train/graph.h"

namespace hone::train {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0.01;  // of parameters with Parameter::decay
};

// What training needs to go on: as many entries as parameters, in their order.
struct Moments {
  std::string name;
  at::Tensor first, second;  // f32, of the parameter's shape; shared with the optimiser
};

class AdamW {
 public:
  AdamW(std::vector<Parameter> parameters, const AdamWOptions& options);

  // One step with the gradients summed so far, each times `scale` first (1/accumulated steps);
  // clears them. clip 0: none. Returns the gradients' norm before clipping. Where that is not
  // finite nothing is changed but the gradients, which are cleared.
  double Step(double learning_rate, double clip, double scale = 1);
  void ClearGradients();

  // Brings these rows of every table up to date; rows may repeat.
  void Touch(std::span<const std::int32_t> rows);
  // And all that there is.
  void Settle();

  std::int64_t steps() const { return steps_; }
  // CHECKs that everything is settled.
  std::vector<Moments> moments() const;
  // Puts back what moments() gave, after `steps` steps. An error names a missing or odd tensor.
  base::Status Restore(const std::vector<Moments>& moments, std::int64_t steps);

 private:
  struct Slot {
    Parameter parameter;
    at::Tensor first, second;
    // Of a table, whose gradients are sparse; empty where they are dense.
    std::vector<std::size_t> done;              // by row: how many of `passed` it has taken
    std::vector<kernels::AdamWFactors> passed;  // steps since all rows were up to date
  };
  static void CatchUp(Slot& slot, std::int64_t row);
  kernels::AdamWFactors FactorsOfNextStep(double learning_rate) const;

  std::vector<Slot> slots_;
  AdamWOptions options_;
  std::int64_t steps_ = 0;
};

}  // namespace hone::train
