#include "server/api/vectors.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/float_text.h"

namespace hone::server {

void AppendJson(std::span<const float> values, std::string* out) {
  constexpr std::size_t kLongest = base::kLongestFloat + 1;  // and a comma
  const std::size_t begin = out->size();
  out->resize(begin + 2 + values.size() * kLongest);
  char* at = out->data() + begin;
  *at++ = '[';
  for (const float x : values) {
    if (std::isfinite(x)) {
      at = base::WriteFloat(at, x);
    } else {
      for (const char c : std::string_view("null")) *at++ = c;
    }
    *at++ = ',';
  }
  if (!values.empty()) --at;
  *at++ = ']';
  out->resize(static_cast<std::size_t>(at - out->data()));
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= left ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

std::string Base64OfFloats(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little);
  return Base64({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

void Normalize(std::span<float> x) {
  double sum = 0;
  for (const float v : x) sum += double{v} * double{v};
  if (sum == 0) return;
  const double scale = 1 / std::sqrt(sum);
  for (float& v : x) v = static_cast<float>(v * scale);
}

std::vector<float> Shorten(std::span<const float> x, int dimensions) {
  const auto size = static_cast<std::size_t>(dimensions);
  if (dimensions == 0 || size >= x.size()) return {x.begin(), x.end()};
  std::vector<float> result(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(size));
  Normalize(result);
  return result;
}

}  // namespace hone::server
