#include "server/http/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "base/strings.h"
#include "base/utf8.h"
#include "server/http/http_server.h"

namespace hone::server {
namespace {

constexpr std::size_t kMaxKeys = 1000;
constexpr std::size_t kMaxKeyBytes = 4096;

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

// The key of "Bearer KEY", whose scheme may be in any case (RFC 9110 §11.1); empty where it is none.
std::string_view BearerKey(std::string_view value) {
  constexpr std::string_view kScheme = "bearer ";
  if (value.size() < kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    if (base::AsciiLower(value[i]) != kScheme[i]) return {};
  }
  return Trim(value.substr(kScheme.size()));
}

bool IsVisible(std::string_view key) {
  return std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

KeyRing::KeyRing(const std::vector<std::pair<std::string, std::string>>& keys) {
  for (const auto& [tenant, key] : keys) keys_.emplace_back(tenant, DigestOf(key));
}

KeyRing::Digest KeyRing::DigestOf(std::string_view key) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return digest;
}

bool NeedsNoKey(std::string_view method, std::string_view path) {
  // The page has a field for the key that its requests then carry.
  const bool page = path == "/" && (method == "GET" || method == "HEAD");
  constexpr std::string_view kOpen[] = {"/health", "/ready", "/v2/health/live", "/v2/health/ready"};
  return page || std::ranges::find(kOpen, path) != std::end(kOpen);
}

bool KeyRing::Admit(HttpRequest* request) const {
  if (keys_.empty() || NeedsNoKey(request->method, request->path)) return true;
  std::string_view shown;
  if (const auto value = request->Header("authorization")) shown = BearerKey(*value);
  for (const char* name : {"api-key", "x-api-key"}) {
    if (!shown.empty()) break;
    if (const auto value = request->Header(name)) shown = Trim(*value);
  }
  const Digest digest = DigestOf(shown);
  const std::string* tenant = nullptr;
  for (const auto& [name, key] : keys_) {
    if (CRYPTO_memcmp(key.data(), digest.data(), digest.size()) == 0) tenant = &name;
  }
  if (tenant == nullptr) return false;
  request->tenant = *tenant;
  return true;
}

base::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseApiKeys(
    std::string_view text, const std::string& path) {
  std::vector<std::pair<std::string, std::string>> keys;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    std::string tenant, key;
    if (colon == std::string_view::npos) {
      tenant = base::StrCat("key-", number);
      key = line;
    } else {
      tenant = Trim(line.substr(0, colon));
      key = Trim(line.substr(colon + 1));
    }
    // A message names the line alone: a key has no business in a log.
    if (tenant.empty() || !base::IsValidUtf8(tenant)) {
      return base::BadInput(path, ":", number, ": the name before \":\" is empty or not UTF-8");
    }
    if (key.empty() || key.size() > kMaxKeyBytes || !IsVisible(key)) {
      return base::BadInput(path, ":", number, ": a key is 1 to ", kMaxKeyBytes,
                            " visible ASCII characters without spaces");
    }
    if (keys.size() == kMaxKeys) {
      return base::BadInput(path, ":", number, ": more than ", kMaxKeys, " keys");
    }
    for (const auto& [other, value] : keys) {
      if (value == key)
        return base::BadInput(path, ":", number, ": the key of \"", other, "\" again");
    }
    keys.emplace_back(std::move(tenant), std::move(key));
  }
  if (keys.empty()) return base::BadInput(path, ": holds no key");
  return keys;
}

}  // namespace hone::server
