#include "formats/shard_index.h"

#include <algorithm>

namespace hone::formats {
namespace {

bool IsPlainName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

}  // namespace

base::StatusOr<ShardIndex> ParseShardIndex(std::string_view text, std::string_view source) {
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, source));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue weight_map, json.root().Get("weight_map"));
  if (!weight_map.IsObject() || weight_map.size() == 0) {
    return weight_map.Error("expected an object that names each tensor's shard");
  }
  ShardIndex index;
  for (const base::JsonValue member : weight_map) {
    HONE_ASSIGN_OR_RETURN(const std::string_view shard, member.String());
    if (!IsPlainName(shard)) {
      return member.Error("expected the name of a file in the same directory");
    }
    index.places.emplace_back(member.key(), shard);
    // Neighbours mostly share a shard.
    if (index.shards.empty() || index.shards.back() != shard) index.shards.emplace_back(shard);
  }
  std::ranges::sort(index.shards);
  index.shards.erase(std::unique(index.shards.begin(), index.shards.end()), index.shards.end());
  return index;
}

}  // namespace hone::formats
