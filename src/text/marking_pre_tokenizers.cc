// The pre-tokenizers that change the text as well: Metaspace and ByteLevel.
#include <algorithm>
#include <string>

#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/pre_tokenizer.h"

namespace hone::text {
namespace {

class Metaspace final : public PreTokenizer {
 public:
  Metaspace(char32_t replacement, PrependScheme scheme, bool split)
      : scheme_(scheme), split_(split) {
    base::AppendRune(replacement, &mark_);
  }

  void Split(Pieces* pieces, PreTokenizerScratch* scratch) const override {
    const TextView in = pieces->view;
    AlignedText* out = scratch->Free(in);
    scratch->next.clear();
    for (const Piece& piece : pieces->list) {
      auto begin = static_cast<std::uint32_t>(out->size());
      const std::string_view text = in.text.substr(piece.begin, piece.end - piece.begin);
      const bool marked = text[0] == ' ' || text.starts_with(mark_);
      const bool here =
          scheme_ == PrependScheme::kAlways ||
          (scheme_ == PrependScheme::kFirst && in.Origin(piece.begin, piece.end).begin == 0);
      if (here && !marked) out->Append(mark_, in.ByteOrigin(piece.begin));
      for (std::uint32_t i = piece.begin; i < piece.end;) {
        // A word and then the space after it.
        std::uint32_t space = i;
        while (space < piece.end && in.text[space] != ' ') ++space;
        out->Copy(in, i, space);
        if (space < piece.end) out->Append(mark_, in.ByteOrigin(space));
        i = space + 1;
      }
      const auto end = static_cast<std::uint32_t>(out->size());
      if (split_) {
        // Every mark begins a piece.
        const std::string_view whole = out->view().text;
        for (std::size_t at = whole.find(mark_, begin + 1); at < end;
             at = whole.find(mark_, at + 1)) {
          scratch->next.push_back({begin, static_cast<std::uint32_t>(at)});
          begin = static_cast<std::uint32_t>(at);
        }
      }
      if (begin < end) scratch->next.push_back({begin, end});
    }
    pieces->view = out->view();
    pieces->list.swap(scratch->next);
  }

 private:
  std::string mark_;
  const PrependScheme scheme_;
  const bool split_;
};

// GPT-2's own pattern (openai/gpt-2, encoder.py).
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex, bool raw_bytes)
      : add_prefix_space_(add_prefix_space), raw_bytes_(raw_bytes) {
    if (use_regex) {
      cutter_ = MakeIsolatingSplit(*Regex::Compile(kGpt2Pattern, "GPT-2"));
    }
  }

  void Split(Pieces* pieces, PreTokenizerScratch* scratch) const override {
    if (add_prefix_space_) AddSpaces(pieces, scratch);
    if (cutter_ != nullptr) cutter_->Split(pieces, scratch);
    if (!raw_bytes_) SpellBytes(pieces, scratch);
  }

 private:
  static void AddSpaces(Pieces* pieces, PreTokenizerScratch* scratch) {
    const TextView in = pieces->view;
    const bool all_there = std::ranges::all_of(
        pieces->list, [&](const Piece& piece) { return in.text[piece.begin] == ' '; });
    if (all_there) return;
    AlignedText* out = scratch->Free(in);
    for (Piece& piece : pieces->list) {
      const auto begin = static_cast<std::uint32_t>(out->size());
      if (in.text[piece.begin] != ' ') out->Append(" ", in.ByteOrigin(piece.begin));
      out->Copy(in, piece.begin, piece.end);
      piece = {begin, static_cast<std::uint32_t>(out->size())};
    }
    pieces->view = out->view();
  }

  static void SpellBytes(Pieces* pieces, PreTokenizerScratch* scratch) {
    const TextView in = pieces->view;
    AlignedText* out = scratch->Free(in);
    for (Piece& piece : pieces->list) {
      const auto begin = static_cast<std::uint32_t>(out->size());
      for (std::uint32_t i = piece.begin; i < piece.end; ++i) {
        out->AppendRune(ByteToChar(static_cast<unsigned char>(in.text[i])), in.ByteOrigin(i));
      }
      piece = {begin, static_cast<std::uint32_t>(out->size())};
    }
    pieces->view = out->view();
  }

  const bool add_prefix_space_, raw_bytes_;
  std::unique_ptr<PreTokenizer> cutter_;
};

}  // namespace

std::unique_ptr<PreTokenizer> MakeByteLevel(bool add_prefix_space, bool use_regex, bool raw_bytes) {
  return std::make_unique<ByteLevel>(add_prefix_space, use_regex, raw_bytes);
}

std::unique_ptr<PreTokenizer> MakeMetaspace(char32_t replacement, PrependScheme scheme,
                                            bool split) {
  return std::make_unique<Metaspace>(replacement, scheme, split);
}

}  // namespace hone::text
