#include "text/normalizer.h"

#include <algorithm>
#include <string>

#include "base/strings.h"
#include "text/byte_level.h"
#include "text/json_fields.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace hone::text {
namespace {

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    TextView text = in;
    for (const auto& step : steps_) text = step->Normalize(text, scratch);
    return text;
  }

 private:
  const std::vector<std::unique_ptr<Normalizer>> steps_;
};

// Lowercase, StripAccents, Nmt: each character is kept, dropped or replaced by itself.
enum class CharacterStep { kLowercase, kStripAccents, kNmt };

// Code points that SentencePiece's "nmt" rules drop, and those that they turn into spaces.
bool NmtDrops(char32_t c) {
  return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F ||
         c == 0x9F;
}
bool NmtBlanks(char32_t c) {
  return c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
         c == 0xFFFD;
}

class CharacterNormalizer final : public Normalizer {
 public:
  explicit CharacterNormalizer(CharacterStep step) : step_(step) {}

  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    AlignedText* out = scratch->Free(in);
    for (std::size_t i = 0; i < in.text.size();) {
      int size;
      const char32_t rune = DecodeValid(in.text.data() + i, &size);
      Append(rune, in.ByteOrigin(i), out);
      i += static_cast<std::size_t>(size);
    }
    return out->view();
  }

 private:
  void Append(char32_t rune, Span origin, AlignedText* out) const {
    switch (step_) {
      case CharacterStep::kLowercase: {
        char32_t lower[2] = {rune};
        const int count = Has(rune, kHasLower) ? ToLower(rune, lower) : 1;
        for (int i = 0; i < count; ++i) out->AppendRune(lower[i], origin);
        return;
      }
      case CharacterStep::kStripAccents:
        if (!Has(rune, kCombining)) out->AppendRune(rune, origin);
        return;
      case CharacterStep::kNmt:
        if (!NmtDrops(rune)) out->AppendRune(NmtBlanks(rune) ? U' ' : rune, origin);
        return;
    }
  }
  const CharacterStep step_;
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  TextView Normalize(const TextView& in, NormalizerScratch*) const override {
    std::size_t begin = 0, end = in.text.size();
    int size;
    while (left_ && begin < end && Has(DecodeValid(in.text.data() + begin, &size), kWhitespace)) {
      begin += static_cast<std::size_t>(size);
    }
    while (right_ && end > begin) {
      std::size_t last = end - 1;
      while (last > begin && IsContinuation(in.text[last])) --last;
      if (!Has(DecodeValid(in.text.data() + last, &size), kWhitespace)) break;
      end = last;
    }
    return in.Slice(begin, end);
  }

 private:
  const bool left_, right_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string_view text) : text_(text) {}
  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    if (in.text.empty() || text_.empty()) return in;
    AlignedText* out = scratch->Free(in);
    out->Append(text_, in.ByteOrigin(0));
    out->Copy(in, 0, in.text.size());
    return out->view();
  }

 private:
  const std::string text_;
};

// Every match of a pattern becomes `content`, whose origin is that of the match's last character.
class Replace final : public Normalizer {
 public:
  Replace(Regex regex, std::string literal, std::string_view content)
      : regex_(std::move(regex)), literal_(std::move(literal)), content_(content) {}

  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    std::size_t begin, end;
    if (!Find(in.text, 0, &scratch->regex, &begin, &end)) return in;
    AlignedText* out = scratch->Free(in);
    std::size_t copied = 0;
    do {
      out->Copy(in, copied, begin);
      out->Append(content_, end == 0 ? Span{} : in.ByteOrigin(end - 1));
      copied = end;
      std::size_t from = end;
      if (begin == end) {  // after an empty match the search goes on one character later
        if (end == in.text.size()) break;
        from += static_cast<std::size_t>(SequenceSize(in.text[end]));
      }
      if (from > in.text.size() || !Find(in.text, from, &scratch->regex, &begin, &end)) break;
    } while (true);
    out->Copy(in, copied, in.text.size());
    return out->view();
  }

 private:
  bool Find(std::string_view text, std::size_t from, RegexScratch* scratch, std::size_t* begin,
            std::size_t* end) const {
    if (!literal_.empty()) {
      *begin = text.find(literal_, from);
      *end = *begin + literal_.size();
      return *begin != std::string_view::npos;
    }
    Regex::Match match;
    if (!regex_.Find(text, from, scratch, &match)) return false;
    *begin = match.begin;
    *end = match.end;
    return true;
  }

  const Regex regex_;
  const std::string literal_;  // not empty: the pattern is this text
  const std::string content_;
};

