// Who may ask: the API keys of a server, compared without telling how much of a guess was right.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/message.h"

namespace hone::server {

// What anybody may ask: whether it lives and is ready (/health, /ready, KServe's /v2/health/…), and the page at /.
bool NeedsNoKey(std::string_view method, std::string_view path);

class KeyRing {
 public:
  // (tenant, key); empty: everybody may ask.
  explicit KeyRing(const std::vector<std::pair<std::string, std::string>>& keys);

  // Whether the request may go on; sets its tenant. NeedsNoKey's need none. Keys are compared
  // as SHA-256 digests, all of them every time, so that neither length nor place of a fault shows.
  bool Admit(HttpRequest* request) const;

 private:
  using Digest = std::array<std::uint8_t, 32>;
  static Digest DigestOf(std::string_view key);

  std::vector<std::pair<std::string, Digest>> keys_;
};

}  // namespace hone::server
