// The API described for machines: OpenAPI 3.1 from the list of routes.
#pragma once

#include <span>
#include <string>

#include "server/api/routes.h"

namespace hone::server {

// Members of a request that are not required may be null, as every protocol here has it; the text says so.
std::string WriteOpenApi(std::span<const Route> routes);

}  // namespace hone::server
