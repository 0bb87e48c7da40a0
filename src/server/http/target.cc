#include "server/http/target.h"

#include "base/strings.h"
#include "base/utf8.h"

namespace hone::server {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

base::StatusOr<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
      if (low < 0) {
        return base::BadInput("the target holds \"%\" without two hexadecimal digits");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  if (out.find('\0') != std::string::npos || !base::IsValidUtf8(out)) {
    return base::BadInput("the target is not UTF-8 once it is decoded");
  }
  return out;
}

}  // namespace

base::Status ParseTarget(std::string_view target, HttpRequest* request) {
  request->query.clear();
  if (target == "*") {
    request->path = "*";
    return base::OkStatus();
  }
  if (!target.starts_with('/')) {  // a proxy's form: scheme://host/path
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) {
      return base::BadInput("the target must begin with \"/\"");
    }
    target.remove_prefix(scheme + 3);
    const std::size_t slash = target.find_first_of("/?");
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  // A proxy that reads it as a part of a name would let through what is another route here.
  if (base::AsciiLower(path).find("%2f") != std::string::npos) {
    return base::BadInput("the path holds an encoded \"/\"");
  }
  HONE_ASSIGN_OR_RETURN(request->path, Decode(path, false));
  if (request->path.empty()) request->path = "/";
  std::string_view rest =
      mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    HONE_ASSIGN_OR_RETURN(std::string name, Decode(part.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      HONE_ASSIGN_OR_RETURN(value, Decode(part.substr(equals + 1), true));
    }
    request->query.emplace_back(std::move(name), std::move(value));
  }
  return base::OkStatus();
}

}  // namespace hone::server
