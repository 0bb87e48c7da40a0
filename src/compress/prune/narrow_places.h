// The places of a model whose channels are to become fewer (narrow.h): what each norm gives, and how
// that can be had from the channels that stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/prune/pruner.h"

namespace hone::compress {

// What is known of the rows y [T,D] that one norm gives.
struct Place {
  std::string norm;               // module; empty: none of its own
  std::vector<float> gain, bias;  // of the norm; an empty bias: zeros
  std::vector<double> mean, covariance;
  // Over the channels kept, of v = (u − mean_S u) / std_S u with u = (y − bias) / gain: its
  // deviations' sums with y's, for the regression.
  std::vector<double> v_mean, v_square, v_y;
  std::int64_t rows = 0;
  // The result: y ≈ read · y_S + shift.
  std::vector<float> read;   // [D, d]
  std::vector<float> shift;  // [D]
};

// Place 0 is the embeddings, 1 + 2l and 2 + 2l the two norms of layer l, the last the final norm of a
// model that has one.
inline std::size_t PlaceOf(int layer, bool ffn) {
  return 1 + 2 * static_cast<std::size_t>(layer) + (ffn ? 1 : 0);
}

struct NarrowPlaces {
  std::vector<Place> places;
  std::vector<int> kept;  // channels, ascending
};

// Chooses `width` channels over calibration data and fits every place to them. The model is in float.
base::StatusOr<NarrowPlaces> FitPlaces(const model::Model& model, int width,
                                       const Calibration& data, const PruneOptions& options);

}  // namespace hone::compress
