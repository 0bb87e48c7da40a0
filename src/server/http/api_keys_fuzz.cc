// Key files from arbitrary bytes: an error that names the file and never a key; what is accepted opens
// the door, and nothing else does.
#include <cstdint>

#include "base/check.h"
#include "server/http/api_keys.h"
#include "server/http/http_server.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = server::ParseApiKeys(text, "f.keys");
  if (!keys.ok()) {
    HONE_CHECK(keys.status().message().substr(0, 7) == "f.keys:");
    return 0;
  }
  HONE_CHECK(!keys->empty());
  const server::KeyRing ring(*keys);
  server::HttpRequest request{.method = "GET", .path = "/embed"};
  HONE_CHECK(!ring.Admit(&request));
  request.headers = {{"authorization", "Bearer " + keys->back().second}};
  HONE_CHECK(ring.Admit(&request) && request.tenant == keys->back().first);
  request.headers = {{"authorization", "Bearer " + keys->back().second + "\x01"}};
  HONE_CHECK(!ring.Admit(&request));
  return 0;
}
