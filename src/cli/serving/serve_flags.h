// The flags of `hone serve`, laid over its configuration file: what a flag says goes first.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "cli/flags.h"
#include "server/config/serve_config.h"

namespace hone::cli {

class ServeFlags {
 public:
  void Add(Flags& flags);
  // Reads the files that the flags name. Keys are read too; models are named and have directories.
  base::StatusOr<server::ServeConfig> Read() const;

 private:
  base::Status Apply(server::ServeConfig* config) const;
  base::Status AddModels(server::ServeConfig* config) const;
  // Settings that do not go together: an error of usage where a flag said what is wrong, else of the file.
  base::Status Check(const server::ServeConfig& config) const;

  std::vector<std::string> models_;
  std::string config_, host_, api_key_file_, tls_cert_, tls_key_, client_ca_;
  std::string memory_, policy_, split_, default_deadline_, table_cache_;
  int port_ = -1, grpc_port_ = -1, threads_ = -1;
};

}  // namespace hone::cli
