// A model in the making: a Hugging Face directory whose weights and shapes are changed in memory,
// looked at by the engine, and written out as a directory again. Every stage of compression goes from
// a draft to a draft; what is on disk between stages is a plain model directory.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(Draft draft, Draft::Open(env::RealFileSystem(), "minilm-sst2"));
//   draft.weights().SetF32(draft.model().weights.layers[0].output.weight.name + ".weight", …);
//   draft.SetShape(0, {.heads = 8, .ffn = 700});
//   HONE_RETURN_IF_ERROR(draft.Bind());                       // model() has the new shapes now
//   HONE_ASSIGN_OR_RETURN(auto text, runtime::TextModel::FromModel(draft.model(), …));
//   HONE_RETURN_IF_ERROR(draft.Write("minilm-sst2-2x", {}));
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "formats/edited_checkpoint.h"
#include "formats/quantization_config.h"
#include "model/model.h"

namespace hone::compress {

// Which heads and width a layer has left.
struct PrunedShape {
  int heads = 0;
  int ffn = 0;
};

struct WriteOptions {
  bool replace = false;
  // Further files of the artefact: name ("training.json") and contents.
  std::vector<std::pair<std::string, std::string>> files = {};
  std::string format = "f32";  // as the manifest names it: quant::NameOf, or "mixed"
  // Small files and module folders of the source to leave out ("modules.json", "1_Pooling").
  std::vector<std::string> omit = {};
};

class Draft {
 public:
  static base::StatusOr<Draft> Open(env::FileSystem& files, const std::string& directory);

  const model::Model& model() const { return model_; }  // as of the last Bind
  const std::string& directory() const { return directory_; }
  formats::EditedCheckpoint& weights() { return *checkpoint_; }

  // Changes config.json: the `hone_layers` entry of a layer; any member, as JSON text. Tensors of a
  // block that is gone are erased by the caller.
  void SetShape(int layer, PrunedShape shape);
  void SetShapes(std::vector<PrunedShape> shapes);  // of all layers, where their number changes too
  void SetConfig(const std::string& key, std::string json);  // empty JSON: the member is left out
  void SetQuantization(const formats::QuantizationConfig& quantization);

  // Reads model() anew from config and weights; errors are those of model::Model::Open.
  base::Status Bind();

  // A copy that shares nothing mutable with this one (edited tensors are copied).
  base::StatusOr<Draft> Copy() const;

  // config.json, one model.safetensors, and the source's small files and module folders; hone.json
  // last. Written aside and renamed: never half there.
  base::Status Write(const std::string& out, const WriteOptions& options) const;

  // config.json as it would be written.
  std::string Config() const;

 private:
  Draft() = default;

  env::FileSystem* files_ = nullptr;
  std::string directory_;
  std::string source_config_;                               // config.json's text
  std::vector<std::pair<std::string, std::string>> edits_;  // members, JSON text
  std::vector<PrunedShape> shapes_;
  bool pruned_ = false;
  std::shared_ptr<formats::EditedCheckpoint> checkpoint_;
  model::Model model_;
};

}  // namespace hone::compress
