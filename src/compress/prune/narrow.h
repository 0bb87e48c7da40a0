// A student with a narrower residual stream, made of its teacher's channels: a start for
// distillation.
//
// The channels that stay are chosen as one-at-a-time removal chooses inputs (removal.h), with the
// identity for W and what comes out of all the model's norms for x: those from which the others can
// be told best. At every norm, over calibration rows y,
//
//   R = argmin Σ‖R y_S − y‖²          each matrix that reads this place becomes W R, bias W·shift
//   gain', bias' of a channel          from regressing y_i on the norm over the kept channels alone
//
// and each matrix that writes the stream keeps its rows S. A norm mixes all channels, so that this is
// no rotation that cancels: for models whose norms come after the blocks there is none, and the
// narrower model is an approximation from the first layer on: it needs training.
#pragma once

#include "base/status.h"
#include "compress/prune/pruner.h"

namespace hone::compress {

// Whether Narrow would take the model to this width; its errors, before anything is read.
base::Status CheckNarrow(const model::Model& model, int width);

// Layers lose heads first where a narrower model has fewer (width / head size).
// Errors  a width that is no multiple of the head size or not below the model's; embeddings of
//         another width than the model (ELECTRA); heads that embed, fill masks or have norms.
base::StatusOr<Draft> Narrow(const Draft& draft, int width, const Calibration& data,
                             const PruneOptions& options);

}  // namespace hone::compress
