// tokenizer.model: SentencePiece's protobuf, read without protobuf.
//
// Fields (google/sentencepiece, sentencepiece_model.proto)
//   ModelProto       1 repeated pieces   2 trainer_spec   3 normalizer_spec
//   SentencePiece    1 piece (text)      2 score (float)  3 type: 1 normal 2 unknown 3 control
//                                                          4 user-defined 5 unused 6 byte
//   TrainerSpec      3 model_type: 1 unigram 2 BPE        35 byte_fallback
//                    40 unk_id 41 bos_id 42 eos_id 43 pad_id
//   NormalizerSpec   2 precompiled_charsmap  3 add_dummy_prefix  4 remove_extra_whitespaces
#include <algorithm>
#include <bit>
#include <cmath>

#include "base/utf8.h"
#include "text/pipeline.h"

namespace hone::text {
namespace {

// One field of a protobuf message: its number and either a number or bytes.
struct Field {
  std::uint32_t number = 0;
  int wire = 0;
  std::uint64_t value = 0;
  std::string_view bytes;
};

class MessageReader {
 public:
  MessageReader(std::string_view message, std::size_t base) : message_(message), base_(base) {}

  bool done() const { return at_ >= message_.size(); }
  std::size_t offset() const { return base_ + at_; }

  // False at something that is not a field.
  bool Next(Field* field) {
    std::uint64_t key;
    if (!Varint(&key)) return false;
    field->number = static_cast<std::uint32_t>(key >> 3);
    field->wire = static_cast<int>(key & 7);
    switch (field->wire) {
      case 0: return Varint(&field->value);
      case 1: return Fixed(8, &field->value);
      case 5: return Fixed(4, &field->value);
      case 2: {
        std::uint64_t size;
        if (!Varint(&size) || size > message_.size() - at_) return false;
        field->bytes = message_.substr(at_, size);
        field->value = base_ + at_;  // where the bytes are, for errors
        at_ += size;
        return true;
      }
      default: return false;
    }
  }

 private:
  bool Varint(std::uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && at_ < message_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message_[at_++]);
      *value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool Fixed(int bytes, std::uint64_t* value) {
    if (message_.size() - at_ < static_cast<std::size_t>(bytes)) return false;
    *value = 0;
    for (int i = bytes; i-- > 0;) {
      *value =
          *value << 8 | static_cast<unsigned char>(message_[at_ + static_cast<std::size_t>(i)]);
    }
    at_ += static_cast<std::size_t>(bytes);
    return true;
  }

