// The "decoder" of tokenizer.json: joins tokens to text again.
//
// Supported  WordPiece, ByteLevel, ByteFallback, Metaspace, BPEDecoder, CTC, Fuse, Strip, Replace,
//            Sequence.
// Source     huggingface/tokenizers, tokenizers/src/decoders.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

namespace hone::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Rewrites the list of texts; the result is their concatenation.
  virtual void Decode(std::vector<std::string>* tokens) const = 0;
};

base::StatusOr<std::unique_ptr<Decoder>> DecoderFromJson(const base::JsonValue& json);

std::unique_ptr<Decoder> MakeWordPieceDecoder(std::string_view prefix, bool cleanup);
std::unique_ptr<Decoder> MakeByteLevelDecoder();
// What SentencePiece does: <0xNN> to bytes, the mark to spaces, the first space away.
std::unique_ptr<Decoder> MakeSentencePieceDecoder(bool strip_first_space);

}  // namespace hone::text
