// Calibration data: tokenised texts, and a view of what flows into a model's matrices on them.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(Calibration data, MakeCalibration(examples, task, tokenizer, model,
//                                                           {.count = 2048, .seed = 1}));
//   CalibrationStream stream(data, model.config.width);
//   for (int l = 0; l < model.config.layer_count(); ++l) {
//     stream.RunLayer(engine, l, {{runtime::Tap::kDownInput}}, [&](const LayerInputs& inputs) {
//       sum.Add(inputs.rows(runtime::Tap::kDownInput));   // [T,F] of one batch
//     });
//   }
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/example.h"
#include "eval/tasks.h"
#include "model/model.h"
#include "runtime/local_engine.h"
#include "runtime/tap.h"
#include "text/tokenizer.h"

namespace hone::compress {

// Texts as tokens, in batches of similar length; ragged, no padding.
struct CalibrationBatch {
  std::vector<std::int32_t> ids, types, begins;  // types: empty where the model has one at most
  std::vector<std::size_t> texts;                // the number of each; see Calibration

  runtime::Batch batch() const { return {.ids = ids, .types = types, .begins = begins}; }
};

// Texts are numbered by their example: text i is of example i / texts_per_example.
struct Calibration {
  std::vector<CalibrationBatch> batches;
  std::vector<eval::Example> examples;  // those chosen, with their targets
  int texts_per_example = 1;            // 2 where an embedding model takes pairs apart
  std::size_t tokens = 0;
};

struct CalibrationOptions {
  std::size_t count = 2048;  // examples; all where there are fewer
  std::uint64_t seed = 1;    // of the choice
  int tokens_per_batch = 2048;
  int max_tokens = 0;  // longer texts are cut; 0: the model's own limit
};

// As the task gives texts to this model: pairs together, or apart for a model that embeds; question
// answering with the window that holds the answer; tagging with the words joined by spaces.
// Errors  no example at all, none with a token; a question that leaves its context no room.
base::StatusOr<Calibration> MakeCalibration(const eval::Examples& examples, const eval::Task& task,
                                            const text::Tokenizer& tokenizer,
                                            const model::Model& model,
                                            const CalibrationOptions& options);

// The same from texts alone, one a line; blank lines are left out.
base::StatusOr<Calibration> MakeTextCalibration(std::string_view lines,
                                                const text::Tokenizer& tokenizer,
                                                const model::Model& model,
                                                const CalibrationOptions& options);

// What entered the matrices of one layer on one batch.
class LayerInputs {
 public:
  std::size_t batch() const { return batch_; }  // index into Calibration::batches
  // [T, width] of an input that was asked for; empty where the layer has no such matrix. Valid
  // until the callback returns.
  std::span<const float> rows(runtime::Tap tap) const {
    return rows_[static_cast<std::size_t>(tap)];
  }
  // The layer's input and output [T,D]: the residual stream before and after it.
  std::span<const float> before() const { return before_; }
  std::span<const float> after() const { return after_; }

 private:
  friend class CalibrationStream;
  std::size_t batch_ = 0;
  std::array<std::vector<float>, runtime::kTapCount> rows_;
  std::vector<float> before_, after_;
};

// The calibration data on their way through a model, one layer after the other: between calls it
// keeps the hidden states of every batch, so that all layers together cost one pass.
//
// Thread-safety  one caller; callbacks come from its thread.
// Memory         tokens · D floats.
class CalibrationStream {
 public:
  // `data` must outlive this.
  CalibrationStream(const Calibration& data, int width);

  // Runs the embeddings alone.
  void Start(runtime::LocalEngine& engine);

  // Runs layer `layer` (before it, those below must have been run; Start where it is 0), and calls
  // `use` with each batch. The hidden states move on where `advance`, and else stay, so that the
  // layer can be run again after its weights changed.
  void RunLayer(runtime::LocalEngine& engine, int layer, std::span<const runtime::Tap> taps,
                bool advance, const std::function<void(const LayerInputs&)>& use);

  // The same for one batch; what it returns is valid until the next call.
  const LayerInputs& RunBatch(runtime::LocalEngine& engine, int layer,
                              std::span<const runtime::Tap> taps, bool advance, std::size_t batch);

  // [T,D] of one batch, as it is before the next layer.
  std::span<const float> hidden(std::size_t batch) const { return hidden_[batch]; }

 private:
  const Calibration& data_;
  std::size_t width_;
  std::vector<std::vector<float>> hidden_;  // a batch
  LayerInputs inputs_;
};

}  // namespace hone::compress
