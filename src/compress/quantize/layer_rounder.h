// Rounds the matrices of a draft's layers with calibration data, one layer after the other: each is
// measured on the outputs of the rounded layers below it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "compress/quantize.h"

namespace hone::compress {

// A matrix of a layer, and which of the layer's inputs it reads.
struct LayerMatrix {
  std::string module;
  runtime::Tap input = runtime::Tap::kQkvInput;
  int n = 0, k = 0;  // of the whole module: Q, K and V may be one in the file
};

// Those of layer `layer`, each module once.
base::StatusOr<std::vector<LayerMatrix>> LayerMatrices(const model::Model& model, int layer);

// `formats` by module; modules it lacks, and formats that are no integers, stay as they are.
// `rounded` is called with each matrix that is done. Leaves the draft bound.
base::Status RoundLayers(Draft* draft, const std::map<std::string, quant::Format>& formats,
                         const RoundingOptions& options, base::ThreadPool& pool,
                         const std::function<void(const LayerMatrix&)>& rounded);

}  // namespace hone::compress
