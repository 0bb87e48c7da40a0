// Configurations from arbitrary bytes: an error that names the file, never a crash; what is accepted is
// within its limits.
#include <cstdint>

#include "base/check.h"
#include "server/config/serve_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = server::ParseServeConfig(text, "f.yaml");
  if (!config.ok()) {
    HONE_CHECK(config.status().message().substr(0, 7) == "f.yaml:");
    return 0;
  }
  if (const auto wrong = server::CheckOptions(config->service)) {
    HONE_CHECK(!server::WrongInFile(*config, *wrong).ok());
  }
  HONE_CHECK(config->http.port >= 0 && config->http.port <= 65535);
  HONE_CHECK(config->http.read_timeout_s > 0 && config->http.idle_timeout_s > 0);
  HONE_CHECK(config->service.default_deadline_ms > 0);
  HONE_CHECK(config->http.tls_cert.empty() == config->http.tls_key.empty());
  for (const server::ModelOptions& model : config->service.models) {
    HONE_CHECK(server::CheckModelName(model.name).ok() && !model.directory.empty());
    HONE_CHECK(model.max_texts > 0 && model.reserved_cores >= 0);
  }
  return 0;
}
