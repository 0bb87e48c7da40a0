#include "server/config/serve_config.h"

#include <algorithm>
#include <limits>

#include "base/quantities.h"
#include "base/thread_pool.h"
#include "compress/recipe/fields.h"
#include "env/file.h"
#include "planner/layouts.h"
#include "scheduler/policy.h"

namespace hone::server {
namespace {

using compress::Fields;
using compress::YamlKind;
using compress::YamlNode;

constexpr std::size_t kMaxModels = 256;
constexpr double kMostMilliseconds = 24 * 3600e3;

// Members that Fields has no reader for.
class Reader : public Fields {
 public:
  Reader(const YamlNode& node, const std::string& path, std::string of)
      : Fields(node, path, std::move(of)) {}

  // `zero`: 0 is as if the key were not there.
  template <typename Int>
  void Bytes(std::string_view key, Int* out, bool zero = false) {
    Quantity(key, [&](std::string_view text) {
      if (zero && text == "0") return base::OkStatus();
      const base::StatusOr<std::uint64_t> bytes = base::ParseBytes(text);
      if (!bytes.ok()) return bytes.status();
      if (*bytes > std::numeric_limits<Int>::max()) {
        return base::BadInput(text, " is more than can be allowed here");
      }
      *out = static_cast<Int>(*bytes);
      return base::OkStatus();
    });
  }
  void Milliseconds(std::string_view key, double* out) {
    Quantity(key, [&](std::string_view text) {
      const base::StatusOr<double> ms = ParseMilliseconds(text);
      if (ms.ok()) *out = *ms;
      return ms.status();
    });
  }
  void Seconds(std::string_view key, double* out) {
    double ms = *out * 1e3;
    Milliseconds(key, &ms);
    *out = ms / 1e3;
  }
  void Split(std::string_view key, std::vector<int>* out) {
    Quantity(key, [&](std::string_view text) {
      base::StatusOr<std::vector<int>> split = planner::ParseSplit(text);
      if (split.ok()) *out = *split;
      return split.status();
    });
  }
  // `word`: what is no path, and stays as it is.
  void Path(std::string_view key, std::string* out, std::string_view word = {}) {
    const bool there = Has(key);
    Text(key, out);
    if (there && !out->empty() && *out != word) *out = FromHere(*out);
  }
  void Policy(std::string_view key, std::string* out) {
    Quantity(key, [&](std::string_view text) {
      base::Status known = scheduler::MakePolicy(text).status();
      if (known.ok()) *out = text;
      return known;
    });
  }
  // Relative to the directory of the configuration.
  std::string FromHere(const std::string& file) const {
    const std::size_t slash = path().rfind('/');
    if (file.starts_with('/') || slash == std::string::npos) return file;
    return env::JoinPath(path().substr(0, slash), file);
  }

