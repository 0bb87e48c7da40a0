// Which route a request is for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/fault.h"
#include "server/api/routes.h"

namespace hone::server {

// All lists of routes.h, in the order in which /openapi.json and the page show them.
const std::vector<Route>& AllRoutes();

// "/v2/models/{model}" against "/v2/models/intent": the segments that the {names} matched.
bool MatchPath(std::string_view pattern, std::string_view path, std::vector<std::string>* segments);

struct RouteMatch {
  const Route* route = nullptr;       // null: none
  std::vector<std::string> segments;  // of the route
  std::string allow;                  // methods of the path, where only the method is wrong
};
RouteMatch FindRoute(std::span<const Route> routes, std::string_view method, std::string_view path);

// Whose error shape a path has, known or not.
Protocol ProtocolOf(std::string_view tag);
Protocol ProtocolOfPath(std::string_view path);

// Whether bodies of this content type are read: JSON, or what a client did not name; octets where tensors are.
bool AcceptsContentType(const Route& route, std::string_view content_type);

}  // namespace hone::server
