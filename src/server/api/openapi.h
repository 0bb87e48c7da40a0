// The API described for machines: OpenAPI 3.1 from the list of routes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "server/api/routes.h"

namespace hone::server {

// Members of a request that are not required may be null, as every protocol here has it; the text
// says so. `models`: the names that requests may give. `wants_keys`: without a key they are refused.
std::string WriteOpenApi(std::span<const Route> routes, const std::vector<std::string>& models,
                         bool wants_keys);

}  // namespace hone::server
