// The state of the service as Prometheus reads it.
#pragma once

#include <string>

#include "server/service.h"

namespace hone::server {

// Text format 0.0.4: a HELP and a TYPE line a metric; histograms in seconds.
std::string WriteMetrics(const ServiceStatus& status);

}  // namespace hone::server
