// Histograms of milliseconds (server::Histogram) for /metrics.
#pragma once

#include "server/service.h"

namespace hone::server {

// Bounds from 0.1 ms to 10 s, three a decade: 0.1, 0.25, 0.5, 1, 2.5, …
Histogram MakeHistogram();
void Count(double ms, Histogram* histogram);

}  // namespace hone::server
