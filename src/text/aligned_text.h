// Text that remembers where each of its bytes came from.
//
// Normalisation changes text, and yet every token must point into the original. TextView is a piece
// of (changed) text whose bytes each have a span of the original; AlignedText is the buffer that a
// step writes. Their rules are those of NormalizedString in huggingface/tokenizers, since offsets
// must agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "text/tokenizer.h"

namespace hone::text {

inline bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Bytes of the valid UTF-8 sequence that starts with `lead`.
inline int SequenceSize(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Decodes valid UTF-8 at p.
inline char32_t DecodeValid(const char* p, int* size) {
  const auto at = [p](int i) { return static_cast<char32_t>(static_cast<unsigned char>(p[i])); };
  *size = SequenceSize(*p);
  switch (*size) {
    case 1: return at(0);
    case 2: return (at(0) & 0x1F) << 6 | (at(1) & 0x3F);
    case 3: return (at(0) & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
    default:
      return (at(0) & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F);
  }
}

// Writes a code point as UTF-8 and returns how many bytes.
inline int EncodeRune(char32_t rune, char out[4]) {
  if (rune < 0x80) {
    out[0] = static_cast<char>(rune);
    return 1;
  }
  const int size = rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
  for (int i = size - 1; i > 0; --i, rune >>= 6) out[i] = static_cast<char>(0x80 | (rune & 0x3F));
  out[0] = static_cast<char>(0xF00 >> size | rune);
  return size;
}

// Length of the run of ASCII bytes at the start of `text`.
inline std::size_t AsciiPrefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i;
}

// Does not own. Where `origin` is null the bytes are the original's own, from byte `base` on.
struct TextView {
  std::string_view text;
  const Span* origin = nullptr;
  std::uint32_t base = 0;

  // The original bytes behind byte i: those of the whole character.
  Span ByteOrigin(std::size_t i) const {
    if (origin != nullptr) return origin[i];
    std::size_t begin = i;
    while (begin > 0 && IsContinuation(text[begin])) --begin;
    const auto first = static_cast<std::uint32_t>(base + begin);
    return {first, first + static_cast<std::uint32_t>(SequenceSize(text[begin]))};
  }
  // The original bytes behind [begin, end); begin < end.
  Span Origin(std::size_t begin, std::size_t end) const {
    if (origin != nullptr) return {origin[begin].begin, origin[end - 1].end};
    if (end < text.size() && IsContinuation(text[end])) [[unlikely]] {
      return {ByteOrigin(begin).begin, ByteOrigin(end - 1).end};
    }
    if (IsContinuation(text[begin])) [[unlikely]] {
      return {ByteOrigin(begin).begin, static_cast<std::uint32_t>(base + end)};
    }
    return {static_cast<std::uint32_t>(base + begin), static_cast<std::uint32_t>(base + end)};
  }
  TextView Slice(std::size_t begin, std::size_t end) const {
    return {text.substr(begin, end - begin), origin == nullptr ? nullptr : origin + begin,
            static_cast<std::uint32_t>(origin == nullptr ? base + begin : 0)};
  }
};

// Owns the bytes that a step writes. Keeps its memory when cleared, so that a warm one allocates
// nothing.
class AlignedText {
 public:
  void Clear() { size_ = 0; }
  std::size_t size() const { return size_; }

  // Makes room for `more` bytes and gives the place to write them to; Advance tells how many were.
  void Reserve(std::size_t more) {
    if (size_ + more > capacity_) Grow(size_ + more);
  }
  char* text_end() { return text_.get() + size_; }
  Span* origin_end() { return origin_.get() + size_; }
  void Advance(std::size_t bytes) { size_ += bytes; }

  void AppendRune(char32_t rune, Span origin) {
    Reserve(4);
    const int size = EncodeRune(rune, text_end());
    for (int i = 0; i < size; ++i) origin_end()[i] = origin;
    Advance(static_cast<std::size_t>(size));
  }
  // Bytes that all came from `origin`.
  void Append(std::string_view bytes, Span origin);
  // Bytes [begin, end) of `from` with their origins.
  void Copy(const TextView& from, std::size_t begin, std::size_t end);

  TextView view() const { return {{text_.get(), size_}, origin_.get(), 0}; }
  bool Holds(const TextView& view) const {
    return view.origin >= origin_.get() && view.origin < origin_.get() + capacity_;
  }

 private:
  void Grow(std::size_t needed);

  std::unique_ptr<char[]> text_;
  std::unique_ptr<Span[]> origin_;
  std::size_t size_ = 0, capacity_ = 0;
};

// Rewrites a view code point by code point, as NormalizedString::transform does: each emitted code
// point says how it relates to the source, and takes its origin from there.
class Rewriter {
 public:
  Rewriter(const TextView& source, AlignedText* out) : source_(source), out_(*out) { out->Clear(); }

  // change 0: replaces the next source character; > 0: added after the previous one, whose origin
  // it shares; < 0: replaces the next one and removes -change more.
  void Emit(char32_t rune, int change);
  // Removes source characters without emitting.
  void Skip(int characters);
  // Copies the next `bytes` source bytes.
  void Copy(std::size_t bytes) {
    out_.Copy(source_, position_, position_ + bytes);
    position_ += bytes;
  }
  std::size_t position() const { return position_; }

 private:
  TextView source_;
  AlignedText& out_;
  std::size_t position_ = 0;
};

}  // namespace hone::text
