// The texts of a request, and their way through an endpoint's tokenizer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "server/api/fault.h"
#include "server/endpoint.h"
#include "text/tokenizer.h"

namespace hone::server {

// What any text of any protocol may have: tokenizing happens between reading one request and the
// next, and a mebibyte takes some tens of milliseconds.
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;
// Of all texts of a request together, for the same reason: a thousand of the longest that a model of 512 tokens
// reads have less.
inline constexpr std::size_t kMaxAllBytes = std::size_t{4} << 20;
// Token ids of one text that a client sends; the model's own limit is checked beside it.
inline constexpr int kMaxIds = 1 << 16;

struct TextInput {
  std::string text;
  std::optional<std::string> pair = std::nullopt;
  std::vector<std::int32_t> ids = {};  // instead of text: used as they are, special tokens included
  std::string field;                   // "input[3]", for faults
};

struct Truncate {
  bool allowed = false;  // otherwise a text over the model's limit is a fault
  bool left = false;     // what goes: the beginning
};

// A string, an array of strings, an array of token ids, or an array of arrays of them. `single`:
// the value was one text, not an array.
MaybeFault ReadTexts(const base::JsonValue& value, int limit, std::vector<TextInput>* texts,
                     bool* single);

// The scratch of an encoding holds a tokenizer's word cache, megabytes that are worth keeping warm: one for each
// tokenizer that this thread has used lately. Good until the thread's next call.
text::Encoding& WarmEncoding(const text::Tokenizer* tokenizer);

// The ids and types that the model is given; the rest of the encoding too where `whole`.
MaybeFault Encode(const Endpoint& endpoint, const TextInput& input, const Truncate& truncate,
                  bool whole, text::Encoding* encoding);
// Of ids that a client sent, none of which is below 0.
MaybeFault CheckIds(std::span<const std::int32_t> ids, const Endpoint& endpoint,
                    std::string_view field);
// Their texts together are not too much for one request.
MaybeFault CheckAllBytes(const std::vector<TextInput>& inputs);
MaybeFault EncodeAll(const Endpoint& endpoint, const std::vector<TextInput>& inputs,
                     const Truncate& truncate, bool whole, std::vector<text::Encoding>* encodings);

// A copy of the ids and types alone, as a Query wants them.
text::Encoding IdsOf(const text::Encoding& encoding);

// Byte offsets of a UTF-8 text as characters (code points), which is how clients in Python count.
// Asking in ascending order costs the text's length once.
class CharacterIndex {
 public:
  explicit CharacterIndex(std::string_view text) : text_(text) {}
  int At(std::size_t byte);

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  int character_ = 0;
};

}  // namespace hone::server
