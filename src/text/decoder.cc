#include "text/decoder.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/json_fields.h"
#include "text/regex.h"

namespace hone::text {
namespace {

void ReplaceAll(std::string_view from, std::string_view to, std::string* text) {
  if (from.empty()) return;
  for (std::size_t at = text->find(from); at != std::string::npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

// The spaces that tokenising English put before punctuation and contractions.
void CleanUp(std::string* text) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : kRules) ReplaceAll(from, to, text);
}

class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string_view prefix, bool cleanup) : prefix_(prefix), cleanup_(cleanup) {}
  void Decode(std::vector<std::string>* tokens) const override {
    for (std::size_t i = 0; i < tokens->size(); ++i) {
      std::string& token = (*tokens)[i];
      if (i > 0 && token.starts_with(prefix_)) {
        token.erase(0, prefix_.size());
      } else if (i > 0) {
        token.insert(0, " ");
      }
      if (cleanup_) CleanUp(&token);
    }
  }

 private:
  const std::string prefix_;
  const bool cleanup_;
};

class ByteLevelDecoder final : public Decoder {
 public:
  void Decode(std::vector<std::string>* tokens) const override {
    std::string bytes;
    for (const std::string& token : *tokens) bytes += SpelledBytes(token).value_or(token);
    *tokens = {base::ToValidUtf8(bytes)};
  }
};

class ByteFallbackDecoder final : public Decoder {
 public:
  void Decode(std::vector<std::string>* tokens) const override {
    std::vector<std::string> result;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (base::IsValidUtf8(bytes)) {
        result.push_back(bytes);
      } else {
        result.insert(result.end(), bytes.size(), "\uFFFD");
      }
      bytes.clear();
    };
    for (std::string& token : *tokens) {
      if (const int byte = ByteOf(token); byte >= 0) {
        bytes.push_back(static_cast<char>(byte));
        continue;
      }
      flush();
      result.push_back(std::move(token));
    }
    flush();
    *tokens = std::move(result);
  }

 private:
  // The value of "<0xNN>", or -1.
  static int ByteOf(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
    int value = 0;
    for (const char c : token.substr(3, 2)) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  }
};

class MetaspaceDecoder final : public Decoder {
 public:
  MetaspaceDecoder(std::string_view mark, bool prepended) : mark_(mark), prepended_(prepended) {}
  void Decode(std::vector<std::string>* tokens) const override {
    for (std::size_t i = 0; i < tokens->size(); ++i) {
      ReplaceAll(mark_, i == 0 && prepended_ ? "" : " ", &(*tokens)[i]);
    }
  }

 private:
  const std::string mark_;
  const bool prepended_;
};

class SuffixDecoder final : public Decoder {  // BPEDecoder
 public:
  explicit SuffixDecoder(std::string_view suffix) : suffix_(suffix) {}
  void Decode(std::vector<std::string>* tokens) const override {
    for (std::size_t i = 0; i < tokens->size(); ++i) {
      ReplaceAll(suffix_, i + 1 == tokens->size() ? "" : " ", &(*tokens)[i]);
    }
  }

 private:
  const std::string suffix_;
};

class CtcDecoder final : public Decoder {
 public:
  CtcDecoder(std::string_view pad, std::string_view delimiter, bool cleanup)
      : pad_(pad), delimiter_(delimiter), cleanup_(cleanup) {}
  void Decode(std::vector<std::string>* tokens) const override {
    tokens->erase(std::unique(tokens->begin(), tokens->end()), tokens->end());
    for (std::string& token : *tokens) {
      ReplaceAll(pad_, "", &token);
      if (!cleanup_) continue;
      CleanUp(&token);
      ReplaceAll(delimiter_, " ", &token);
    }
  }

 private:
  const std::string pad_, delimiter_;
  const bool cleanup_;
};

class FuseDecoder final : public Decoder {
 public:
  void Decode(std::vector<std::string>* tokens) const override {
    *tokens = {base::Join(*tokens, "")};
  }
};

class StripDecoder final : public Decoder {
 public:
  StripDecoder(std::string_view character, std::int64_t start, std::int64_t stop)
      : character_(character), start_(start), stop_(stop) {}
  void Decode(std::vector<std::string>* tokens) const override {
    for (std::string& token : *tokens) {
      for (std::int64_t i = 0; i < start_ && token.starts_with(character_); ++i) {
        token.erase(0, character_.size());
      }
      for (std::int64_t i = 0; i < stop_ && token.ends_with(character_); ++i) {
        token.resize(token.size() - character_.size());
      }
    }
  }

 private:
  const std::string character_;
  const std::int64_t start_, stop_;
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(Regex regex, std::string_view content)
      : regex_(std::move(regex)), content_(content) {}
  void Decode(std::vector<std::string>* tokens) const override {
    RegexScratch scratch;
    Regex::Match match;
    for (std::string& token : *tokens) {
      const std::string text = base::ToValidUtf8(token);
      std::string result;
      std::size_t copied = 0, from = 0;
      while (from <= text.size() && regex_.Find(text, from, &scratch, &match)) {
        if (match.begin == match.end) {  // an empty match replaces nothing worth keeping
          from = match.end + 1;
          continue;
        }
        result.append(text, copied, match.begin - copied);
        result += content_;
        copied = from = match.end;
      }
      result.append(text, copied);
      token = std::move(result);
    }
  }

