#include "cli/serving/serve_flags.h"

#include <cstdlib>
#include <optional>

#include "base/quantities.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/isa.h"
#include "env/file.h"
#include "planner/layouts.h"
#include "scheduler/policy.h"

namespace hone::cli {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 1 << 20;
constexpr std::uint64_t kMaxKeyFileBytes = 8 << 20;

// Measured latency tables are small and can be had again at the cost of a second: a cache.
std::string DefaultTableCache() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return env::JoinPath(cache, "hone");
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return env::JoinPath(home, ".cache/hone");
  return "";
}

// What a setting names is not as it should be: with the line that says so, where no flag does.
base::Status InFile(const server::ServeConfig& config, const std::string& flag, const char* setting,
                    const base::Status& status) {
  return flag.empty() ? server::WrongInFile(config, {setting, status.message()}) : status;
}

// Errors of flags are errors of usage.
base::Status Usage(std::string_view flag, const base::Status& status) {
  return InvalidUsage(base::StrCat(flag, ": ", status.message()));
}

}  // namespace

void ServeFlags::Add(Flags& flags) {
  flags.TextList("-m,--model", &models_,
                 "a model or ladder to serve: NAME=DIR, or DIR; may be given again");
  flags.Text("--config", &config_, "a YAML file (docs/serving.md); flags go before it");
  flags.Text("--host", &host_, "address to listen on (127.0.0.1)");
  flags.Int("--port", &port_, -1, 65535, "of HTTP; 0: any free one; -1: the file's, or 8080");
  flags.Int("--grpc-port", &grpc_port_, -1, 65535, "of KServe's gRPC; -1: the file's, or none");
  flags.Text("--api-key-file", &api_key_file_, "lines NAME:KEY; requests then need one of them");
  flags.Text("--tls-cert", &tls_cert_, "PEM file: HTTPS with this certificate");
  flags.Text("--tls-key", &tls_key_, "PEM file: its key");
  flags.Text("--client-ca", &client_ca_, "PEM file: clients need a certificate of this CA");
  flags.Text(
      "--memory", &memory_,
      "for models' weights, such as 512MiB; what does not fit waits on disk; default: no limit");
  flags.Text("--policy", &policy_, "who runs when: ladder (default), edf, round_robin, fcfs");
  flags.Int("-t,--threads", &threads_, -1, base::ThreadPool::kMaxThreads,
            "0: all processors; -1: the file's, or 0");
  flags.Text("--split", &split_,
             "threads of each executor, 1,1 or 2; auto (the default): as the load asks for");
  flags.Text("--default-deadline", &default_deadline_, "of requests that name none (30s)");
  flags.Text(
      "--table-cache", &table_cache_,
      "directory that keeps measured latencies between starts (~/.cache/hone); none: nowhere");
}

base::StatusOr<server::ServeConfig> ServeFlags::Read() const {
  server::ServeConfig config;
  env::FileSystem& files = env::RealFileSystem();
  if (!config_.empty()) {
    HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(config_, kMaxConfigBytes));
    HONE_ASSIGN_OR_RETURN(config, server::ParseServeConfig(text, config_));
  }
  HONE_RETURN_IF_ERROR(Apply(&config));
  HONE_RETURN_IF_ERROR(AddModels(&config));
  HONE_RETURN_IF_ERROR(Check(config));
  if (!config.api_key_file.empty()) {
    const base::StatusOr<std::string> text = files.Read(config.api_key_file, kMaxKeyFileBytes);
    if (!text.ok()) return InFile(config, api_key_file_, "api_key_file", text.status());
    HONE_ASSIGN_OR_RETURN(config.http.api_keys, server::ParseApiKeys(*text, config.api_key_file));
  }
  const base::Status tls = server::CheckTls(config.http);  // before models are loaded
  if (!tls.ok()) return InFile(config, tls_cert_ + tls_key_ + client_ca_, "tls", tls);
  config.service.isa = IsaLimit();
  if (config.service.table_cache.empty()) config.service.table_cache = DefaultTableCache();
  if (config.service.table_cache == server::kNoTableCache) config.service.table_cache.clear();
  return config;
}

