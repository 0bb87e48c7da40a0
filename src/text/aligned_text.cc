#include "text/aligned_text.h"

#include <algorithm>

namespace hone::text {

void AlignedText::Grow(std::size_t needed) {
  const std::size_t capacity = std::max<std::size_t>(needed, capacity_ * 2 + 256);
  // A plain new leaves the arrays uninitialised; they are written before they are read.
  std::unique_ptr<char[]> text(new char[capacity]);
  std::unique_ptr<Span[]> origin(new Span[capacity]);
  if (size_ > 0) {
    std::memcpy(text.get(), text_.get(), size_);
    std::copy_n(origin_.get(), size_, origin.get());
  }
  text_ = std::move(text);
  origin_ = std::move(origin);
  capacity_ = capacity;
}

void AlignedText::Append(std::string_view bytes, Span origin) {
  Reserve(bytes.size());
  std::copy_n(bytes.data(), bytes.size(), text_end());
  std::fill_n(origin_end(), bytes.size(), origin);
  Advance(bytes.size());
}

void AlignedText::Copy(const TextView& from, std::size_t begin, std::size_t end) {
  const std::size_t size = end - begin;
  Reserve(size);
  std::copy_n(from.text.data() + begin, size, text_end());
  Span* origin = origin_end();
  if (from.origin != nullptr) {
    std::copy_n(from.origin + begin, size, origin);
  } else {
    for (std::size_t i = begin; i < end;) {
      if (static_cast<unsigned char>(from.text[i]) < 0x80) {
        const auto at = static_cast<std::uint32_t>(from.base + i++);
        *origin++ = {at, at + 1};
        continue;
      }
      const Span span = from.ByteOrigin(i);
      do {
        *origin++ = span;
        ++i;
      } while (i < end && IsContinuation(from.text[i]));
    }
  }
  Advance(size);
}

void Rewriter::Skip(int characters) {
  for (; characters > 0 && position_ < source_.text.size(); --characters) {
    position_ += static_cast<std::size_t>(SequenceSize(source_.text[position_]));
  }
}

void Rewriter::Emit(char32_t rune, int change) {
  Span origin;
  if (change > 0) {
    if (position_ > 0) origin = source_.ByteOrigin(position_ - 1);
  } else if (position_ < source_.text.size()) {
    origin = source_.ByteOrigin(position_);
    Skip(1 - change);
  } else if (position_ > 0) {
    // More was emitted than the source has; the original would not come here.
    origin = source_.ByteOrigin(position_ - 1);
  }
  out_.AppendRune(rune, origin);
}

}  // namespace hone::text
