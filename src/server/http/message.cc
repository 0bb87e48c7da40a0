#include "server/http/message.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hone::server {

std::optional<std::string_view> HttpRequest::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

bool OccursOnce(std::string_view lower_case_name) {
  constexpr std::string_view kOnce[] = {"authorization",
                                        "api-key",
                                        "x-api-key",
                                        "content-type",
                                        "inference-header-content-length",
                                        "origin",
                                        "sec-fetch-site"};
  return lower_case_name.starts_with("x-hone-") ||
         std::ranges::find(kOnce, lower_case_name) != std::end(kOnce);
}

void Complete(HttpResponse* response) {
  if (!response->finish) return;
  const auto finish = std::exchange(response->finish, nullptr);
  finish(*response);
}

}  // namespace hone::server