base::Status ServeFlags::Apply(server::ServeConfig* config) const {
  const auto lay_over = [](const std::string& flag, std::string* value) {
    if (!flag.empty()) *value = flag;
  };
  lay_over(host_, &config->http.host);
  lay_over(api_key_file_, &config->api_key_file);
  lay_over(tls_cert_, &config->http.tls_cert);
  lay_over(tls_key_, &config->http.tls_key);
  lay_over(client_ca_, &config->http.client_ca);
  lay_over(table_cache_, &config->service.table_cache);
  if (port_ >= 0) config->http.port = port_;
  if (grpc_port_ >= 0) config->grpc_port = grpc_port_;
  if (threads_ >= 0) config->service.threads = threads_;
  if (!memory_.empty()) {
    const base::StatusOr<std::uint64_t> bytes = base::ParseBytes(memory_);
    if (!bytes.ok()) return Usage("--memory", bytes.status());
    config->service.memory_bytes = *bytes;
  }
  if (!policy_.empty()) {
    const base::Status known = scheduler::MakePolicy(policy_).status();
    if (!known.ok()) return Usage("--policy", known);
    config->service.policy = policy_;
  }
  if (!split_.empty()) {
    const base::StatusOr<std::vector<int>> split = planner::ParseSplit(split_);
    if (!split.ok()) return Usage("--split", split.status());
    config->service.split = *split;
  }
  if (!default_deadline_.empty()) {
    const base::StatusOr<double> ms = server::ParseMilliseconds(default_deadline_);
    if (!ms.ok()) return Usage("--default-deadline", ms.status());
    config->service.default_deadline_ms = *ms;
  }
  if (config->http.tls_cert.empty() != config->http.tls_key.empty()) {
    return InvalidUsage("--tls-cert and --tls-key go together");
  }
  if (!client_ca_.empty() && config->http.tls_cert.empty()) {
    return InvalidUsage("--client-ca: needs --tls-cert and --tls-key");
  }
  return base::OkStatus();
}

base::Status ServeFlags::Check(const server::ServeConfig& config) const {
  const std::optional<server::WrongSetting> wrong = server::CheckOptions(config.service);
  if (!wrong) return base::OkStatus();
  struct Said {
    std::string_view setting, flag;
    bool by_flag;
  };
  const Said flags[] = {{"threads", "--threads", threads_ >= 0},
                        {"split", "--split", !split_.empty()},
                        {"default_deadline", "--default-deadline", !default_deadline_.empty()}};
  for (const Said& said : flags) {
    if (said.by_flag && said.setting == wrong->setting) {
      return InvalidUsage(base::StrCat(said.flag, ": ", wrong->what));
    }
  }
  return server::WrongInFile(config, *wrong);
}

base::Status ServeFlags::AddModels(server::ServeConfig* config) const {
  std::vector<server::ModelOptions>& all = config->service.models;
  const std::size_t of_file = all.size();
  for (const std::string& text : models_) {
    const base::StatusOr<server::ModelOptions> model = server::ParseModelFlag(text);
    if (!model.ok()) return Usage("-m", model.status());
    std::size_t same = 0;
    while (same < all.size() && all[same].name != model->name) ++same;
    if (same == all.size()) {
      all.push_back(*model);
    } else if (same < of_file) {
      all[same].directory = model->directory;  // the rest of what the file says of it holds
    } else {
      return InvalidUsage(base::StrCat("-m: two models named \"", model->name, "\""));
    }
  }
  if (all.empty()) return InvalidUsage("needs a model: -m NAME=DIR, or models in --config");
  return base::OkStatus();
}

}  // namespace hone::cli
