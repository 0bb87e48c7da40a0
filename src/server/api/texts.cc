#include "server/api/texts.h"

#include <algorithm>
#include <list>

#include "server/api/fields.h"

namespace hone::server {
namespace {

MaybeFault ReadText(const base::JsonValue& value, std::vector<TextInput>* texts) {
  TextInput input{.text = {}, .field = FieldOf(value)};
  HONE_RETURN_IF_FAULT(AsString(value, &input.text));
  texts->push_back(std::move(input));
  return {};
}

MaybeFault ReadTokens(const base::JsonValue& value, std::vector<TextInput>* texts) {
  TextInput input{.text = {}, .field = FieldOf(value)};
  HONE_RETURN_IF_FAULT(AsIds(value, kMaxIds, &input.ids));
  texts->push_back(std::move(input));
  return {};
}

MaybeFault CheckBytes(const TextInput& input, const std::string& text) {
  if (text.size() <= kMaxTextBytes) return {};
  return TooLarge(input.field, "a text of ", text.size(), " bytes is over the limit of ",
                  kMaxTextBytes);
}

MaybeFault TooManyTokens(const TextInput& input, std::size_t tokens, int limit) {
  return Fault{
      .kind = FaultKind::kTooLong,
      .message = base::StrCat("must have no more than ", limit, " tokens, and has ", tokens),
      .field = input.field};
}

MaybeFault EncodeIds(const Endpoint& endpoint, const TextInput& input, const Truncate& truncate,
                     text::Encoding* encoding) {
  const auto limit = static_cast<std::size_t>(endpoint.max_tokens);
  encoding->ids = input.ids;
  if (input.ids.size() > limit) {
    if (!truncate.allowed) return TooManyTokens(input, input.ids.size(), endpoint.max_tokens);
    if (truncate.left) {
      encoding->ids.assign(input.ids.end() - static_cast<std::ptrdiff_t>(limit), input.ids.end());
    } else {
      encoding->ids.resize(limit);
    }
    encoding->truncated = true;
  }
  HONE_RETURN_IF_FAULT(CheckIds(encoding->ids, endpoint, input.field));
  encoding->types.assign(encoding->ids.size(), 0);
  return {};
}

}  // namespace

text::Encoding& WarmEncoding(const text::Tokenizer* tokenizer) {
  constexpr std::size_t kMost = 8;
  struct Warm {
    const text::Tokenizer* tokenizer;
    text::Encoding encoding;
  };
  thread_local std::list<Warm> recent;  // the last used first
  auto found = std::ranges::find(recent, tokenizer, &Warm::tokenizer);
  if (found == recent.end()) {
    if (recent.size() >= kMost) recent.pop_back();
    found = recent.insert(recent.begin(), {tokenizer, {}});
  }
  recent.splice(recent.begin(), recent, found);
  return recent.front().encoding;
}

MaybeFault ReadTexts(const base::JsonValue& value, int limit, std::vector<TextInput>* texts,
                     bool* single) {
  *single = true;
  if (value.IsString()) return ReadText(value, texts);
  if (!value.IsArray()) {
    return Wrong(value, "expected a string, an array of strings, or token ids");
  }
  if (value.size() == 0) return Empty(FieldOf(value), "is empty");
  if ((*value.begin()).IsNumber()) return ReadTokens(value, texts);
  *single = false;
  HONE_RETURN_IF_FAULT(CheckCount(value, limit));
  texts->reserve(static_cast<std::size_t>(value.size()));
  for (const base::JsonValue element : value) {
    if (element.IsArray()) {
      HONE_RETURN_IF_FAULT(ReadTokens(element, texts));
    } else {
      HONE_RETURN_IF_FAULT(ReadText(element, texts));
    }
  }
  return {};
}

MaybeFault Encode(const Endpoint& endpoint, const TextInput& input, const Truncate& truncate,
                  bool whole, text::Encoding* encoding) {
  if (!input.ids.empty()) return EncodeIds(endpoint, input, truncate, encoding);
  HONE_RETURN_IF_FAULT(CheckBytes(input, input.text));
  if (input.pair) HONE_RETURN_IF_FAULT(CheckBytes(input, *input.pair));
  text::Encoding& warm = WarmEncoding(endpoint.tokenizer.get());
  const text::EncodeOptions options{.max_tokens = truncate.allowed ? endpoint.max_tokens : 0,
                                    .truncate_left = truncate.left};
  if (input.pair) {
    endpoint.tokenizer->EncodePair(input.text, *input.pair, options, &warm);
  } else {
    endpoint.tokenizer->Encode(input.text, options, &warm);
  }
  if (warm.ids.empty()) return BadRequest(input.field, "has no tokens");
  if (warm.ids.size() > static_cast<std::size_t>(endpoint.max_tokens)) {
    return TooManyTokens(input, warm.ids.size(), endpoint.max_tokens);
  }
  encoding->ids = warm.ids;
  encoding->types = warm.types;
  encoding->truncated = warm.truncated;
  if (whole) {
    encoding->offsets = warm.offsets;
    encoding->word = warm.word;
    encoding->sequence = warm.sequence;
  }
  return {};
}

MaybeFault CheckIds(std::span<const std::int32_t> ids, const Endpoint& endpoint,
                    std::string_view field) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < endpoint.vocabulary) continue;
    return BadRequest(base::StrCat(field, "[", i, "]"), "token id ", ids[i],
                      " is not of this model, whose ids end at ", endpoint.vocabulary - 1);
  }
  return {};
}

MaybeFault CheckAllBytes(const std::vector<TextInput>& inputs) {
  std::size_t bytes = 0;
  for (const TextInput& input : inputs) {
    bytes += input.text.size() + (input.pair ? input.pair->size() : 0);
    if (bytes <= kMaxAllBytes) continue;
    return TooLarge(input.field, "the texts together are over the limit of ", kMaxAllBytes,
                    " bytes");
  }
  return {};
}

MaybeFault EncodeAll(const Endpoint& endpoint, const std::vector<TextInput>& inputs,
                     const Truncate& truncate, bool whole, std::vector<text::Encoding>* encodings) {
  HONE_RETURN_IF_FAULT(CheckAllBytes(inputs));
  encodings->resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    HONE_RETURN_IF_FAULT(Encode(endpoint, inputs[i], truncate, whole, &(*encodings)[i]));
  }
  return {};
}

int CharacterIndex::At(std::size_t byte) {
  if (byte < byte_) {
    byte_ = 0;
    character_ = 0;
  }
  character_ +=
      static_cast<int>(std::ranges::count_if(text_.substr(byte_, byte - byte_), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      }));
  byte_ = byte;
  return character_;
}

text::Encoding IdsOf(const text::Encoding& encoding) {
  text::Encoding copy;
  copy.ids = encoding.ids;
  copy.types = encoding.types;
  return copy;
}

}  // namespace hone::server
