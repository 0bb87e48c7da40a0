// Sentence embeddings as sentence-transformers stores them: modules.json lists Transformer,
// Pooling, and then any number of Dense and at most one Normalize, each with a folder of its own.
#include "formats/directory.h"
#include "model/heads/head_kind.h"

namespace hone::model {
namespace {

using base::StatusOr;
using base::StrCat;
using kernels::Activation;

struct PoolingMode {
  std::string_view flag;  // until sentence-transformers 5
  std::string_view name;  // since
  Rows rows;
  bool supported;
};

constexpr PoolingMode kPoolingModes[] = {
    {"pooling_mode_cls_token", "cls", Rows::kFirst, true},
    {"pooling_mode_mean_tokens", "mean", Rows::kMean, true},
    {"pooling_mode_max_tokens", "max", Rows::kMax, true},
    {"pooling_mode_lasttoken", "lasttoken", Rows::kLast, true},
    {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Rows::kMean, false},
    {"pooling_mode_weightedmean_tokens", "weightedmean", Rows::kMean, false},
};

// "torch.nn.modules.activation.Tanh" and the like.
StatusOr<Activation> TorchActivation(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const std::string_view path,
                        json.StringOr("activation_function", "torch.nn.modules.activation.Tanh"));
  const std::string_view name = path.substr(path.rfind('.') + 1);  // npos + 1 is 0
  if (name == "Identity") return Activation::kNone;
  if (name == "Tanh") return Activation::kTanh;
  if (name == "ReLU") return Activation::kRelu;
  if (name == "GELU") return Activation::kGelu;
  if (name == "SiLU") return Activation::kSilu;
  return base::Unsupported(json.Where(), ".activation_function: \"", path,
                           "\" is not supported; Hone has Identity, Tanh, ReLU, GELU and SiLU");
}

StatusOr<base::Json> ReadJson(env::FileSystem& files, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, formats::kMaxConfigBytes));
  return base::Json::Parse(text, path);
}

base::Status AddDense(const HeadSource& source, const std::string& folder, int in, Head* head) {
  HONE_ASSIGN_OR_RETURN(const base::Json file,
                        ReadJson(source.files, env::JoinPath(folder, "config.json")));
  ConfigReader reader(file.root());
  const int stated_in = reader.Int("in_features", 1, kMaxWidth);
  const int out = reader.Int("out_features", 1, kMaxWidth);
  const bool bias = reader.BoolOr("bias", true);
  const bool residual = reader.BoolOr("use_residual", false);
  HONE_RETURN_IF_ERROR(reader.status());
  if (residual) {
    return base::Unsupported(file.root().Where(), ".use_residual: true is not supported");
  }
  if (stated_in != in) {
    return file.root().Error(
        StrCat("in_features is ", stated_in, ", but what comes before is ", in, " wide"));
  }
  HONE_ASSIGN_OR_RETURN(const auto checkpoint, source.open(folder));
  HeadStage stage;
  HONE_ASSIGN_OR_RETURN(stage.activation, TorchActivation(file.root()));
  HONE_ASSIGN_OR_RETURN(stage.dense, Binder(*checkpoint, "").ReadLinear("linear", out, in, bias));
  head->checkpoints.push_back(checkpoint);
  head->outputs[0].stages.push_back(std::move(stage));
  return base::OkStatus();
}

StatusOr<Head> Bind(const HeadSource& source) {
  Head head;
  head.task = Task::kEmbedding;
  head.outputs = {{.name = "embedding", .rows = Rows::kMean}};
  const std::string path = env::JoinPath(source.directory, "modules.json");
  if (!source.files.IsFile(path)) return head;
  HONE_ASSIGN_OR_RETURN(const std::string text, source.files.Read(path, formats::kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(const std::vector<formats::Module> modules,
                        formats::ParseModules(text, path));
  int width = source.config.width;
  bool pooled = false;
  for (const formats::Module& module : modules) {
    const std::string folder = env::JoinPath(source.directory, module.path);
    const auto unsupported = [&](std::string_view why) {
      return base::Unsupported(path, ": module \"", module.type, "\" ", why,
                               "; Hone has Transformer, Pooling, Dense, Normalize, in this order");
    };
    if (module.type == "Transformer") {
      if (&module != modules.data()) return unsupported("is not the first");
    } else if (module.type == "Pooling") {
      if (pooled) return unsupported("comes twice");
      HONE_ASSIGN_OR_RETURN(const base::Json file,
                            ReadJson(source.files, env::JoinPath(folder, "config.json")));
      HONE_ASSIGN_OR_RETURN(head.outputs[0].rows, ParsePooling(file.root(), width));
      pooled = true;
    } else if (module.type == "Dense") {
      if (!pooled) return unsupported("comes before Pooling");
      if (head.normalize) return unsupported("comes after Normalize");
      HONE_RETURN_IF_ERROR(AddDense(source, folder, width, &head));
      width = head.outputs[0].stages.back().dense.weight.n;
    } else if (module.type == "Normalize") {
      if (!pooled) return unsupported("comes before Pooling");
      head.normalize = true;
    } else if (module.type != "Dropout") {  // which does nothing outside of training
      return unsupported("is not supported");
    }
  }
  return head;
}

}  // namespace

StatusOr<bool> HasPoolingModule(env::FileSystem& files, const std::string& directory) {
  const std::string path = env::JoinPath(directory, "modules.json");
  if (!files.IsFile(path)) return false;
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, formats::kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(const std::vector<formats::Module> modules,
                        formats::ParseModules(text, path));
  for (const formats::Module& module : modules) {
    if (module.type == "Pooling") return true;
  }
  return false;
}

StatusOr<Rows> ParsePooling(const base::JsonValue& json, int width) {
  ConfigReader reader(json);
  for (const std::string_view field : {"word_embedding_dimension", "embedding_dimension"}) {
    const int stated = reader.IntOr(field, width, 1, kMaxWidth);
    HONE_RETURN_IF_ERROR(reader.status());
    if (stated != width) {
      return json.Error(StrCat(field, " is ", stated, ", but the encoder is ", width, " wide"));
    }
  }
  std::vector<const PoolingMode*> chosen;
  const std::string named = reader.StringOr("pooling_mode", "");
  for (const PoolingMode& mode : kPoolingModes) {
    const bool flagged = reader.BoolOr(mode.flag, false);
    if (named.empty() ? flagged : named == mode.name) chosen.push_back(&mode);
  }
  HONE_RETURN_IF_ERROR(reader.status());
  if (!named.empty() && chosen.empty()) {
    return base::Unsupported(json.Where(), ".pooling_mode: \"", named,
                             "\" is not supported; Hone has cls, mean, max and lasttoken");
  }
  if (chosen.empty()) return Rows::kMean;  // as sentence-transformers takes it
  if (chosen.size() > 1) {
    return base::Unsupported(json.Where(), ": ", chosen[0]->flag, " and ", chosen[1]->flag,
                             " together are not supported; Hone takes one pooling mode");
  }
  if (!chosen[0]->supported) {
    return base::Unsupported(json.Where(), ": pooling mode \"", chosen[0]->name,
                             "\" is not supported; Hone has cls, mean, max and lasttoken");
  }
  return chosen[0]->rows;
}

extern const HeadKind kEmbeddingHead = {.ending = "Model", .bind = Bind};

}  // namespace hone::model
