#include "server/http/message.h"

namespace hone::server {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string_view> Find(const Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> HttpRequest::Header(std::string_view lower_case_name) const {
  return Find(headers, lower_case_name);
}

std::optional<std::string_view> HttpRequest::Query(std::string_view name) const {
  return Find(query, name);
}

}  // namespace hone::server
