// The tokenizer of a model directory, from whichever set of files it carries.
//
// Order  tokenizer.json; else vocab.txt (WordPiece; do_lower_case from tokenizer_config.json);
//        else vocab.json + merges.txt (byte-level BPE); else tokenizer.model or spiece.model
//        (SentencePiece), or sentencepiece.bpe.model, whose ids are fairseq's: CamemBERT's where
//        config.json says so, else XLM-R's.
// Where   at the top; else in the folder that modules.json names (formats/directory.h).
// Errors  a directory with none of them is NotFound and lists what was looked for.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "env/file.h"
#include "text/tokenizer.h"

namespace hone::formats {

base::StatusOr<std::unique_ptr<text::Tokenizer>> OpenTokenizer(env::FileSystem& files,
                                                               const std::string& directory);

}  // namespace hone::formats
