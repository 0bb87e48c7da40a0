#include "compress/draft.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "base/version.h"
#include "compress/companions.h"
#include "formats/artefact.h"
#include "formats/directory.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;
using formats::ByteSink;
using formats::TensorToWrite;

constexpr std::string_view kShapesKey = "hone_layers";
constexpr std::string_view kQuantizationKey = "quantization_config";

// Every tensor of the checkpoint as it is.
std::vector<TensorToWrite> PlanCopies(const formats::Checkpoint& checkpoint) {
  std::vector<TensorToWrite> plans;
  for (const std::string& name : checkpoint.Names()) {
    const tensor::TensorView view = *checkpoint.Find(name);
    plans.push_back({name, view.dtype, view.shape, [view](const ByteSink& sink) {
                       return sink({view.data, view.bytes()});
                     }});
  }
  return plans;
}

}  // namespace

StatusOr<Draft> Draft::Open(env::FileSystem& files, const std::string& directory) {
  Draft draft;
  draft.files_ = &files;
  draft.directory_ = directory;
  HONE_ASSIGN_OR_RETURN(const std::string encoder, formats::EncoderDirectory(files, directory));
  HONE_ASSIGN_OR_RETURN(draft.source_config_, files.Read(env::JoinPath(encoder, "config.json"),
                                                         formats::kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(draft.model_, model::Model::Open(files, directory));
  draft.checkpoint_ = std::make_shared<formats::EditedCheckpoint>(draft.model_.checkpoint);
  for (const model::LayerShape& layer : draft.model_.config.layers) {
    draft.shapes_.push_back({layer.heads, layer.ffn});
  }
  HONE_RETURN_IF_ERROR(draft.Bind());
  return draft;
}

void Draft::SetShape(int layer, PrunedShape shape) {
  HONE_CHECK(layer >= 0 && static_cast<std::size_t>(layer) < shapes_.size());
  shapes_[static_cast<std::size_t>(layer)] = shape;
  pruned_ = true;
}

void Draft::SetShapes(std::vector<PrunedShape> shapes) {
  HONE_CHECK(!shapes.empty());
  shapes_ = std::move(shapes);
  pruned_ = true;
}

void Draft::SetConfig(const std::string& key, std::string json) {
  const auto edit = std::ranges::find(edits_, key, &std::pair<std::string, std::string>::first);
  if (edit == edits_.end()) {
    edits_.emplace_back(key, std::move(json));
  } else {
    edit->second = std::move(json);
  }
}

void Draft::SetQuantization(const formats::QuantizationConfig& quantization) {
  if (quantization.groups.empty()) {
    SetConfig(std::string(kQuantizationKey), "");
    return;
  }
  base::JsonWriter json(2);
  formats::WriteQuantizationConfig(quantization, &json);
  SetConfig(std::string(kQuantizationKey), json.Take());
}

std::string Draft::Config() const {
  // Parsed when it was opened, so it parses now.
  const StatusOr<base::Json> source = base::Json::Parse(source_config_, directory_);
  HONE_CHECK(source.ok());
  const auto edited = [&](std::string_view key) {
    return (pruned_ && key == kShapesKey) ||
           std::ranges::any_of(edits_, [&](const auto& edit) { return edit.first == key; });
  };
  base::JsonWriter json(2);
  json.BeginObject();
  for (const base::JsonValue member : source->root()) {
    if (!edited(member.key())) json.Key(member.key()).Value(member);
  }
  if (pruned_) {
    json.Key(kShapesKey).BeginArray();
    for (const PrunedShape& shape : shapes_) {
      json.BeginObject().Key("heads").Int(shape.heads).Key("ffn").Int(shape.ffn).EndObject();
    }
    json.EndArray();
  }
  for (const auto& [key, value] : edits_) {
    if (!value.empty()) json.Key(key).Raw(value);
  }
  return json.EndObject().Take() + "\n";
}

Status Draft::Bind() {
  HONE_ASSIGN_OR_RETURN(model_, model::Model::Bind(*files_, directory_, Config(), checkpoint_));
  return base::OkStatus();
}

StatusOr<Draft> Draft::Copy() const {
  Draft copy = *this;
  copy.checkpoint_ = checkpoint_->Copy();
  HONE_RETURN_IF_ERROR(copy.Bind());
  return copy;
}

Status Draft::Write(const std::string& out, const WriteOptions& options) const {
  HONE_ASSIGN_OR_RETURN(const std::unique_ptr<formats::ArtefactWriter> artefact,
                        formats::ArtefactWriter::Begin(*files_, out, options.replace));
  HONE_RETURN_IF_ERROR(CopyCompanions(*files_, directory_, options.omit, artefact.get()));
  HONE_RETURN_IF_ERROR(artefact->Write("config.json", Config()));
  for (const auto& [name, contents] : options.files) {
    HONE_RETURN_IF_ERROR(artefact->Write(name, contents));
  }
  const std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"}};
  HONE_RETURN_IF_ERROR(
      artefact->WriteTensors("model.safetensors", PlanCopies(*checkpoint_), metadata));
  return artefact->Commit(
      {base::StrCat("hone ", base::kVersion), LastComponent(directory_), options.format, {}});
}

}  // namespace hone::compress
