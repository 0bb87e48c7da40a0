#include "runtime/text_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/aligned_buffer.h"
#include "base/strings.h"
#include "env/clock.h"
#include "formats/tokenizer_files.h"

namespace hone::runtime {

base::StatusOr<std::unique_ptr<TextModel>> TextModel::Open(env::FileSystem& files,
                                                           const std::string& directory,
                                                           const TextModelOptions& options) {
  HONE_ASSIGN_OR_RETURN(model::Model model, model::Model::Open(files, directory));
  HONE_ASSIGN_OR_RETURN(std::unique_ptr<text::Tokenizer> tokenizer,
                        formats::OpenTokenizer(files, directory));
  return FromModel(std::move(model), std::move(tokenizer), options);
}

base::StatusOr<std::unique_ptr<TextModel>> TextModel::FromModel(
    model::Model model, std::shared_ptr<const text::Tokenizer> tokenizer,
    const TextModelOptions& options) {
  auto result = std::unique_ptr<TextModel>(new TextModel);
  result->model_ = std::move(model);
  result->tokenizer_ = std::move(tokenizer);
  HONE_RETURN_IF_ERROR(text::CheckIds(*result->tokenizer_, result->model_.config.vocabulary));
  HONE_ASSIGN_OR_RETURN(result->engine_, LocalEngine::Load(result->model_, options.engine));
  const int limit = result->model_.max_text_tokens;
  result->max_tokens_ = options.max_tokens > 0 ? std::min(options.max_tokens, limit) : limit;
  result->refuse_too_long_ = options.refuse_too_long;
  return result;
}

base::StatusOr<TextOutput> TextModel::Run(std::span<const TextInput> texts, std::size_t first) {
  const std::int64_t start = env::NowNs();
  std::vector<text::Encoding> encodings(texts.size());
  const text::EncodeOptions options{.max_tokens = max_tokens_};
  int truncated = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    text::Encoding& encoding = encodings[i];
    if (texts[i].pair) {
      tokenizer_->EncodePair(texts[i].text, *texts[i].pair, options, &encoding);
    } else {
      tokenizer_->Encode(texts[i].text, options, &encoding);
    }
    const auto name = [&] {
      return texts[i].name.empty() ? base::StrCat("text ", first + i)
                                   : texts[i].name + ": the text";
    };
    if (encoding.truncated && refuse_too_long_) {
      return base::BadInput(name(), " is longer than the limit of ", max_tokens_, " tokens");
    }
    if (encoding.ids.empty()) return base::BadInput(name(), " has no tokens");
    truncated += encoding.truncated ? 1 : 0;
  }
  const double tokenize_ms = env::MsSince(start);
  HONE_ASSIGN_OR_RETURN(TextOutput output, RunEncoded(std::move(encodings)));
  output.tokenize_ms = tokenize_ms;
  output.truncated = truncated;
  return output;
}

base::StatusOr<TextOutput> TextModel::RunEncoded(std::vector<text::Encoding> encodings) {
  TextOutput output;
  output.encodings = std::move(encodings);
  std::vector<std::int32_t> ids, types;
  output.begins.push_back(0);
  for (const text::Encoding& encoding : output.encodings) {
    ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
    types.insert(types.end(), encoding.types.begin(), encoding.types.end());
    output.begins.push_back(static_cast<std::int32_t>(ids.size()));
  }
  // A model with one token type (RoBERTa) takes pairs without telling them apart.
  if (model_.config.token_types < 2) types.clear();
  const Batch batch{.ids = ids, .types = types, .begins = output.begins};
  HONE_RETURN_IF_ERROR(engine_->Check(batch));
  const std::int64_t start = env::NowNs();
  base::AlignedVector<float> hidden(ids.size() * static_cast<std::size_t>(engine_->width()));
  engine_->Forward(engine_->all_layers(), batch, hidden);
  output.rows.resize(model_.head.outputs.size());
  for (std::size_t i = 0; i < output.rows.size(); ++i) {
    engine_->ApplyHead(static_cast<int>(i), batch, hidden, mask_id(), &output.rows[i]);
  }
  output.compute_ms = env::MsSince(start);
  // Matrices and norms were checked when they were packed. Embedding tables are too large to read
  // on loading, and only a few rows of them are used: a NaN or infinity there shows here.
  for (const std::vector<float>& rows : output.rows) {
    if (std::ranges::any_of(rows, [](float x) { return !std::isfinite(x); })) {
      return base::BadInput(model_.directory,
                            ": the model gives values that are not finite; its embeddings of these "
                            "texts' tokens may hold NaN or infinity");
    }
  }
  return output;
}

}  // namespace hone::runtime
