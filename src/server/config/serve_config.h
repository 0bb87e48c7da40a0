// The configuration of `hone serve`: a YAML file, whose every key docs/serving.md describes.
//
//   port: 8080
//   memory: 512MiB
//   models:
//     embed: models/embed
//     intent: {dir: models/intent, pin: true, default_deadline: 20ms}
//
// Errors  path:line: what is wrong, and for an unknown key the one that was probably meant.
// Paths   are relative to the file's own directory.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "server/http/http_server.h"
#include "server/service.h"

namespace hone::server {

// Of ServiceOptions::table_cache, in a file and as a flag: latency tables are not kept.
inline constexpr std::string_view kNoTableCache = "none";

struct ServeConfig {
  ServiceOptions service;
  HttpOptions http;
  int grpc_port = -1;        // -1: no gRPC; 0: any free port
  std::string api_key_file;  // empty: everybody may ask
};

// `path` names the file in errors, and its directory is where relative paths begin.
base::StatusOr<ServeConfig> ParseServeConfig(std::string_view text, const std::string& path);

// "intent=DIR", or DIR alone, whose last component is then the name.
base::StatusOr<ModelOptions> ParseModelFlag(std::string_view text);

// "20ms", "1.5s", or milliseconds as a number; at most 24 hours. Milliseconds.
base::StatusOr<double> ParseMilliseconds(std::string_view text);

// A model's name goes into URLs: letters, digits, "-", "_" and ".", 1 to 128 of them, no leading ".".
base::Status CheckModelName(std::string_view name);

}  // namespace hone::server
