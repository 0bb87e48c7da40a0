#include "load/response.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/strings.h"

namespace hone::load {
namespace {

constexpr std::size_t kMaxLine = 8 << 10;
constexpr int kMaxHeaderLines = 128;
constexpr std::uint64_t kMaxBody = std::uint64_t{1} << 30;
constexpr std::size_t kMaxErrorBody = 4 << 10;
constexpr std::size_t kMaxMessage = 300;
constexpr std::size_t kMaxRung =
    64;  // of a name: what a client keeps of what it is told has an end

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return base::AsciiLower(a) == b; });
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// One of the words of "a, B ,c".
bool HasWord(std::string_view list, std::string_view lower) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (EqualsIgnoringCase(Trimmed(list.substr(0, comma)), lower)) return true;
    list = list.substr(std::min(comma + 1, list.size()));
  }
  return false;
}

// Milliseconds of a header; 0 where it is no number, as if it were not there.
double Milliseconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool sane = error == std::errc() && std::isfinite(value) && value >= 0 && value < 1e9;
  return sane ? value : 0;
}

// For messages: no control characters, not too long.
std::string Shown(std::string_view text, std::size_t longest = 60) {
  std::string shown(text.substr(0, longest));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

// The text of an object's member; empty where there is none.
std::string TextOf(const base::JsonValue& object, std::string_view name) {
  if (!object.IsObject()) return {};
  const auto member = object.Find(name);
  return member && member->IsString() ? std::string(*member->String()) : std::string();
}

}  // namespace

std::string ErrorMessage(std::string_view body) {
  std::string message;
  if (const auto json = base::Json::Parse(body, "body"); json.ok()) {
    const base::JsonValue root = json->root();
    message = TextOf(root, "error");
    if (const auto error = root.IsObject() ? root.Find("error") : std::nullopt;
        error && message.empty()) {
      message = TextOf(*error, "message");
    }
    if (message.empty()) message = TextOf(root, "message");
  }
  return Shown(message.empty() ? Trimmed(body) : message, kMaxMessage);
}

void ResponseReader::Reset() {
  state_ = State::kStatusLine;
  started_ = chunked_ = has_length_ = false;
  header_lines_ = 0;
  left_ = 0;
  partial_.clear();
  answer_ = Answer();
}

base::Status ResponseReader::AddBody(std::string_view bytes) {
  answer_.body_bytes += bytes.size();
  if (answer_.status >= 400) {
    answer_.error_body += bytes.substr(0, kMaxErrorBody - answer_.error_body.size());
  }
  if (answer_.body_bytes > kMaxBody) return base::BadInput("a body of more than 1 GiB");
  return base::OkStatus();
}

base::StatusOr<std::size_t> ResponseReader::Feed(std::string_view bytes) {
  if (!bytes.empty()) started_ = true;
  std::size_t used = 0;
  while (used < bytes.size() && !done()) {
    const std::string_view rest = bytes.substr(used);
    if (state_ == State::kUntilClose) {
      HONE_RETURN_IF_ERROR(AddBody(rest));
      return bytes.size();
    }
    if (state_ == State::kBody || state_ == State::kChunk) {
      const std::string_view taken = rest.substr(0, std::min<std::uint64_t>(left_, rest.size()));
      left_ -= taken.size();
      used += taken.size();
      HONE_RETURN_IF_ERROR(AddBody(taken));
      if (left_ == 0) state_ = state_ == State::kBody ? State::kDone : State::kChunkEnd;
      continue;
    }
    const std::size_t end = rest.find('\n');
    const std::size_t length = std::min(end, rest.size());
    if (partial_.size() + length > kMaxLine) return base::BadInput("a line of more than 8 KiB");
    used += std::min(length + 1, rest.size());
    if (end == std::string_view::npos || !partial_.empty()) partial_ += rest.substr(0, length);
    if (end == std::string_view::npos) break;
    std::string_view line = partial_.empty() ? rest.substr(0, length) : partial_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    HONE_RETURN_IF_ERROR(Line(line));
    partial_.clear();
  }
  return used;
}