 private:
  template <typename Parse>
  void Quantity(std::string_view key, const Parse& parse) {
    const bool there = Has(key);
    std::string text;
    Text(key, &text);
    if (!there || text.empty()) return;
    const base::Status status = parse(text);
    if (!status.ok()) Fail(line(key), base::StrCat(key, ": ", status.message()));
  }
};

void ReadTls(Reader* top, const std::string& path, HttpOptions* http) {
  const YamlNode* node = top->Map("tls");
  if (node == nullptr) return;
  Reader tls(*node, path, "tls");
  tls.Path("cert", &http->tls_cert);
  tls.Path("key", &http->tls_key);
  tls.Path("client_ca", &http->client_ca);
  if (http->tls_cert.empty() || http->tls_key.empty()) {
    tls.Fail(node->line, "needs both cert and key");
  }
  top->Adopt(tls);
}

void ReadLimits(Reader* top, const std::string& path, ServeConfig* config) {
  const YamlNode* node = top->Map("limits");
  if (node == nullptr) return;
  Reader limits(*node, path, "limits");
  HttpOptions& http = config->http;
  limits.Bytes("body", &http.max_body_bytes);
  limits.Bytes("header", &http.max_header_bytes);
  limits.Bytes("held", &http.max_held_bytes);
  limits.Integer("connections", {.min = 1, .max = 1e6}, &http.max_connections);
  limits.Seconds("read_timeout", &http.read_timeout_s);
  limits.Seconds("idle_timeout", &http.idle_timeout_s);
  limits.Integer("texts", {.min = 1, .max = 1e6}, &config->service.max_texts);
  limits.Integer("queued", {.min = 1, .max = 1e6}, &config->service.max_queued);
  limits.Milliseconds("deadline", &config->service.max_deadline_ms);
  top->Adopt(limits);
}

void ReadModel(Reader* top, const std::string& path, const YamlNode& node, ServeConfig* config) {
  ModelOptions model;
  model.name = node.key;
  const base::Status name = CheckModelName(model.name);
  if (!name.ok()) return top->Fail(node.line, base::StrCat("models: ", name.message()));
  if (node.kind == YamlKind::kScalar && !node.text.empty()) {
    model.directory = top->FromHere(node.text);
  } else {
    Reader fields(node, path, base::StrCat("models: ", model.name));
    fields.Path("dir", &model.directory);
    fields.Boolean("pin", &model.pinned);
    fields.Number("reserve_cores", {.min = 0, .max = 1024}, &model.reserved_cores);
    fields.Number("limit_cores", {.min = 0, .max = 1024}, &model.limit_cores);
    fields.Bytes("reserve_memory", &model.reserved_bytes, true);
    fields.Bytes("limit_memory", &model.limit_bytes, true);
    fields.Integer("max_batch", {.min = 1, .max = 4096}, &model.max_texts);
    fields.Integer("max_batch_tokens", {.min = 1, .max = 1 << 20}, &model.max_batch_tokens);
    fields.Milliseconds("default_deadline", &model.default_deadline_ms);
    if (!fields.Has("dir")) fields.Fail(node.line, "needs dir, the model's directory");
    top->Adopt(fields);
  }
  config->service.models.push_back(std::move(model));
}

void ReadModels(Reader* top, const std::string& path, ServeConfig* config) {
  const YamlNode* node = top->Map("models");
  if (node == nullptr) return;
  if (node->kind != YamlKind::kMap) {
    return top->Fail(node->line,
                     base::StrCat("models: expected a map of names to directories, found ",
                                  compress::KindOf(*node)));
  }
  if (node->items.size() > kMaxModels) {
    return top->Fail(node->line, base::StrCat("models: more than ", kMaxModels));
  }
  for (const YamlNode& item : node->items) ReadModel(top, path, item, config);
}

// Each member of the map and of the maps in it, by its name in messages: `of` and its key.
void NoteLines(const YamlNode& map, const std::string& of, std::map<std::string, int>* lines) {
  for (const YamlNode& item : map.items) {
    const std::string name = of + item.key;
    (*lines)[name] = item.line;
    if (item.kind == YamlKind::kMap) NoteLines(item, name + ": ", lines);
  }
}

}  // namespace

base::Status CheckModelName(std::string_view name) {
  const bool characters = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (!characters || name.empty() || name.size() > 128 || name.front() == '.') {
    return base::BadInput("\"", name,
                          "\" is no name for a model: 1 to 128 letters, digits, \"-\", ",
                          "\"_\" or \".\", which it does not begin with");
  }
  return base::OkStatus();
}

base::StatusOr<double> ParseMilliseconds(std::string_view text) {
  HONE_ASSIGN_OR_RETURN(const base::TimeNs ns,
                        base::ParseDuration(text, base::BareNumber::kMilliseconds));
  const double ms = static_cast<double>(ns) / base::kMillisecondNs;
  if (ms > kMostMilliseconds) {
    return base::BadInput("\"", text, "\" is more than can be waited for here, 24h");
  }
  return ms;
}

base::StatusOr<ModelOptions> ParseModelFlag(std::string_view text) {
  ModelOptions model;
  // A directory may hold "=", a name may not: what stands before the first is a name where it is one.
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos &&
      text.substr(0, equals).find('/') == std::string_view::npos) {
    model.name = text.substr(0, equals);
    model.directory = text.substr(equals + 1);
  } else {
    model.directory = text;
    std::string_view rest = text;
    while (rest.size() > 1 && rest.ends_with('/')) rest.remove_suffix(1);
    model.name = rest.substr(rest.rfind('/') + 1);
  }
  if (model.directory.empty()) {
    return base::BadInput("\"", text, "\": expected NAME=DIRECTORY or DIRECTORY");
  }
  const base::Status status = CheckModelName(model.name);
  if (!status.ok()) return base::BadInput(status.message(), "; say NAME=", model.directory);
  return model;
}

base::StatusOr<ServeConfig> ParseServeConfig(std::string_view text, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(const YamlNode root, compress::ParseYaml(text, path));
  ServeConfig config;
  Reader top(root, path, "");
  top.Text("host", &config.http.host);
  top.Integer("port", {.min = 0, .max = 65535}, &config.http.port);
  top.Integer("grpc_port", {.min = 0, .max = 65535}, &config.grpc_port);
  top.Integer("io_threads", {.min = 1, .max = 64}, &config.http.io_threads);
  top.Path("api_key_file", &config.api_key_file);
  ReadTls(&top, path, &config.http);
  ReadLimits(&top, path, &config);
  top.Integer("threads", {.min = 0, .max = base::ThreadPool::kMaxThreads}, &config.service.threads);
  top.Split("split", &config.service.split);
  top.Bytes("memory", &config.service.memory_bytes);
  top.Policy("policy", &config.service.policy);
  top.Milliseconds("default_deadline", &config.service.default_deadline_ms);
  top.Path("table_cache", &config.service.table_cache, kNoTableCache);
  ReadModels(&top, path, &config);
  HONE_RETURN_IF_ERROR(top.Finish());
  // Who asks only for a lower limit wants no request to wait longer than that.
  if (!top.Has("default_deadline")) {
    config.service.default_deadline_ms =
        std::min(config.service.default_deadline_ms, config.service.max_deadline_ms);
  }
  config.path = path;
  NoteLines(root, "", &config.lines);
  return config;
}

base::Status WrongInFile(const ServeConfig& config, const WrongSetting& wrong) {
  const auto line = config.lines.find(wrong.setting);
  if (line == config.lines.end()) return base::BadInput(wrong.setting, ": ", wrong.what);
  return base::BadInput(config.path, ":", line->second, ": ", wrong.setting, ": ", wrong.what);
}

}  // namespace hone::server
