// Is a query one that the endpoint can take? Everything a client's own numbers could break is refused
// here, so that the engine need not ask.
#pragma once

#include <optional>
#include <string>

#include "server/query.h"
#include "server/service.h"

namespace hone::server {

std::optional<Fault> CheckQuery(const Query& query, const ServiceOptions& options);

}  // namespace hone::server
