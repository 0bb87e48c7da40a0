// Vectors as protocols write them: JSON numbers, or base64 of little-endian floats.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::server {

// "[0.1,-2,3e-05]": short texts that read back the same (base/float_text.h); null for what is not finite.
void AppendJson(std::span<const float> values, std::string* out);

// RFC 4648, section 4, with padding.
std::string Base64(std::string_view bytes);
std::string Base64OfFloats(std::span<const float> values);

// x / |x|; a zero vector stays.
void Normalize(std::span<float> x);
// The first `dimensions` values to unit length (Matryoshka embeddings); all for 0.
std::vector<float> Shorten(std::span<const float> x, int dimensions);

}  // namespace hone::server
