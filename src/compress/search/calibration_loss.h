// How far a candidate's answers are from the dense model's, on calibration texts: what the search
// lowers. No labels are needed.
//
//   classes (of a text or of tokens)  mean over rows of KL(softmax dense ‖ softmax candidate)
//   start and end of an answer        the same over the tokens of each text
//   a score                           mean squared error / variance of the dense scores
//   an embedding                      mean of 1 - cosine
//   fill-mask, or no head             mean of |h - h'|² / |h|² over the encoder's output
//
// Several outputs (intent and slots) are summed.
#pragma once

#include <vector>

#include "base/status.h"
#include "compress/calibration.h"
#include "model/model.h"
#include "runtime/local_engine.h"

namespace hone::compress {

class CalibrationLoss {
 public:
  // Runs the dense model over the texts; `options` should be of its own format. `data` must outlive
  // the result.
  static base::StatusOr<CalibrationLoss> Make(const model::Model& dense, const Calibration& data,
                                              const runtime::EngineOptions& options);

  // Of a model with the same head, run as `options` says. Not finite where its outputs are not.
  base::StatusOr<double> Of(const model::Model& candidate,
                            const runtime::EngineOptions& options) const;

 private:
  // outputs[batch][output]: rows; the last one is the encoder's where `hidden_` is set.
  using Outputs = std::vector<std::vector<std::vector<float>>>;

  explicit CalibrationLoss(const Calibration& data) : data_(&data) {}
  base::StatusOr<Outputs> Run(const model::Model& model,
                              const runtime::EngineOptions& options) const;

  const Calibration* data_;
  bool hidden_ = false;
  Outputs dense_;
};

}  // namespace hone::compress
