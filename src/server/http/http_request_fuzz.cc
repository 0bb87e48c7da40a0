// Requests from arbitrary bytes, cut at an arbitrary place: never a crash, memory within the limits, and
// the same request or a refusal however the bytes arrive.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "base/utf8.h"
#include "server/http/api_keys.h"
#include "server/http/request_parser.h"
#include "server/http/response_text.h"

namespace {

using namespace hone;
using server::ParseProgress;

constexpr server::ParserLimits kLimits = {.header_bytes = 512, .body_bytes = 4096};

struct Outcome {
  ParseProgress progress = ParseProgress::kNeedMore;
  server::HttpRequest request;
  int status = 0;
};

// As a connection does it: what was not used is shown again with what follows, `step` bytes at a time.
Outcome ParseInSteps(std::string_view bytes, std::size_t step) {
  server::RequestParser parser(kLimits);
  Outcome outcome;
  std::string ahead;
  while (!bytes.empty() && outcome.progress != ParseProgress::kDone &&
         outcome.progress != ParseProgress::kFailed) {
    ahead.append(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    do {
      std::size_t used = 0;
      outcome.progress = parser.Put(ahead, &used);
      HONE_CHECK(used <= ahead.size());
      ahead.erase(0, used);
    } while (outcome.progress == ParseProgress::kHeader);
    HONE_CHECK(parser.request().body.size() <= kLimits.body_bytes);
    if (outcome.progress == ParseProgress::kNeedMore) {
      HONE_CHECK(ahead.size() <= kLimits.header_bytes + step);
    }
  }
  if (outcome.progress == ParseProgress::kFailed) {
    outcome.status = parser.fault().status;
    HONE_CHECK(outcome.status >= 400 && !parser.fault().message.empty());
    const auto response = server::ErrorResponse(outcome.status, parser.fault().message);
    HONE_CHECK(base::IsValidUtf8(response.body));
  }
  outcome.request = std::move(parser.request());
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = ParseInSteps(bytes, std::max<std::size_t>(bytes.size(), 1));
  const Outcome parts = ParseInSteps(bytes, std::size_t{1} + data[0] % 64);
  // What is not whole yet may be refused sooner or later, as a fault in it is seen; what is whole is so however it
  // came.
  HONE_CHECK((whole.progress == ParseProgress::kDone) == (parts.progress == ParseProgress::kDone));
  if (whole.progress == ParseProgress::kDone) {
    HONE_CHECK(whole.request.method == parts.request.method);
    HONE_CHECK(whole.request.query == parts.request.query);
    HONE_CHECK(whole.request.body == parts.request.body);
    HONE_CHECK(whole.request.path == parts.request.path);
    HONE_CHECK(whole.request.headers == parts.request.headers);
    HONE_CHECK(base::IsValidUtf8(whole.request.path) && !whole.request.path.empty());
    static const server::KeyRing keys({{"tenant", "key"}});
    server::HttpRequest request = whole.request;
    if (keys.Admit(&request) && !server::NeedsNoKey(request.method, request.path)) {
      HONE_CHECK(request.tenant == "tenant");
    }
  }
  return 0;
}
