#include "server/api/openapi.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/check.h"
#include "base/version.h"
#include "server/api/router.h"

namespace hone::server {
namespace {

using Json = nlohmann::ordered_json;

Json Parse(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  HONE_CHECK(!json.is_discarded());
  return json;
}

// One of several members is wanted: null counts as absent there too.
void CountNullsAsAbsent(Json& branches) {
  for (Json& branch : branches) {
    if (!branch.contains("required") || branch.contains("properties")) continue;
    const Json required = branch["required"];  // a copy: a new member moves the others
    for (const Json& name : required) {
      branch["properties"][name.get<std::string>()] = {{"not", {{"type", "null"}}}};
    }
  }
}

// Lets every optional member be null.
void AllowNulls(Json& schema) {
  if (schema.is_array()) {
    for (Json& one : schema) AllowNulls(one);
    return;
  }
  if (!schema.is_object()) return;
  for (auto& [key, value] : schema.items()) {
    if (key == "oneOf") CountNullsAsAbsent(value);
    if (key != "example" && key != "enum") AllowNulls(value);
  }
  if (!schema.contains("properties") || !schema["properties"].is_object()) return;
  const Json required = schema.value("required", Json::array());
  for (auto& [name, member] : schema["properties"].items()) {
    if (std::ranges::find(required, Json(name)) != required.end()) continue;
    if (!member.contains("type") || !member["type"].is_string()) continue;
    member["type"] = Json::array({member["type"], "null"});
    if (member.contains("enum")) member["enum"].push_back(nullptr);
  }
}

Json Header(std::string_view name, std::string_view description, Json schema) {
  return {{"name", name},
          {"in", "header"},
          {"required", false},
          {"description", description},
          {"schema", std::move(schema)}};
}

Json Parameters(const Route& route) {
  Json parameters = Json::array();
  for (std::size_t at = route.path.find('{'); at != std::string_view::npos;
       at = route.path.find('{', at + 1)) {
    const std::string_view name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    parameters.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  if (route.method != "POST" || route.request_schema.empty()) return parameters;
  parameters.push_back(Header("X-Hone-Deadline-Ms",
                              "milliseconds until the answer is worth nothing; a request that "
                              "cannot be answered in time is refused at once (429)",
                              {{"type", "number"}, {"exclusiveMinimum", 0}}));
  parameters.push_back(
      Header("X-Hone-Priority", "how much of a busy machine the request may still claim",
             {{"type", "string"}, {"enum", {"low", "normal", "high", "0", "1", "2"}}}));
  return parameters;
}

Json ErrorSchema(Protocol protocol) {
  if (protocol == Protocol::kTei) {
    return Parse(R"({"type":"object","required":["error","error_type"],
      "properties":{"error":{"type":"string"},"error_type":{"type":"string"}}})");
  }
  if (protocol == Protocol::kKserve) {
    return Parse(
        R"({"type":"object","required":["error"],"properties":{"error":{"type":"string"}}})");
  }
  return Parse(R"({"type":"object","required":["error"],"properties":{"error":{"type":"object",
    "required":["message","type","code"],"properties":{"message":{"type":"string"},
    "type":{"type":"string"},"param":{"type":["string","null"]},"code":{"type":"string"}}}}})");
}

Json Response(std::string_view description, Json schema) {
  return {{"description", description},
          {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

Json Operation(const Route& route) {
  Json operation = {{"tags", {route.tag}}, {"summary", route.summary}};
  Json parameters = Parameters(route);
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.request_schema.empty()) {
    Json schema = Parse(route.request_schema);
    AllowNulls(schema);
    operation["requestBody"] = {{"required", true},
                                {"content", {{"application/json", {{"schema", schema}}}}}};
  }
  Json& responses = operation["responses"];
  if (route.response_schema.empty()) {
    responses["200"] = {{"description", "done"}};
  } else {
    responses["200"] = Response("the answer", Parse(route.response_schema));
  }
  const Json error = ErrorSchema(ProtocolOf(route.tag));
  responses["4XX"] = Response("the request is wrong, or refused (429, with Retry-After)", error);
  responses["5XX"] = Response("not ready (503, with Retry-After), late (504), or a defect", error);
  return operation;
}

}  // namespace

std::string WriteOpenApi(std::span<const Route> routes) {
  Json document = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Hone"},
        {"version", base::kVersion},
        {"description",
         "Language models on this device, each request with a deadline. The headers X-Hone-Model, "
         "X-Hone-Rung, X-Hone-Queue-Ms and X-Hone-Compute-Ms of an answer say what served it."}}},
  };
  for (const Route& route : routes) {
    std::string method(route.method);
    std::ranges::transform(method, method.begin(), [](char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    document["paths"][std::string(route.path)][method] = Operation(route);
  }
  return document.dump();
}

}  // namespace hone::server
