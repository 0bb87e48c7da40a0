// The requests of a stream as bytes: the route's JSON around a text, and HTTP/1.1 around that.
//
//   /embed /predict                  {"model": M, "inputs": TEXT}         Text Embeddings Inference
//   /rerank                          {"model": M, "query": TEXT, "texts": [FOUR MORE]}
//   /v1/embeddings                   {"model": M, "input": TEXT}          OpenAI
//   /v1/rerank                       {"model": M, "query": TEXT, "documents": [FOUR MORE]}
//   /v1/hone/tag /v1/hone/classify   {"model": M, "text": TEXT}
//   /v1/hone/answer                  {"model": M, "question": TEXT, "context": "FOUR MORE"}
//   /v2/models/{model}/infer, /v2    one BYTES tensor "text" of shape [1]  KServe v2
// with "truncate": true where a protocol has it: a text is sent to find out how fast the answer comes.
//
// A text of a wanted number of tokens is made of as many words of the texts, one token each for common
// English words; tokenizers split some, so it is a little longer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "load/load.h"

namespace hone::load {

// A few dozen English sentences of 3 to 40 words, written for this: commands, questions, reviews.
const std::vector<std::string>& DefaultTexts();

// An error lists the routes there are.
base::Status CheckRoute(std::string_view route);

class StreamRequests {
 public:
  // `texts` not empty. `host` as the Host header says it.
  StreamRequests(const Stream& stream, const std::vector<std::string>& texts,
                 const std::string& host, const std::string& api_key, int max_tokens,
                 std::uint64_t seed);

  // The next request; of about `tokens` tokens where that is not 0. Deadline header: `remaining_ms`,
  // where above 0. The bytes replace what was in *out.
  void Next(int tokens, double remaining_ms, std::string* out);

 private:
  const std::string& OfTokens(int tokens);

  std::string head_;                    // up to the deadline header
  std::vector<std::string> by_text_;    // what follows it, in the order of sending
  std::vector<std::string> by_tokens_;  // made when first wanted
  std::vector<std::string> words_;
  std::string route_, model_;
  std::size_t next_ = 0;
};

}  // namespace hone::load