  std::string_view message_;
  std::size_t base_, at_ = 0;
};

enum PieceType {
  kNormal = 1,
  kUnknown = 2,
  kControlPiece = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

struct SentencePieceFile {
  struct Item {
    std::string_view text;
    float score = 0;
    int type = kNormal;
  };
  std::vector<Item> pieces;
  int model_type = 1;
  bool byte_fallback = false;
  std::int64_t bos_id = 1;
  std::string_view charsmap;
  bool add_dummy_prefix = true, remove_extra_whitespaces = true;
};

// Calls field(f) for each field of a message; an error names the byte.
template <typename Each>
base::Status ForEachField(std::string_view message, std::size_t base, std::string_view source,
                          Each&& each) {
  MessageReader reader(message, base);
  while (!reader.done()) {
    const std::size_t offset = reader.offset();
    Field field;
    if (!reader.Next(&field)) {
      return base::BadInput(source, ": byte ", offset, ": not a SentencePiece model, or cut off");
    }
    each(field);
  }
  return base::OkStatus();
}

base::StatusOr<SentencePieceFile> Parse(std::string_view model, std::string_view source) {
  SentencePieceFile file;
  base::Status inner;
  const auto keep_first = [&inner](base::Status status) {
    if (inner.ok()) inner = std::move(status);
  };
  HONE_RETURN_IF_ERROR(ForEachField(model, 0, source, [&](const Field& field) {
    if (field.wire != 2 || !inner.ok()) return;
    if (field.number == 1) {
      SentencePieceFile::Item item;
      keep_first(ForEachField(field.bytes, field.value, source, [&](const Field& f) {
        if (f.number == 1 && f.wire == 2) item.text = f.bytes;
        if (f.number == 2 && f.wire == 5) {
          item.score = std::bit_cast<float>(static_cast<std::uint32_t>(f.value));
        }
        if (f.number == 3 && f.wire == 0) item.type = static_cast<int>(f.value & 0xFF);
      }));
      if (!std::isfinite(item.score)) {
        keep_first(base::BadInput(source, ": piece ", file.pieces.size(),
                                  " has a score that is not finite"));
      }
      file.pieces.push_back(item);
    } else if (field.number == 2) {
      keep_first(ForEachField(field.bytes, field.value, source, [&](const Field& f) {
        if (f.wire != 0) return;
        if (f.number == 3) file.model_type = static_cast<int>(f.value & 0xFF);
        if (f.number == 35) file.byte_fallback = f.value != 0;
        if (f.number == 41) file.bos_id = static_cast<std::int32_t>(f.value);
      }));
    } else if (field.number == 3) {
      keep_first(ForEachField(field.bytes, field.value, source, [&](const Field& f) {
        if (f.number == 2 && f.wire == 2) file.charsmap = f.bytes;
        if (f.number == 3 && f.wire == 0) file.add_dummy_prefix = f.value != 0;
        if (f.number == 4 && f.wire == 0) file.remove_extra_whitespaces = f.value != 0;
      }));
    }
  }));
  HONE_RETURN_IF_ERROR(inner);
  if (file.pieces.empty()) return base::BadInput(source, ": a SentencePiece model without pieces");
  if (file.pieces.size() >= Vocabulary::kMaxId) return base::BadInput(source, ": too many pieces");
  return file;
}

// Pieces in the order of their scores are the merges: any two pieces that make up a piece may join,
// the one of the highest score first (the same rule as transformers' converter).
std::vector<Merge> MergesOf(const SentencePieceFile& file, const Vocabulary& vocabulary) {
  struct Scored {
    Merge merge;
    float score;
  };
  std::vector<Scored> scored;
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    const SentencePieceFile::Item& item = file.pieces[id];
    if (item.type != kNormal && item.type != kUserDefined) continue;
    // A piece has few splits; its length is bounded so that a hostile file costs little.
    constexpr std::size_t kMaxPieceBytes = 512;
    if (item.text.size() > kMaxPieceBytes) continue;
    const std::size_t first = scored.size();
    for (std::size_t cut = 1; cut < item.text.size(); ++cut) {
      if ((static_cast<unsigned char>(item.text[cut]) & 0xC0) == 0x80) continue;
      const std::int32_t left = vocabulary.Find(item.text.substr(0, cut));
      const std::int32_t right = vocabulary.Find(item.text.substr(cut));
      if (left < 0 || right < 0) continue;
      scored.push_back({{left, right, static_cast<std::int32_t>(id)}, item.score});
    }
    std::sort(scored.begin() + static_cast<std::ptrdiff_t>(first), scored.end(),
              [](const Scored& a, const Scored& b) {
                return a.merge.left != b.merge.left ? a.merge.left < b.merge.left
                                                    : a.merge.right < b.merge.right;
              });
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  std::vector<Merge> merges;
  merges.reserve(scored.size());
  for (const Scored& s : scored) merges.push_back(s.merge);
  return merges;
}

// Renumbers the pieces as fairseq does, so that all that follows sees them in their places.
base::Status UseFairseqIds(SentencePieceIds ids, std::string_view source, SentencePieceFile* file) {
  using Item = SentencePieceFile::Item;
  std::vector<Item>& pieces = file->pieces;
  if (pieces.size() < 3 || pieces[0].type != kUnknown || pieces[1].text != "<s>" ||
      pieces[2].text != "</s>") {
    return base::Unsupported(source,
                             ": its first pieces are not <unk>, <s> and </s>, so that its ids are "
                             "not known; save the tokenizer as tokenizer.json");
  }
  constexpr std::size_t kAdded = 6;
  if (pieces.size() + kAdded >= Vocabulary::kMaxId)
    return base::BadInput(source, ": too many pieces");
  const auto special = [](std::string_view text) { return Item{text, 0, kControlPiece}; };
  std::vector<Item> head;
  if (ids == SentencePieceIds::kXlmRoberta) {
    head = {special("<s>"), special("<pad>"), special("</s>"), {"<unk>", 0, kUnknown}};
    pieces.erase(pieces.begin(), pieces.begin() + 3);
  } else {
    head = {special("<s>NOTUSED"),
            special("<pad>"),
            special("</s>NOTUSED"),
            {"<unk>", 0, kUnknown},
            special("<unk>NOTUSED")};
    pieces.erase(pieces.begin());
  }
  pieces.insert(pieces.begin(), head.begin(), head.end());
  pieces.push_back(special("<mask>"));
  return base::OkStatus();
}

base::StatusOr<std::unique_ptr<Model>> MakeModel(const SentencePieceFile& file,
                                                 std::optional<std::int32_t> unk_id,
                                                 std::string_view source) {
  std::size_t bytes = 0;
  for (const auto& item : file.pieces) bytes += item.text.size();
  Vocabulary vocabulary(bytes, file.pieces.size());
  std::vector<double> scores;
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    if (!base::IsValidUtf8(file.pieces[id].text)) {
      return base::BadInput(source, ": piece ", id, " is not UTF-8");
    }
    vocabulary.Add(file.pieces[id].text, static_cast<std::int32_t>(id));
    scores.push_back(static_cast<double>(file.pieces[id].score));
  }
  if (const auto repeat = vocabulary.RepeatText()) return base::BadInput(source, ": ", *repeat);
  if (file.model_type == 1) {
    return MakeUnigram(std::move(vocabulary), std::move(scores), {unk_id, file.byte_fallback},
                       source);
  }
  if (file.model_type != 2) {
    return base::Unsupported(source, ": SentencePiece model type ", file.model_type,
                             " is not supported; expected unigram (1) or BPE (2)");
  }
  BpeOptions options;
  if (unk_id) options.unk_token = std::string(vocabulary.Token(*unk_id));
  options.fuse_unk = true;
  options.byte_fallback = file.byte_fallback;
  const std::vector<Merge> merges = MergesOf(file, vocabulary);
  return MakeBpe(std::move(vocabulary), merges, options, source);
}

}  // namespace

base::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::FromSentencePiece(std::string_view model,
                                                                        std::string_view source,
                                                                        SentencePieceIds ids) {
  HONE_ASSIGN_OR_RETURN(SentencePieceFile file, Parse(model, source));
  const bool fairseq = ids != SentencePieceIds::kPieces;
  if (fairseq) HONE_RETURN_IF_ERROR(UseFairseqIds(ids, source, &file));
  std::optional<std::int32_t> unk_id;
  Parts parts;
  parts.source = source;
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    const SentencePieceFile::Item& item = file.pieces[id];
    if (item.type == kUnknown) unk_id = static_cast<std::int32_t>(id);
    if (item.type != kUnknown && item.type != kControlPiece && item.type != kUserDefined) continue;
    AddedToken token;
    token.content = item.text;
    token.special = item.type != kUserDefined;
    token.lstrip = fairseq && item.text == "<mask>";
    parts.added_tokens.push_back(std::move(token));
  }
  std::vector<std::unique_ptr<Normalizer>> steps;
  if (!file.charsmap.empty()) {
    HONE_ASSIGN_OR_RETURN(std::unique_ptr<Normalizer> map, MakeCharsMap(file.charsmap, source));
    steps.push_back(std::move(map));
  }
  if (file.model_type == 2) {
    if (file.add_dummy_prefix) steps.push_back(MakePrepend("▁"));
    steps.push_back(MakeReplace(" ", "▁"));
  } else {
    if (file.remove_extra_whitespaces) {
      // As transformers' converter does: at the end, and runs within the text.
      steps.push_back(MakeStrip(/*left=*/false, /*right=*/true));
      HONE_ASSIGN_OR_RETURN(Regex spaces, Regex::Compile(" {2,}", source));
      steps.push_back(MakeReplace(std::move(spaces), "▁"));
    }
    parts.pre_tokenizer = MakeMetaspace(
        U'▁', file.add_dummy_prefix ? PrependScheme::kAlways : PrependScheme::kNever, true);
  }
  parts.normalizer = MakeSequence(std::move(steps));
  HONE_ASSIGN_OR_RETURN(parts.model, MakeModel(file, unk_id, source));
  const bool has_bos =
      file.bos_id >= 0 && file.bos_id < static_cast<std::int64_t>(file.pieces.size());
  if (fairseq) {
    const auto id_of = [&](std::string_view text) {
      return static_cast<std::int32_t>(
          std::ranges::find(file.pieces, text, &SentencePieceFile::Item::text) -
          file.pieces.begin());
    };
    parts.post_processor = RobertaTemplate(id_of("<s>"), id_of("</s>"));
  } else if (has_bos && file.model_type == 2) {
    // As Llama's tokenizer does: the beginning-of-sequence token before each text.
    const auto bos = static_cast<std::int32_t>(file.bos_id);
    parts.post_processor.single.insert(parts.post_processor.single.begin(),
                                       {TemplatePiece::kSpecial, {bos}, 0});
    parts.post_processor.pair = parts.post_processor.single;
    parts.post_processor.pair.push_back({TemplatePiece::kSpecial, {bos}, 1});
    parts.post_processor.pair.push_back({TemplatePiece::kSecond, {}, 1});
  }
  parts.decoder = MakeSentencePieceDecoder(file.add_dummy_prefix);
  return MakeTokenizer(std::move(parts));
}

}  // namespace hone::text
