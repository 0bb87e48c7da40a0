#include "model/model.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "formats/directory.h"
#include "model/config_reader.h"
#include "model/random_checkpoint.h"

namespace hone::model {
namespace {

using base::StatusOr;

// The longest text the model takes, special tokens included.
StatusOr<int> MaxTextTokens(env::FileSystem& files, const std::string& directory, int max_tokens) {
  const std::string path = env::JoinPath(directory, "sentence_bert_config.json");
  if (!files.IsFile(path)) return max_tokens;
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, formats::kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  ConfigReader reader(json.root());
  const int stated = reader.IntOr("max_seq_length", max_tokens, 1, kMaxPositions);
  HONE_RETURN_IF_ERROR(reader.status());
  return std::min(stated, max_tokens);
}

StatusOr<Model> BindWith(env::FileSystem& files, const std::string& directory,
                         const std::string& encoder, const base::Json& json,
                         std::shared_ptr<const formats::Checkpoint> checkpoint,
                         const CheckpointOpener& open) {
  Model model;
  model.directory = directory;
  HONE_ASSIGN_OR_RETURN(model.config, ParseConfig(json.root()));
  if (checkpoint == nullptr) {
    HONE_ASSIGN_OR_RETURN(checkpoint, open(encoder));
  }
  model.checkpoint = std::move(checkpoint);
  HONE_ASSIGN_OR_RETURN(model.weights, BindEncoder(model.config, *model.checkpoint));
  HONE_ASSIGN_OR_RETURN(
      model.head, BindHead(files, directory, json.root(), model.config, model.checkpoint, open));
  HONE_ASSIGN_OR_RETURN(model.max_text_tokens,
                        MaxTextTokens(files, encoder, model.config.max_tokens));
  return model;
}

StatusOr<Model> OpenWith(env::FileSystem& files, const std::string& directory,
                         const CheckpointOpener& open) {
  HONE_ASSIGN_OR_RETURN(const std::string encoder, formats::EncoderDirectory(files, directory));
  const std::string path = env::JoinPath(encoder, "config.json");
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, formats::kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  return BindWith(files, directory, encoder, json, nullptr, open);
}

}  // namespace

StatusOr<Model> Model::Open(env::FileSystem& files, const std::string& directory) {
  return OpenWith(files, directory, [&files](const std::string& folder) {
    return formats::Checkpoint::Open(files, folder);
  });
}

StatusOr<Model> Model::Bind(env::FileSystem& files, const std::string& directory,
                            std::string_view config_json,
                            std::shared_ptr<const formats::Checkpoint> checkpoint) {
  HONE_ASSIGN_OR_RETURN(const std::string encoder, formats::EncoderDirectory(files, directory));
  HONE_ASSIGN_OR_RETURN(const base::Json json,
                        base::Json::Parse(config_json, env::JoinPath(encoder, "config.json")));
  return BindWith(
      files, directory, encoder, json, std::move(checkpoint),
      [&files](const std::string& folder) { return formats::Checkpoint::Open(files, folder); });
}

StatusOr<Model> Model::Random(env::FileSystem& files, const std::string& directory,
                              std::uint64_t seed) {
  return OpenWith(
      files, directory,
      [seed](const std::string&) -> StatusOr<std::shared_ptr<const formats::Checkpoint>> {
        return MakeRandomCheckpoint(seed);
      });
}

}  // namespace hone::model
