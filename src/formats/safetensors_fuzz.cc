// The header of a safetensors file: any bytes give a Status or tensors that lie in the file.
#include <cstdint>
#include <span>

#include "base/check.h"
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const auto header = formats::ParseSafetensors(std::as_bytes(std::span(data, size)), "fuzz");
  if (!header.ok()) {
    HONE_CHECK(!header.status().message().empty());
    return 0;
  }
  std::uint64_t covered = 0;
  for (const formats::SafetensorsEntry& entry : header->tensors) {
    HONE_CHECK(entry.begin <= entry.end && entry.end <= size);
    const tensor::TensorView view{reinterpret_cast<const std::byte*>(data) + entry.begin,
                                  entry.dtype, entry.shape};
    HONE_CHECK(view.bytes() == entry.end - entry.begin);
    covered += view.bytes();
    if (entry.shape.elements() > 0) {
      float last = 0;
      tensor::CopyToF32(view, entry.shape.elements() - 1, {&last, 1});
    }
  }
  HONE_CHECK(covered <= size);
  return 0;
}
