#include "text/trim_offsets.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/unicode.h"

namespace hone::text {
namespace {

// A byte-level space is the character Ġ.
bool IsSpace(char32_t rune) {
  return rune == U'Ġ' || Has(rune, kWhitespace);
}

void MoveBegin(std::string_view text, int characters, Span* span) {
  for (; characters > 0 && span->begin < span->end; --characters) {
    span->begin += base::DecodeRune(text, span->begin).size;
  }
  span->begin = std::min(span->begin, span->end);
}

void MoveEnd(std::string_view text, int characters, Span* span) {
  for (; characters > 0 && span->end > span->begin; --characters) {
    do --span->end;
    while (span->end > span->begin && IsContinuation(text[span->end]));
  }
}

}  // namespace

OffsetTrimmer::OffsetTrimmer(const Vocabulary& vocabulary, const AddedTokens& added,
                             bool add_prefix_space)
    : spaces_(static_cast<std::size_t>(std::max(vocabulary.id_limit(), added.id_limit()))),
      add_prefix_space_(add_prefix_space) {
  for (std::size_t i = 0; i < spaces_.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    spaces_[i] = added.Get(id) != nullptr ? Spaces{kLook, 0} : SpacesOf(vocabulary.Token(id));
  }
}

OffsetTrimmer::Spaces OffsetTrimmer::SpacesOf(std::string_view token) {
  std::uint16_t leading = 0, trailing = 0, characters = 0;
  for (std::size_t i = 0; i < token.size() && characters < 0xFFFF; ++characters) {
    const base::DecodedRune decoded = base::DecodeRune(token, i);
    i += decoded.size;
    trailing = IsSpace(decoded.rune) ? trailing + 1 : 0;
    if (leading == characters && IsSpace(decoded.rune)) ++leading;
  }
  return {leading, trailing};
}

void OffsetTrimmer::Trim(std::string_view text, std::int32_t id, bool first, Span* origin) const {
  Spaces spaces = spaces_[static_cast<std::size_t>(id)];
  if (spaces.leading == kLook) {
    spaces = SpacesOf(text.substr(origin->begin, origin->end - origin->begin));
  }
  if (spaces.leading == 0 && spaces.trailing == 0) return;
  const bool prepended = add_prefix_space_ && spaces.leading == 1 && (first || origin->begin == 0);
  if (!prepended) MoveBegin(text, spaces.leading, origin);
  MoveEnd(text, spaces.trailing, origin);
}

}  // namespace hone::text
