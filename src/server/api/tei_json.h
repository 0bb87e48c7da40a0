// Text Embeddings Inference as JSON: pure functions, no service. The last argument of the readers'
// limits is the most texts of a request.
//
// Source  huggingface/text-embeddings-inference, docs/openapi.json
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tasks/sequence_classification.h"
#include "server/api/fault.h"
#include "server/api/openai_json.h"
#include "server/api/texts.h"

namespace hone::server {

// /embed, /embed_all, /predict, /similarity, /tokenize: what is not of a route is not read.
struct TeiRequest {
  std::string model;
  std::vector<TextInput> inputs;
  bool single = false;  // inputs was one text, and the answer of /predict is one list
  Truncate truncate;
  bool normalize = true;           // /embed
  int dimensions = 0;              // /embed
  bool raw_scores = false;         // /predict
  bool add_special_tokens = true;  // /tokenize
};

MaybeFault ReadTeiEmbed(std::string_view body, int max_texts, TeiRequest* request);
// inputs: a string, a pair [string, string], or an array of [string] and [string, string].
MaybeFault ReadTeiPredict(std::string_view body, int max_texts, TeiRequest* request);
// inputs: {"source_sentence", "sentences"}; the source is the first of `inputs`.
MaybeFault ReadTeiSimilarity(std::string_view body, int max_texts, TeiRequest* request);
MaybeFault ReadTeiTokenize(std::string_view body, int max_texts, TeiRequest* request);

struct TeiRerankRequest {
  std::string model, query;
  std::vector<std::string> texts;
  Truncate truncate;
  bool raw_scores = false, return_text = false;
};
MaybeFault ReadTeiRerank(std::string_view body, int max_texts, TeiRerankRequest* request);

struct TeiDecodeRequest {
  std::string model;
  std::vector<std::vector<std::int32_t>> ids;
  bool single = false;  // ids were one text's
  bool skip_special = true;
};
// ids: an array of token ids, or an array of arrays.
MaybeFault ReadTeiDecode(std::string_view body, int max_texts, TeiDecodeRequest* request);

// [[…], …]: the first output's rows; a row a text, or all rows of each text where `all`.
std::string WriteTeiEmbeddings(const TeiRequest& request, std::span<const TextResult> results,
                               bool all);
// The labels of one text, best first.
void WriteLabels(std::span<const runtime::LabelScore> labels, base::JsonWriter* json);
std::string WriteTeiRanks(const TeiRerankRequest& request, std::span<const Ranked> ranked);
std::string WriteNumbers(std::span<const float> values);
// One text's tokens; start and stop count characters (code points) of the text.
void WriteTeiTokens(const text::Tokenizer& tokenizer, std::string_view text,
                    const text::Encoding& encoding, base::JsonWriter* json);

}  // namespace hone::server
