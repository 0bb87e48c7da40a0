// The vocabulary's logits at each masked token: a transform, then the word embedding (or a matrix
// of its own) as the decoder.
#include "model/heads/head_kind.h"

namespace hone::model {
namespace {

using base::StrCat;

base::StatusOr<Head> Bind(const HeadSource& source) {
  const HeadPlans& plans = source.plans;
  const formats::Checkpoint& checkpoint = source.top.checkpoint();
  Head head;
  head.task = Task::kFillMask;
  HeadOutput output{.name = "logits", .rows = Rows::kMasked};
  HONE_ASSIGN_OR_RETURN(output.stages, BindStages(source, plans.mask, 0, ""));

  HONE_ASSIGN_OR_RETURN(const bool tied, source.json.BoolOr("tie_word_embeddings", true));
  HeadStage& decoder = output.stages.emplace_back();
  if (tied && !checkpoint.HasMatrix(plans.decoder)) {
    // The word embedding, seen as the matrix [V,E] of a product.
    HONE_ASSIGN_OR_RETURN(
        decoder.dense.weight,
        source.encoder.ReadEmbedding(source.architecture.tensors.word, source.config.vocabulary,
                                     source.config.embedding_width));
  } else {
    HONE_ASSIGN_OR_RETURN(
        decoder.dense.weight,
        checkpoint.Matrix(plans.decoder, source.config.vocabulary, source.config.embedding_width));
  }
  if (plans.has_decoder_bias) {
    std::string name = plans.decoder_bias;
    const std::string other = StrCat(plans.decoder, ".bias");
    if (!checkpoint.Has(name) && checkpoint.Has(other)) name = other;
    HONE_ASSIGN_OR_RETURN(decoder.dense.bias, checkpoint.Tensor(name, {source.config.vocabulary}));
  }
  head.outputs.push_back(std::move(output));
  return head;
}

}  // namespace

extern const HeadKind kFillMaskHead = {.ending = "ForMaskedLM", .bind = Bind};

}  // namespace hone::model
