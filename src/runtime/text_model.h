// A model that takes text: tokenizer, engine and head of one directory, together.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(auto model,
//                         runtime::TextModel::Open(env::RealFileSystem(), "minilm", {}));
//   std::vector<runtime::TextInput> texts = {{"a dog barks"}, {"un chien aboie"}};
//   HONE_ASSIGN_OR_RETURN(runtime::TextOutput out, model->Run(texts));
//   out.rows[0]  → [2, width]: see model/head.h for what the rows of each task are
//
// Thread-safety  one caller at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "model/model.h"
#include "runtime/local_engine.h"
#include "text/tokenizer.h"

namespace hone::runtime {

struct TextInput {
  std::string_view text;
  std::optional<std::string_view> pair = std::nullopt;
  std::string name = {};  // what an error calls it, "faq.txt:3"; empty: by its index, as Run counts
};

struct TextModelOptions {
  EngineOptions engine;
  int max_tokens = 0;            // longer texts are cut here; 0: the model's own limit
  bool refuse_too_long = false;  // an error instead of cutting
};

struct TextOutput {
  std::vector<std::vector<float>> rows;   // one a head output: [rows, width]
  std::vector<text::Encoding> encodings;  // one a text
  std::vector<std::int32_t> begins;       // [B+1] tokens of text b: [begins[b], begins[b+1])
  int truncated = 0;                      // texts that were cut
  double tokenize_ms = 0, compute_ms = 0;
};

class TextModel {
 public:
  static base::StatusOr<std::unique_ptr<TextModel>> Open(env::FileSystem& files,
                                                         const std::string& directory,
                                                         const TextModelOptions& options);
  // A model that is open already, with a tokenizer that it may share with others.
  static base::StatusOr<std::unique_ptr<TextModel>> FromModel(
      model::Model model, std::shared_ptr<const text::Tokenizer> tokenizer,
      const TextModelOptions& options);

  // Errors name a text by its index, counted from `first`.
  base::StatusOr<TextOutput> Run(std::span<const TextInput> texts, std::size_t first = 0);
  // The same for texts that are tokens already (question answering's windows).
  base::StatusOr<TextOutput> RunEncoded(std::vector<text::Encoding> encodings);

  const model::Model& model() const { return model_; }
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  LocalEngine& engine() { return *engine_; }
  int max_tokens() const { return max_tokens_; }
  std::int32_t mask_id() const { return tokenizer_->mask_id().value_or(-1); }

 private:
  TextModel() = default;

  model::Model model_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::unique_ptr<LocalEngine> engine_;
  int max_tokens_ = 0;
  bool refuse_too_long_ = false;
};

}  // namespace hone::runtime
