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

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "server/config/check_options.h"
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
  // The file, and where in it each setting is: "models: intent: limit_memory" in line 12.
  std::string path = {};
  std::map<std::string, int> lines = {};
};

// `path` names the file in errors, and its directory is where relative paths begin. What holds between settings
// is not looked at: flags may go before some (CheckOptions, and WrongInFile for what it finds).
base::StatusOr<ServeConfig> ParseServeConfig(std::string_view text, const std::string& path);

// What is wrong with the service's options, as an error that names the line where there is one.
base::Status WrongInFile(const ServeConfig& config, const WrongSetting& wrong);

// "intent=DIR", or DIR alone, whose last component is then the name.
base::StatusOr<ModelOptions> ParseModelFlag(std::string_view text);

// "20ms", "1.5s", or milliseconds as a number; at most 24 hours. Milliseconds.
base::StatusOr<double> ParseMilliseconds(std::string_view text);

// A model's name goes into URLs: letters, digits, "-", "_" and ".", 1 to 128 of them, no leading ".".
base::Status CheckModelName(std::string_view name);

}  // namespace hone::server