 private:
  const Regex regex_;
  const std::string content_;
};

class SequenceDecoder final : public Decoder {
 public:
  explicit SequenceDecoder(std::vector<std::unique_ptr<Decoder>> steps)
      : steps_(std::move(steps)) {}
  void Decode(std::vector<std::string>* tokens) const override {
    for (const auto& step : steps_) step->Decode(tokens);
  }

 private:
  const std::vector<std::unique_ptr<Decoder>> steps_;
};

base::StatusOr<std::unique_ptr<Decoder>> SequenceFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, json.Get("decoders"));
  std::vector<std::unique_ptr<Decoder>> steps;
  for (const base::JsonValue item : list) {
    HONE_ASSIGN_OR_RETURN(std::unique_ptr<Decoder> step, DecoderFromJson(item));
    steps.push_back(std::move(step));
  }
  return std::make_unique<SequenceDecoder>(std::move(steps));
}

base::StatusOr<std::unique_ptr<Decoder>> MetaspaceFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const std::string_view mark, json.StringOr("replacement", "▁"));
  HONE_ASSIGN_OR_RETURN(const std::string_view scheme, json.StringOr("prepend_scheme", "always"));
  HONE_ASSIGN_OR_RETURN(const bool add_prefix_space, json.BoolOr("add_prefix_space", true));
  return std::make_unique<MetaspaceDecoder>(mark, add_prefix_space && scheme != "never");
}

base::StatusOr<std::unique_ptr<Decoder>> StripFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const std::string_view content, json.StringOr("content", " "));
  HONE_ASSIGN_OR_RETURN(const std::int64_t start, json.IntOr("start", 0));
  HONE_ASSIGN_OR_RETURN(const std::int64_t stop, json.IntOr("stop", 0));
  if (content.empty()) return json.Error("\"content\" must be one character");
  return std::make_unique<StripDecoder>(content, start, stop);
}

base::StatusOr<std::unique_ptr<Decoder>> ReplaceFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const Pattern pattern, PatternFromJson(json));
  HONE_ASSIGN_OR_RETURN(const std::string_view content, json.StringOr("content", ""));
  if (!pattern.is_regex) {
    return std::make_unique<ReplaceDecoder>(Regex::Literal(pattern.text), content);
  }
  HONE_ASSIGN_OR_RETURN(Regex regex, Regex::Compile(pattern.text, json.Where()));
  return std::make_unique<ReplaceDecoder>(std::move(regex), content);
}

}  // namespace

base::StatusOr<std::unique_ptr<Decoder>> DecoderFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const std::string_view type, ComponentType(json));
  if (type == "Sequence") return SequenceFromJson(json);
  if (type == "ByteLevel") return MakeByteLevelDecoder();
  if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
  if (type == "Fuse") return std::make_unique<FuseDecoder>();
  if (type == "Metaspace") return MetaspaceFromJson(json);
  if (type == "Strip") return StripFromJson(json);
  if (type == "Replace") return ReplaceFromJson(json);
  if (type == "WordPiece") {
    HONE_ASSIGN_OR_RETURN(const std::string_view prefix, json.StringOr("prefix", "##"));
    HONE_ASSIGN_OR_RETURN(const bool cleanup, json.BoolOr("cleanup", true));
    return MakeWordPieceDecoder(prefix, cleanup);
  }
  if (type == "BPEDecoder") {
    HONE_ASSIGN_OR_RETURN(const std::string_view suffix, json.StringOr("suffix", "</w>"));
    return std::make_unique<SuffixDecoder>(suffix);
  }
  if (type == "CTC") {
    HONE_ASSIGN_OR_RETURN(const std::string_view pad, json.StringOr("pad_token", "<pad>"));
    HONE_ASSIGN_OR_RETURN(const std::string_view delimiter,
                          json.StringOr("word_delimiter_token", "|"));
    HONE_ASSIGN_OR_RETURN(const bool cleanup, json.BoolOr("cleanup", true));
    return std::make_unique<CtcDecoder>(pad, delimiter, cleanup);
  }
  return UnsupportedComponent(json, "decoder", type);
}

std::unique_ptr<Decoder> MakeWordPieceDecoder(std::string_view prefix, bool cleanup) {
  return std::make_unique<WordPieceDecoder>(prefix, cleanup);
}

std::unique_ptr<Decoder> MakeByteLevelDecoder() {
  return std::make_unique<ByteLevelDecoder>();
}

std::unique_ptr<Decoder> MakeSentencePieceDecoder(bool strip_first_space) {
  std::vector<std::unique_ptr<Decoder>> steps;
  steps.push_back(std::make_unique<ReplaceDecoder>(Regex::Literal("▁"), " "));
  steps.push_back(std::make_unique<ByteFallbackDecoder>());
  steps.push_back(std::make_unique<FuseDecoder>());
  if (strip_first_space) steps.push_back(std::make_unique<StripDecoder>(" ", 1, 0));
  return std::make_unique<SequenceDecoder>(std::move(steps));
}

}  // namespace hone::text