class ByteLevel final : public Normalizer {
 public:
  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    AlignedText* out = scratch->Free(in);
    for (std::size_t i = 0; i < in.text.size(); ++i) {
      out->AppendRune(ByteToChar(static_cast<unsigned char>(in.text[i])), in.ByteOrigin(i));
    }
    return out->view();
  }
};

base::StatusOr<std::unique_ptr<Normalizer>> BertFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const bool clean, json.BoolOr("clean_text", true));
  HONE_ASSIGN_OR_RETURN(const bool chinese, json.BoolOr("handle_chinese_chars", true));
  HONE_ASSIGN_OR_RETURN(const bool lower, json.BoolOr("lowercase", true));
  HONE_ASSIGN_OR_RETURN(const bool strip, json.BoolOr("strip_accents", lower));
  return MakeBertNormalizer(clean, chinese, strip, lower);
}

base::StatusOr<std::unique_ptr<Normalizer>> ReplaceFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const Pattern pattern, PatternFromJson(json));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue content_value, json.Get("content"));
  HONE_ASSIGN_OR_RETURN(const std::string_view content, content_value.String());
  if (!pattern.is_regex) return MakeReplace(pattern.text, content);
  HONE_ASSIGN_OR_RETURN(Regex regex, Regex::Compile(pattern.text, json.Where()));
  return MakeReplace(std::move(regex), content);
}

base::StatusOr<std::unique_ptr<Normalizer>> CharsMapFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue map, json.Get("precompiled_charsmap"));
  HONE_ASSIGN_OR_RETURN(const std::string_view base64, map.String());
  HONE_ASSIGN_OR_RETURN(const std::string bytes, DecodeBase64(base64, map.Where()));
  return MakeCharsMap(bytes, map.Where());
}

base::StatusOr<std::unique_ptr<Normalizer>> StepFromJson(const base::JsonValue& json);

base::StatusOr<std::unique_ptr<Normalizer>> SequenceFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, json.Get("normalizers"));
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (const base::JsonValue item : list) {
    HONE_ASSIGN_OR_RETURN(std::unique_ptr<Normalizer> step, StepFromJson(item));
    steps.push_back(std::move(step));
  }
  return MakeSequence(std::move(steps));
}

// How many times longer a text can become at most. What is wrong in it is reported where it is built.
double GrowthOf(const base::JsonValue& json) {
  // A character map's longest entries, which MakeCharsMap holds to; each byte becomes a character of up to two; in
  // UTF-8 Unicode's forms make 3 and 11 times as much at most (U+0390, U+FDFA; its FAQ on normalization).
  constexpr double kCharsMap = kMaxCharsMapEntry, kByteLevel = 2, kCanonical = 3, kCompatible = 11;
  const base::StatusOr<std::string_view> type = ComponentType(json);
  if (!type.ok()) return 1;
  if (*type == "Precompiled") return kCharsMap;
  if (*type == "ByteLevel") return kByteLevel;
  if (*type == "NFC" || *type == "NFD") return kCanonical;
  if (*type == "NFKC" || *type == "NFKD") return kCompatible;
  if (*type == "Prepend") {
    const base::StatusOr<std::string_view> text = json.StringOr("prepend", "");
    return text.ok() ? 1 + static_cast<double>(text->size()) : 1;
  }
  double growth = 1;
  if (*type == "Sequence") {
    const base::StatusOr<base::JsonValue> list = json.Get("normalizers");
    if (!list.ok() || !list->IsArray()) return 1;
    for (const base::JsonValue item : *list) growth *= GrowthOf(item);
  } else if (*type == "Replace") {
    const base::StatusOr<Pattern> pattern = PatternFromJson(json);
    const base::StatusOr<std::string_view> content = json.StringOr("content", "");
    if (!pattern.ok() || !content.ok()) return 1;
    const auto size = static_cast<double>(content->size());
    const bool may_be_empty = pattern->is_regex || pattern->text.empty();
    growth =
        may_be_empty ? 1 + size : std::max(1.0, size / static_cast<double>(pattern->text.size()));
  }
  return growth;
}

