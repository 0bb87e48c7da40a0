#include "formats/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/json.h"

namespace hone::formats {
namespace {

using base::BadInput;
using base::JsonValue;
using base::WithCommas;
using tensor::DType;

constexpr std::array kTypes = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kI64,
                               DType::kI32, DType::kI16, DType::kI8,  DType::kU8,   DType::kBool};

constexpr std::size_t kLengthBytes = 8;

base::StatusOr<DType> ParseType(const JsonValue& value) {
  HONE_ASSIGN_OR_RETURN(const std::string_view name, value.String());
  for (const DType dtype : kTypes) {
    if (tensor::NameOf(dtype) == name) return dtype;
  }
  return base::Unsupported(
      value.Where(), ": element type \"", name,
      "\" is unknown to Hone; it reads F64, F32, F16, BF16, I64, I32, I16, I8, "
      "U8 and BOOL");
}

// Dimensions, and through `elements` their product, kept far from overflow.
base::StatusOr<tensor::Shape> ParseShape(const JsonValue& value, std::uint64_t* elements) {
  if (!value.IsArray()) return value.Error("expected a list of dimensions");
  if (value.size() > tensor::Shape::kMaxRank) {
    return base::Unsupported(value.Where(), ": ", value.size(), " dimensions; Hone reads at most ",
                             tensor::Shape::kMaxRank);
  }
  constexpr std::uint64_t kMost = std::uint64_t{1} << 56;  // times 8 bytes still fits an int64
  std::array<std::int64_t, tensor::Shape::kMaxRank> dims{};
  std::size_t rank = 0;
  *elements = 1;
  bool empty = false;
  for (const JsonValue item : value) {
    HONE_ASSIGN_OR_RETURN(const std::int64_t dim, item.Int());
    if (dim < 0) return item.Error(base::StrCat("expected a size of 0 or more, found ", dim));
    dims[rank++] = dim;
    if (dim == 0) {
      empty = true;
    } else if (static_cast<std::uint64_t>(dim) > kMost / *elements) {
      return value.Error("the product of the dimensions overflows");
    } else {
      *elements *= static_cast<std::uint64_t>(dim);
    }
  }
  if (empty) *elements = 0;
  return tensor::Shape(std::span<const std::int64_t>(dims.data(), rank));
}

struct Layout {
  std::string_view source;
  std::uint64_t data_begin;
  std::uint64_t file_size;
};

// Reads data_offsets into begin and end, and holds them to the file.
base::Status ParseOffsets(const JsonValue& value, const Layout& layout, SafetensorsEntry* entry) {
  if (!value.IsArray() || value.size() != 2) return value.Error("expected [begin, end]");
  std::array<std::uint64_t, 2> offsets{};
  std::size_t i = 0;
  for (const JsonValue item : value) {
    HONE_ASSIGN_OR_RETURN(const std::int64_t offset, item.Int());
    if (offset < 0) return item.Error(base::StrCat("expected 0 or more, found ", offset));
    offsets[i++] = static_cast<std::uint64_t>(offset);
  }
  if (offsets[0] > offsets[1]) {
    return value.Error(base::StrCat("begins at ", offsets[0], ", after its end at ", offsets[1]));
  }
  const std::uint64_t data_size = layout.file_size - layout.data_begin;
  if (offsets[1] > data_size) {
    // Both terms fit an int64, so their sum fits a uint64.
    return BadInput(layout.source, ": header says tensor \"", entry->name, "\" ends at byte ",
                    WithCommas(layout.data_begin + offsets[1]), ", but the file has ",
                    WithCommas(layout.file_size), "; the download may be incomplete");
  }
  entry->begin = layout.data_begin + offsets[0];
  entry->end = layout.data_begin + offsets[1];
  return base::OkStatus();
}

base::StatusOr<SafetensorsEntry> ParseEntry(const JsonValue& value, const Layout& layout) {
  SafetensorsEntry entry;
  entry.name = std::string(value.key());
  if (!value.IsObject()) return value.Error("expected an object with dtype, shape, data_offsets");
  HONE_ASSIGN_OR_RETURN(const JsonValue dtype, value.Get("dtype"));
  HONE_ASSIGN_OR_RETURN(const JsonValue shape, value.Get("shape"));
  HONE_ASSIGN_OR_RETURN(const JsonValue offsets, value.Get("data_offsets"));
  std::uint64_t elements = 0;
  HONE_ASSIGN_OR_RETURN(entry.dtype, ParseType(dtype));
  HONE_ASSIGN_OR_RETURN(entry.shape, ParseShape(shape, &elements));
  HONE_RETURN_IF_ERROR(ParseOffsets(offsets, layout, &entry));
  const std::uint64_t expected = elements * tensor::SizeOf(entry.dtype);
  if (entry.end - entry.begin != expected) {
    return BadInput(layout.source, ": tensor \"", entry.name, "\" has ",
                    WithCommas(entry.end - entry.begin), " bytes at byte ", WithCommas(entry.begin),
                    "; ", tensor::NameOf(entry.dtype), " ", entry.shape.ToString(), " needs ",
                    WithCommas(expected));
  }
  return entry;
}

base::Status ParseMetadata(const JsonValue& value, SafetensorsHeader* header) {
  if (!value.IsObject()) return value.Error("expected an object of strings");
  for (const JsonValue item : value) {
    HONE_ASSIGN_OR_RETURN(const std::string_view text, item.String());
    header->metadata.emplace_back(item.key(), text);
  }
  return base::OkStatus();
}

// Names are unique, and the sorted tensors cover the data section exactly.
base::Status CheckLayout(const SafetensorsHeader& header, const Layout& layout) {
  std::vector<std::string_view> names;
  names.reserve(header.tensors.size());
  for (const SafetensorsEntry& entry : header.tensors) names.push_back(entry.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) {
    return BadInput(layout.source, ": header names the tensor \"", *twice, "\" twice");
  }
  std::uint64_t covered = layout.data_begin;
  const SafetensorsEntry* previous = nullptr;
  for (const SafetensorsEntry& entry : header.tensors) {
    if (entry.begin < covered) {
      return BadInput(layout.source, ": tensor \"", entry.name, "\" begins at byte ",
                      WithCommas(entry.begin), ", inside \"", previous->name, "\", which ends at ",
                      WithCommas(covered));
    }
    if (entry.begin > covered) {
      return BadInput(layout.source, ": bytes ", WithCommas(covered), " to ",
                      WithCommas(entry.begin), " before tensor \"", entry.name,
                      "\" belong to no tensor");
    }
    covered = entry.end;
    previous = &entry;
  }
  if (covered != layout.file_size) {
    return BadInput(layout.source, ": the tensors end at byte ", WithCommas(covered),
                    ", but the file has ", WithCommas(layout.file_size));
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<SafetensorsHeader> ParseSafetensors(std::span<const std::byte> file,
                                                   std::string_view source) {
  if (file.size() < kLengthBytes) {
    return BadInput(source, ": has ", file.size(),
                    " bytes; a safetensors file begins with 8 bytes that say its header's length");
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8 | static_cast<std::uint64_t>(file[i]);
  }
  if (length > kMaxSafetensorsHeader) {
    return BadInput(source, ": byte 0: says the header has ", WithCommas(length),
                    " bytes; the format allows ", WithCommas(kMaxSafetensorsHeader),
                    " (is this a safetensors file?)");
  }
  if (length > file.size() - kLengthBytes) {
    return BadInput(source, ": header says it ends at byte ", WithCommas(kLengthBytes + length),
                    ", but the file has ", WithCommas(file.size()),
                    "; the download may be incomplete");
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (text.empty() || text.front() != '{') {
    return BadInput(source, ": byte 8: the header must begin with \"{\"");
  }
  HONE_ASSIGN_OR_RETURN(const base::Json json,
                        base::Json::Parse(text, base::StrCat(source, ": header")));
  const Layout layout{source, kLengthBytes + length, file.size()};
  SafetensorsHeader header;
  header.tensors.reserve(static_cast<std::size_t>(json.root().size()));
  for (const JsonValue member : json.root()) {
    if (member.key() == "__metadata__") {
      HONE_RETURN_IF_ERROR(ParseMetadata(member, &header));
      continue;
    }
    HONE_ASSIGN_OR_RETURN(SafetensorsEntry entry, ParseEntry(member, layout));
    header.tensors.push_back(std::move(entry));
  }
  // Empty tensors share their byte with a neighbour; begin and end together still order them.
  std::ranges::stable_sort(header.tensors, {}, [](const SafetensorsEntry& entry) {
    return std::pair(entry.begin, entry.end);
  });
  HONE_RETURN_IF_ERROR(CheckLayout(header, layout));
  return header;
}

}  // namespace hone::formats
