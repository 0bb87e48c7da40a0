// What is measured before the first rung: the device, and the dense model on it.
#pragma once

#include "base/status.h"
#include "compress/ladder/job.h"

namespace hone::compress {

// The latency table: from a file, from OUT.partial, or measured; and the rig that times models.
base::Status MeasureDevice(CompressJob& job);

// Metric, figures and latency of the dense model; says when the dev file is too small to tell one point.
base::Status MeasureDense(CompressJob& job);

}  // namespace hone::compress
