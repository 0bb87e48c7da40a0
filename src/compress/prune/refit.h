// Pruning again to shapes that a search has chosen, from bottom to top.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(Draft smaller, Refit(draft, ShapesOf(draft, blocks, assignment), data,
//                                              options));
//
// Source  K-prune (ICLR 2024) for the order; the removal is ZipLM's (removal.h).
#pragma once

#include <vector>

#include "compress/prune/pruner.h"

namespace hone::compress {

// The draft with every block cut down to `shapes`, chosen and refitted anew from bottom to top: each
// Hessian sees the inputs that the already pruned prefix gives (x), and the weights that remain aim
// at what the dense model has there (x', residual streams r and r'),
//
//   min ‖W_s x_s + b_s − (W x' + b + r' − r)‖² + λ‖W_s − W_0‖²      W_0: as the removal left it
//
// so that what earlier layers lost is made up for as far as a linear map can. Blocks that stay whole
// are refitted too. Shapes may only shrink.
base::StatusOr<Draft> Refit(const Draft& dense, const std::vector<PrunedShape>& shapes,
                            const Calibration& data, const PruneOptions& options);

}  // namespace hone::compress
