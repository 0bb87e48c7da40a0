#include "formats/safetensors_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

#include "base/check.h"
#include "base/json.h"

namespace hone::formats {
namespace {

std::uint64_t BytesOf(const TensorToWrite& tensor) {
  return static_cast<std::uint64_t>(tensor.shape.elements()) * tensor::SizeOf(tensor.dtype);
}

// The length, the JSON and its padding.
std::string Header(const std::vector<TensorToWrite>& tensors,
                   std::span<const std::pair<std::string, std::string>> metadata) {
  base::JsonWriter json;
  json.BeginObject();
  if (!metadata.empty()) {
    json.Key("__metadata__").BeginObject();
    for (const auto& [key, value] : metadata) json.Key(key).String(value);
    json.EndObject();
  }
  std::uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    json.Key(tensor.name).BeginObject().Key("dtype").String(tensor::NameOf(tensor.dtype));
    json.Key("shape").BeginArray();
    for (const std::int64_t dim : tensor.shape.dims()) json.Int(dim);
    json.EndArray().Key("data_offsets").BeginArray().Int(static_cast<std::int64_t>(offset));
    offset += BytesOf(tensor);
    json.Int(static_cast<std::int64_t>(offset)).EndArray().EndObject();
  }
  std::string text = json.EndObject().Take();
  constexpr std::size_t kLengthBytes = 8;
  const std::size_t end = kLengthBytes + text.size();
  text.append((kSafetensorsAlignment - end % kSafetensorsAlignment) % kSafetensorsAlignment, ' ');
  std::string header(kLengthBytes, '\0');
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    header[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
  }
  return header + text;
}

}  // namespace

base::Status WriteSafetensors(env::FileSystem& files, const std::string& path,
                              std::vector<TensorToWrite> tensors,
                              std::span<const std::pair<std::string, std::string>> metadata) {
  std::ranges::sort(tensors, [](const TensorToWrite& a, const TensorToWrite& b) {
    return std::tuple(tensor::SizeOf(b.dtype), std::string_view(a.name)) <
           std::tuple(tensor::SizeOf(a.dtype), std::string_view(b.name));
  });
  HONE_ASSIGN_OR_RETURN(const std::unique_ptr<env::PendingFile> file, files.Create(path));
  const std::string header = Header(tensors, metadata);
  HONE_RETURN_IF_ERROR(file->Append(std::as_bytes(std::span(header))));
  for (const TensorToWrite& tensor : tensors) {
    std::uint64_t written = 0;
    HONE_RETURN_IF_ERROR(tensor.produce([&](std::span<const std::byte> bytes) {
      written += bytes.size();
      return file->Append(bytes);
    }));
    HONE_CHECK(written == BytesOf(tensor));
  }
  return file->Commit();
}

}  // namespace hone::formats