base::Status ResponseReader::Line(std::string_view line) {
  switch (state_) {
    case State::kStatusLine: return StatusLine(line);
    case State::kHeaders: return line.empty() ? EndOfHeaders() : Header(line);
    case State::kChunkSize: return ChunkSize(line);
    case State::kChunkEnd:
      if (!line.empty()) return base::BadInput("a chunk is longer than it says");
      state_ = State::kChunkSize;
      return base::OkStatus();
    default:  // kTrailers; the others are not read by lines
      if (++header_lines_ > kMaxHeaderLines) return base::BadInput("more than 128 header lines");
      if (line.empty()) state_ = State::kDone;
      return base::OkStatus();
  }
}

base::Status ResponseReader::StatusLine(std::string_view line) {
  const bool http = line.starts_with("HTTP/1.") && line.size() >= 12 && line[8] == ' ';
  int status = 0;
  const bool number =
      http && std::from_chars(line.data() + 9, line.data() + 12, status).ptr == line.data() + 12;
  if (!number || status < 100 || (line.size() > 12 && line[12] != ' ')) {
    return base::BadInput("\"", Shown(line), "\" is no HTTP/1.1 status line");
  }
  answer_.status = status;
  answer_.keep_alive = line[7] != '0';
  state_ = State::kHeaders;
  return base::OkStatus();
}

base::Status ResponseReader::Header(std::string_view line) {
  if (++header_lines_ > kMaxHeaderLines) return base::BadInput("more than 128 header lines");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return base::BadInput("\"", Shown(line), "\" is no header line");
  }
  const std::string_view name = line.substr(0, colon), value = Trimmed(line.substr(colon + 1));
  if (EqualsIgnoringCase(name, "content-length")) {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    const bool whole = error == std::errc() && end == value.data() + value.size();
    if (!whole || length > kMaxBody || (has_length_ && length != left_)) {
      return base::BadInput("Content-Length \"", Shown(value), "\"");
    }
    has_length_ = true;
    left_ = length;
  } else if (EqualsIgnoringCase(name, "transfer-encoding")) {
    if (!EqualsIgnoringCase(value, "chunked")) {
      return base::BadInput("Transfer-Encoding \"", Shown(value), "\"");
    }
    chunked_ = true;
  } else if (EqualsIgnoringCase(name, "connection")) {
    if (HasWord(value, "close")) answer_.keep_alive = false;
    if (HasWord(value, "keep-alive")) answer_.keep_alive = true;
  } else if (EqualsIgnoringCase(name, "x-hone-rung")) {
    answer_.rung = value.substr(0, kMaxRung);
  } else if (EqualsIgnoringCase(name, "x-hone-queue-ms")) {
    answer_.queue_ms = Milliseconds(value);
  } else if (EqualsIgnoringCase(name, "x-hone-compute-ms")) {
    answer_.compute_ms = Milliseconds(value);
  }
  return base::OkStatus();
}

base::Status ResponseReader::EndOfHeaders() {
  if (answer_.status < 200) {  // interim: the answer itself follows
    const int lines = header_lines_;
    Reset();
    started_ = true;
    header_lines_ = lines;  // of all together, so that interim answers have an end
    if (++header_lines_ > kMaxHeaderLines) return base::BadInput("more than 128 header lines");
    return base::OkStatus();
  }
  if (answer_.status == 204 || answer_.status == 304) {
    state_ = State::kDone;
  } else if (chunked_) {  // overrides a length: RFC 9112, 6.3
    state_ = State::kChunkSize;
  } else if (has_length_) {
    state_ = left_ == 0 ? State::kDone : State::kBody;
  } else {
    answer_.keep_alive = false;
    state_ = State::kUntilClose;
  }
  return base::OkStatus();
}

base::Status ResponseReader::ChunkSize(std::string_view line) {
  const std::string_view digits = Trimmed(line.substr(0, line.find(';')));
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || size > kMaxBody) {
    return base::BadInput("chunk size \"", Shown(line), "\"");
  }
  left_ = size;
  state_ = size == 0 ? State::kTrailers : State::kChunk;
  return base::OkStatus();
}

base::Status ResponseReader::Close() {
  if (state_ == State::kUntilClose) {
    state_ = State::kDone;
    return base::OkStatus();
  }
  return base::BadInput(started_ ? "connection closed within an answer"
                                 : "connection closed before an answer");
}

}  // namespace hone::load
