// Offsets without the spaces that byte-level tokens carry: "trim_offsets" of ByteLevel and
// RobertaProcessing.
// Source  huggingface/tokenizers, pre_tokenizers/byte_level.rs, process_offsets.
#pragma once

#include <vector>

#include "text/added_tokens.h"

namespace hone::text {

class OffsetTrimmer {
 public:
  // Counts the spaces at both ends of every token, once.
  OffsetTrimmer(const Vocabulary& vocabulary, const AddedTokens& added, bool add_prefix_space);

  // `first`: the first token of its text, whose space may be one that was prepended.
  void Trim(std::string_view text, std::int32_t id, bool first, Span* origin) const;

 private:
  struct Spaces {
    std::uint16_t leading, trailing;  // characters
  };
  static Spaces SpacesOf(std::string_view token);

  // An added token may have taken spaces around it in (lstrip): its text has to be looked at.
  static constexpr std::uint16_t kLook = 0xFFFF;

  std::vector<Spaces> spaces_;  // by id
  const bool add_prefix_space_;
};

}  // namespace hone::text
