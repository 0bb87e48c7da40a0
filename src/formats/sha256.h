// SHA-256 (FIPS 180-4), by OpenSSL: fingerprints of an artefact's files.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace hone::formats {

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::span<const std::byte> bytes);

}  // namespace hone::formats
