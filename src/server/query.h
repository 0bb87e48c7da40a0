// One request in Hone's own words, whatever protocol brought it, and its reply.
//
// A protocol reads its request, tokenizes the texts with the endpoint's tokenizer, and hands the
// service a Query; it gets the head's numbers back and says them in its own words (api/answers.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time_ns.h"
#include "scheduler/types.h"
#include "server/endpoint.h"
#include "text/tokenizer.h"

namespace hone::server {

// Why a request was not answered. Each protocol has its own words and statuses for these.
enum class FaultKind : std::uint8_t {
  kBadRequest,    // 400, the field is named: it stays wrong
  kUnauthorized,  // 401
  kNotFound,      // 404: route or model
  kEmpty,         // 400: there is nothing to compute
  kTooLarge,      // 413: body, batch or text over a limit
  kTooLong,       // 413 (400 in OpenAI's words): a text of more tokens than the model reads
  kUnsupported,   // 400 (424 in TEI's words): legal, but this model has no such head
  kRefused,       // 429: cannot be answered by its deadline, or a share or the queue is used up
  kUnavailable,   // 503: not ready, loading, shutting down
  kMissed,        // 504: accepted, and late all the same
  kCancelled,     // 499: the client went away
  kInternal,      // 500
};

struct Fault {
  FaultKind kind = FaultKind::kInternal;
  std::string message;       // for a person: what, where, and what would be right
  std::string field = {};    // JSON path of what is wrong, "input[3]"; empty: none
  double retry_after_s = 0;  // kRefused, kUnavailable
};

// What the client asks of the service.
struct Terms {
  base::TimeNs deadline_ns = 0;  // after arrival; 0: the configuration's default
  scheduler::Priority priority = scheduler::Priority::kNormal;
  std::string tenant;  // the name of its API key; empty: everybody
};

// A head output's numbers for one text: one row, a row a token, or a row a mask.
struct Rows {
  std::vector<float> values;  // [rows, width]
  int width = 0;
  int rows() const { return width == 0 ? 0 : static_cast<int>(values.size()) / width; }
};

struct TextResult {
  std::vector<Rows> outputs;  // one a head output
};

struct Served {
  std::string rung;     // that answered; of parts by several rungs the least accurate
  double queue_ms = 0;  // from arrival to the start of its (last) batch
  double compute_ms = 0;
  int tokens = 0;
  base::TimeNs ended = 0;  // env::NowNs() when its last batch ended
};

struct Reply {
  std::optional<Fault> fault;
  std::vector<TextResult> results;  // one a text, in the query's order
  Served served;
  // Nothing waits to be computed: the thread that brings it has the time to send it.
  bool at_once = false;
  bool ok() const { return !fault; }
};

struct Query {
  std::shared_ptr<const Endpoint> endpoint = {};
  // Encoded by the endpoint's tokenizer, or the client's own ids (checked by Submit): every text has
  // 1 to max_tokens ids below `vocabulary`. Only ids and types are read.
  std::vector<text::Encoding> texts = {};
  Terms terms = {};
  int uncounted = 0;  // of the texts, beside the limit of a request: what others are ranked by
  // Instead of the head's outputs: the encoder's own rows, one a token, as the one output [tokens,
  // Endpoint::width].
  bool hidden = false;
  base::TimeNs arrival = 0;  // env::NowNs() when the request was read
};

// Called once, from any thread, when the reply is there.
using Done = std::function<void(Reply)>;

}  // namespace hone::server
