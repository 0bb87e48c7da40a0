#include <algorithm>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace hone::text {
namespace {

// Layout of the map (google/sentencepiece, builder.cc):
//   u32 trie size in bytes | trie: u32 units of a Darts-clone double array | replacements
// A unit: bits 0..7 label, 8 has a value, 9..30 offset; a value unit: bit 31 set, bits 0..30 the
// value. Each replacement ends in \0.
class CharsMap final : public Normalizer {
 public:
  CharsMap(std::vector<std::uint32_t> units, std::string replacements)
      : units_(std::move(units)), replacements_(std::move(replacements)) {
    for (int c = 0; c < 128; ++c) {
      const char byte = static_cast<char>(c);
      plain_[c] = c != '\r' && !Find({&byte, 1}).has_value();
    }
  }

  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    if (PlainPrefix(in.text, 0) == in.text.size()) return in;
    std::vector<RuneChange>& changes = scratch->changes;
    AlignedText* out = scratch->Free(in);
    Rewriter rewriter(in, out);
    changes.clear();
    bool modified = false;
    for (std::size_t begin = 0; begin < in.text.size();) {
      const std::size_t plain = PlainPrefix(in.text, begin);
      // The last emission may still change: a cluster that maps to nothing is charged to the one
      // before.
      if (plain > begin) {
        Flush(&changes, &rewriter);
        for (std::size_t at = begin; at + 1 < plain; ++at) {
          rewriter.Emit(static_cast<unsigned char>(in.text[at]), 0);
        }
        changes.push_back({static_cast<unsigned char>(in.text[plain - 1]), 0, 0});
        begin = plain;
        continue;
      }
      const std::size_t end = ClusterEnd(in.text, begin);
      modified |= MapCluster(in.text.substr(begin, end - begin), &changes);
      begin = end;
    }
    Flush(&changes, &rewriter);
    return modified ? out->view() : in;
  }

 private:
  static void Flush(std::vector<RuneChange>* changes, Rewriter* rewriter) {
    for (const RuneChange& c : *changes) rewriter->Emit(c.rune, c.change);
    changes->clear();
  }

  // ASCII that maps to itself and stands before ASCII (a mark after it would join its cluster).
  std::size_t PlainPrefix(std::string_view text, std::size_t begin) const {
    std::size_t i = begin;
    while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80 &&
           plain_[static_cast<unsigned char>(text[i])]) {
      ++i;
    }
    if (i < text.size() && static_cast<unsigned char>(text[i]) >= 0x80 && i > begin) --i;
    return i;
  }

  static std::size_t ClusterEnd(std::string_view text, std::size_t begin) {
    int size;
    char32_t before = DecodeValid(text.data() + begin, &size);
    std::int32_t state = 0;
    std::size_t i = begin + static_cast<std::size_t>(size);
    while (i < text.size()) {
      const char32_t after = DecodeValid(text.data() + i, &size);
      if (GraphemeBreak(before, after, &state)) break;
      i += static_cast<std::size_t>(size);
      before = after;
    }
    return i;
  }

  // The original maps a whole short cluster by the first entry that is a prefix of it, else
  // character by character.
  bool MapCluster(std::string_view cluster, std::vector<RuneChange>* changes) const {
    if (cluster.size() < 6) {
      if (const auto found = Find(cluster)) {
        Replace(cluster, *found, changes);
        return true;
      }
    }
    bool modified = false;
    for (std::size_t i = 0; i < cluster.size();) {
      int size;
      const char32_t rune = DecodeValid(cluster.data() + i, &size);
      const std::string_view part = cluster.substr(i, static_cast<std::size_t>(size));
      if (const auto found = Find(part)) {
        Replace(part, *found, changes);
        modified = true;
      } else {
        changes->push_back({rune, 0, 0});
      }
      i += static_cast<std::size_t>(size);
    }
    return modified;
  }

  static void Replace(std::string_view from, std::string_view to,
                      std::vector<RuneChange>* changes) {
    const int removed = CountCharacters(from), added = CountCharacters(to);
    for (std::size_t i = 0, n = 0; i < to.size(); ++n) {
      int size;
      const char32_t rune = DecodeValid(to.data() + i, &size);
      const bool extra = added > removed && static_cast<int>(n) >= removed;
      changes->push_back({rune, extra ? 1 : 0, 0});
      i += static_cast<std::size_t>(size);
    }
    if (added < removed && !changes->empty()) {
      RuneChange& last = changes->back();
      last.change += added - removed;
    }
  }

  static int CountCharacters(std::string_view text) {
    int count = 0;
    for (const char c : text) count += IsContinuation(c) ? 0 : 1;
    return count;
  }

  // The replacement of the shortest entry that `text` starts with.
  std::optional<std::string_view> Find(std::string_view text) const {
    std::size_t node = 0;
    std::uint32_t unit = units_[0];
    node ^= Offset(unit);
    for (const char c : text) {
      const auto label = static_cast<unsigned char>(c);
      if (label == 0) break;
      node ^= label;
      if (node >= units_.size()) return std::nullopt;
      unit = units_[node];
      if ((unit & 0x800000FF) != label) return std::nullopt;
      node ^= Offset(unit);
      if (node >= units_.size()) return std::nullopt;
      if ((unit >> 8 & 1) != 0) {
        const std::size_t begin = units_[node] & 0x7FFFFFFF;
        if (begin >= replacements_.size() || IsContinuation(replacements_[begin]))
          return std::nullopt;
        const std::size_t end = replacements_.find('\0', begin);
        return std::string_view(replacements_).substr(begin, end - begin);
      }
    }
    return std::nullopt;
  }

  static std::size_t Offset(std::uint32_t unit) {
    return static_cast<std::size_t>(unit >> 10) << ((unit & 0x200) >> 6);
  }

  const std::vector<std::uint32_t> units_;
  const std::string replacements_;
  bool plain_[128];
};

}  // namespace

base::StatusOr<std::unique_ptr<Normalizer>> MakeCharsMap(std::string_view bytes,
                                                         std::string_view where) {
  const auto read_u32 = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) {
      value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
    }
    return value;
  };
  if (bytes.size() < 8) {
    return base::BadInput(where, ": a character map of ", bytes.size(), " bytes is too short");
  }
  const std::size_t trie_bytes = read_u32(0) / 4 * 4;
  if (trie_bytes < 4 || trie_bytes > bytes.size() - 4) {
    return base::BadInput(where, ": the character map's trie of ", trie_bytes,
                          " bytes does not fit in its ", bytes.size());
  }
  std::vector<std::uint32_t> units(trie_bytes / 4);
  for (std::size_t i = 0; i < units.size(); ++i) units[i] = read_u32(4 + i * 4);
  const std::string_view replacements = bytes.substr(4 + trie_bytes);
  if (!base::IsValidUtf8(replacements)) {
    return base::BadInput(where, ": the character map's replacements are not UTF-8");
  }
  for (std::size_t begin = 0; begin < replacements.size();) {
    const std::size_t end = std::min(replacements.find('\0', begin), replacements.size());
    if (end - begin > kMaxCharsMapEntry) {
      return base::BadInput(where, ": an entry of the character map has ", end - begin,
                            " bytes; the limit is ", kMaxCharsMapEntry);
    }
    begin = end + 1;
  }
  return std::make_unique<CharsMap>(std::move(units), std::string(replacements));
}

}  // namespace hone::text
