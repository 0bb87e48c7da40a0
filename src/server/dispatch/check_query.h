// Is a query one that the endpoint can take? Everything a client's own numbers could break is refused
// here, so that the engine need not ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/query.h"
#include "server/service.h"

namespace hone::server {

std::optional<Fault> CheckQuery(const Query& query, const ServiceOptions& options);
// The same of its answer's size (answer_size.h).
std::optional<Fault> CheckAnswer(std::uint64_t bytes, const ServiceOptions& options);

}  // namespace hone::server
