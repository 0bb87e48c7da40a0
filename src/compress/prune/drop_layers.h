// A student with fewer layers, made of its teacher's: where distillation begins (DistilBERT, Sanh et
// al. 2019, arXiv:1910.01108).
#pragma once

#include <vector>

#include "base/status.h"
#include "compress/draft.h"

namespace hone::compress {

// The layers that stay, ascending: `keep` of `layers` at even distances, the first among them and,
// where keep > 1, the last.
std::vector<int> EvenlySpaced(int layers, int keep);

// The draft with only these layers, renumbered. Errors: keep that is not within 1 … layers; weights
// that are quantised.
base::StatusOr<Draft> DropLayers(const Draft& draft, int keep);

}  // namespace hone::compress
