#include "server/api/openapi.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/check.h"
#include "base/strings.h"
#include "base/version.h"
#include "server/api/kserve_infer.h"
#include "server/api/router.h"
#include "server/http/api_keys.h"

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

// What requests may say of the server at hand.
struct Facts {
  Json models;  // their names
  bool wants_keys;
};

Json Parameter(std::string_view in, std::string_view name, std::string_view description,
               Json schema) {
  return {{"name", name},
          {"in", in},
          {"required", in == "path"},
          {"description", description},
          {"schema", std::move(schema)}};
}

Json ModelName(const Facts& facts) {
  return {{"type", "string"}, {"enum", facts.models}};
}

// {model}, {version}.
void AddPathParameters(const Route& route, const Facts& facts, Json* parameters) {
  for (std::size_t at = route.path.find('{'); at != std::string_view::npos;
       at = route.path.find('{', at + 1)) {
    const std::string_view name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    parameters->push_back(name == "model"
                              ? Parameter("path", name, "its name", ModelName(facts))
                              : Parameter("path", name, "of the model",
                                          {{"type", "string"}, {"enum", {kModelVersion}}}));
  }
}

// Of requests that a model computes.
void AddTerms(Json* parameters) {
  parameters->push_back(Parameter("header", "X-Hone-Deadline-Ms",
                                  "milliseconds until the answer is worth nothing; a request that "
                                  "cannot be answered in time is refused at once (429)",
                                  {{"type", "number"}, {"exclusiveMinimum", 0}}));
  parameters->push_back(Parameter(
      "header", "X-Hone-Priority", "how much of a busy machine the request may still claim",
      {{"type", "string"}, {"enum", {"low", "normal", "high", "0", "1", "2"}}}));
}

Json Parameters(const Route& route, const Facts& facts) {
  Json parameters = Json::array();
  AddPathParameters(route, facts, &parameters);
  const bool computes = !route.request_schema.empty() && !route.rest.body_optional;
  if (computes) AddTerms(&parameters);
  if ((computes || route.rest.may_name_model) && ProtocolOf(route.tag) != Protocol::kKserve) {
    constexpr std::string_view kWhich = "the model, where the body names none";
    parameters.push_back(Parameter("header", "X-Hone-Model", kWhich, ModelName(facts)));
    parameters.push_back(Parameter("query", "model", kWhich, ModelName(facts)));
  }
  if (route.rest.tensors) {
    parameters.push_back(Parameter("header", "Inference-Header-Content-Length",
                                   "bytes of JSON in a body that has raw tensors behind it",
                                   {{"type", "integer"}, {"minimum", 0}}));
  }
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

// JSON, and behind it the tensors that say binary_data_size.
void AddTensors(Json* body) {
  (*body)["content"]["application/octet-stream"] = {
      {"schema", {{"type", "string"}, {"format", "binary"}}}};
}

Json RequestBody(const Route& route, const Facts& facts) {
  Json schema = Parse(route.request_schema);
  if (schema.contains("properties") && schema["properties"].contains("model")) {
    schema["properties"]["model"] = ModelName(facts);
  }
  AllowNulls(schema);
  Json body = {{"required", !route.rest.body_optional},
               {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
  if (route.rest.tensors) AddTensors(&body);
  return body;
}

Json Answer(const Route& route) {
  if (!route.response_schema.empty()) {
    Json answer = Response("the answer", Parse(route.response_schema));
    if (route.rest.tensors) {
      AddTensors(&answer);
      answer["headers"]["Inference-Header-Content-Length"] = {
          {"description", "bytes of JSON, where raw tensors follow"},
          {"schema", {{"type", "integer"}}}};
    }
    return answer;
  }
  Json answer = {{"description", "the answer"}};
  // Without the parameters behind its ";".
  answer["content"][std::string(route.rest.media.substr(0, route.rest.media.find(';')))] =
      Json::object();
  return answer;
}

Json Responses(const Route& route) {
  Json responses = {{"200", Answer(route)}};
  const Json error = ErrorSchema(ProtocolOf(route.tag));
  if (!route.rest.unready_schema.empty()) {
    responses["503"] = Response("not ready", Parse(route.rest.unready_schema));
  }
  responses["4XX"] = Response("the request is wrong, or refused (429, with Retry-After)", error);
  responses["5XX"] = Response("not ready (503, with Retry-After), late (504), or a defect", error);
  return responses;
}

Json Operation(const Route& route, const Facts& facts) {
  Json operation = {{"tags", {route.tag}}, {"summary", route.summary}};
  Json parameters = Parameters(route, facts);
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.request_schema.empty()) operation["requestBody"] = RequestBody(route, facts);
  operation["responses"] = Responses(route);
  if (facts.wants_keys && NeedsNoKey(route.method, route.path)) {
    operation["security"] = Json::array();
  }
  return operation;
}

// One of three headers shows the key (http/api_keys.h).
void AddSecurity(Json* document) {
  Json& schemes = (*document)["components"]["securitySchemes"];
  schemes["bearer"] = {{"type", "http"}, {"scheme", "bearer"}};
  for (const char* header : {"api-key", "x-api-key"}) {
    schemes[header] = {{"type", "apiKey"}, {"in", "header"}, {"name", header}};
  }
  Json& security = (*document)["security"];
  for (const auto& [name, scheme] : schemes.items()) security.push_back({{name, Json::array()}});
}

}  // namespace

std::string WriteOpenApi(std::span<const Route> routes, const std::vector<std::string>& models,
                         bool wants_keys) {
  const Facts facts{.models = models, .wants_keys = wants_keys};
  Json document = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Hone"},
        {"version", base::kVersion},
        {"description",
         "Language models on this device, each request with a deadline. The headers X-Hone-Model, "
         "X-Hone-Rung, X-Hone-Queue-Ms and X-Hone-Compute-Ms of an answer say what served it."}}},
  };
  if (wants_keys) AddSecurity(&document);
  for (const Route& route : routes) {
    document["paths"][std::string(route.path)][base::AsciiLower(route.method)] =
        Operation(route, facts);
  }
  return document.dump();
}

}  // namespace hone::server
