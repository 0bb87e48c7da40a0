// A server may send anything: the reader must refuse it or find an end, the same however the bytes are
// cut into pieces, and keep no more than a line. The first byte says how they are cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "load/response.h"

namespace {

struct Outcome {
  bool ok = true, done = false;
  std::size_t used = 0;
  int status = 0;
  std::uint64_t body_bytes = 0;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome Read(std::string_view bytes, std::size_t piece) {
  hone::load::ResponseReader reader;
  Outcome outcome;
  while (outcome.used < bytes.size() && !reader.done()) {
    const std::string_view next = bytes.substr(outcome.used, piece);
    const auto used = reader.Feed(next);
    if (!used.ok()) return {.ok = false};
    HONE_CHECK(*used == next.size() || reader.done());
    outcome.used += *used;
  }
  outcome.done = reader.done();
  outcome.status = reader.answer().status;
  outcome.body_bytes = reader.answer().body_bytes;
  outcome.error = hone::load::ErrorMessage(reader.answer().error_body);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1 + data[0] % 16;
  HONE_CHECK(Read(bytes, piece) == Read(bytes, std::max<std::size_t>(bytes.size(), 1)));
  return 0;
}
