// OpenAI's embeddings and the rerank of Cohere and Jina as JSON: pure functions, no service.
//
// Sources  platform.openai.com/docs/api-reference/embeddings, docs.cohere.com/reference/rerank,
//          jina.ai/reranker
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/fault.h"
#include "server/api/texts.h"

namespace hone::server {

struct EmbeddingsRequest {
  std::string model;
  std::vector<TextInput> inputs;
  bool base64 = false;
  int dimensions = 0;     // 0: all
  bool truncate = false;  // Hone's addition: cut texts that are too long rather than refuse them
};

// `max_texts`: the most inputs of a request.
MaybeFault ReadEmbeddings(std::string_view body, int max_texts, EmbeddingsRequest* request);

std::string WriteEmbeddings(const EmbeddingsRequest& request, std::string_view model,
                            std::span<const TextResult> results, int tokens);

struct RerankRequest {
  std::string model, query;
  std::vector<std::string> documents;
  int top = 0;  // 0: all
  bool return_documents = false;
  bool truncate = true;
};

// Documents are strings or objects with a "text".
MaybeFault ReadRerank(std::string_view body, int max_texts, RerankRequest* request);

struct Ranked {
  int index = 0;
  float score = 0;
};
// Best first, the lower index first among equals; the first `top` (0: all).
std::vector<Ranked> Rank(std::span<const float> scores, int top);

std::string WriteRerank(const RerankRequest& request, std::string_view model,
                        std::span<const Ranked> ranked, int tokens);

}  // namespace hone::server