base::StatusOr<std::unique_ptr<Normalizer>> StepFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const std::string_view type, ComponentType(json));
  if (type == "Sequence") return SequenceFromJson(json);
  if (type == "BertNormalizer") return BertFromJson(json);
  if (type == "Replace") return ReplaceFromJson(json);
  if (type == "Precompiled") return CharsMapFromJson(json);
  if (type == "NFC") return MakeUnicodeForm(UnicodeForm::kNfc);
  if (type == "NFD") return MakeUnicodeForm(UnicodeForm::kNfd);
  if (type == "NFKC") return MakeUnicodeForm(UnicodeForm::kNfkc);
  if (type == "NFKD") return MakeUnicodeForm(UnicodeForm::kNfkd);
  if (type == "Lowercase") return std::make_unique<CharacterNormalizer>(CharacterStep::kLowercase);
  if (type == "StripAccents") {
    return std::make_unique<CharacterNormalizer>(CharacterStep::kStripAccents);
  }
  if (type == "Nmt") return std::make_unique<CharacterNormalizer>(CharacterStep::kNmt);
  if (type == "ByteLevel") return std::make_unique<ByteLevel>();
  if (type == "Strip") {
    HONE_ASSIGN_OR_RETURN(const bool left, json.BoolOr("strip_left", true));
    HONE_ASSIGN_OR_RETURN(const bool right, json.BoolOr("strip_right", true));
    return MakeStrip(left, right);
  }
  if (type == "Prepend") {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue value, json.Get("prepend"));
    HONE_ASSIGN_OR_RETURN(const std::string_view text, value.String());
    return MakePrepend(text);
  }
  return UnsupportedComponent(json, "normalizer", type);
}

}  // namespace

base::StatusOr<std::unique_ptr<Normalizer>> NormalizerFromJson(const base::JsonValue& json) {
  // Steps that each double a text, forty of them, need more memory than there is.
  constexpr double kMostGrowth = 1024;
  if (const double growth = GrowthOf(json); growth > kMostGrowth) {
    return json.Error(base::StrCat("the steps together can make a text ", growth,
                                   " times as long; at most ", kMostGrowth, " is supported"));
  }
  return StepFromJson(json);
}

std::unique_ptr<Normalizer> MakeSequence(std::vector<std::unique_ptr<Normalizer>> steps) {
  return std::make_unique<Sequence>(std::move(steps));
}

std::unique_ptr<Normalizer> MakePrepend(std::string_view text) {
  return std::make_unique<Prepend>(text);
}

std::unique_ptr<Normalizer> MakeReplace(std::string_view pattern, std::string_view content) {
  return std::make_unique<Replace>(Regex::Literal(pattern), std::string(pattern), content);
}

std::unique_ptr<Normalizer> MakeReplace(Regex pattern, std::string_view content) {
  return std::make_unique<Replace>(std::move(pattern), "", content);
}

std::unique_ptr<Normalizer> MakeStrip(bool left, bool right) {
  return std::make_unique<Strip>(left, right);
}

}  // namespace hone::text
