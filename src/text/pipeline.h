// The tokenizer that all files become: added tokens, normalizer, pre-tokenizer, model,
// post-processor.
#pragma once

#include <memory>
#include <string>

#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace hone::text {

struct FileTruncation {
  int max_tokens = 0;
  Truncation strategy = Truncation::kLongestFirst;
  bool left = false;
};

// The parts of a tokenizer; all but the model may be absent.
struct Parts {
  std::string source;  // names the file in errors
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<Model> model;
  PostProcessor post_processor;
  std::unique_ptr<Decoder> decoder;
  std::vector<AddedToken> added_tokens;
  FileTruncation truncation;
  std::optional<std::int32_t> pad_id;
  bool raw_bytes = false;  // pieces are bytes that the vocabulary spells in GPT-2's alphabet
};

std::unique_ptr<Tokenizer> MakeTokenizer(Parts parts);

}  // namespace hone::text
