#include "compress/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "base/thread_pool.h"
#include "compress/quantize/embedding_rows.h"
#include "compress/quantize/layer_rounder.h"
#include "compress/quantize/nearest.h"
#include "compress/quantize/set_matrix.h"
#include "compress/quantize/targets.h"
#include "formats/tokenizer_files.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;
using quant::Format;
using tensor::DType;
using tensor::TensorView;

constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 30;

bool NeedsTexts(const RoundingOptions& options) {
  return options.method != Rounding::kNearest || options.smooth > 0;
}

bool IsFloat(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kF16 ||
         dtype == DType::kBF16;
}

class DraftQuantizer {
 public:
  DraftQuantizer(Draft* draft, const FormatRequest& formats, const RoundingOptions& rounding,
                 const QuantizeProgress& progress)
      : draft_(*draft),
        request_(formats),
        rounding_(rounding),
        progress_(progress),
        pool_(rounding.threads) {}

  Status Run();

 private:
  Status CheckFloat() const;
  Status Plan();
  StatusOr<std::vector<float>> Widen(const std::string& tensor) const;
  Status WriteFloat(const std::string& tensor, DType dtype);
  Status WriteFloats();
  Status WriteTables();
  Status RoundToNearest();
  void Count(std::uint64_t elements);
  // Halves of everything, with nothing else beside them: known once it is planned.
  bool all_bf16() const {
    return request_.all == Format::kBF16 && tables_.empty() &&
           std::ranges::all_of(formats_,
                               [](const auto& module) { return module.second == Format::kBF16; });
  }

  Draft& draft_;
  const FormatRequest& request_;
  const RoundingOptions& rounding_;
  const QuantizeProgress& progress_;
  base::ThreadPool pool_;
  std::map<std::string, Format> formats_;  // of the layers' modules
  std::vector<std::string> tables_;        // embeddings that become integers
  std::uint64_t done_ = 0, total_ = 0;
};

void DraftQuantizer::Count(std::uint64_t elements) {
  done_ += elements;
  if (progress_) progress_(done_, total_);
}

Status DraftQuantizer::CheckFloat() const {
  const model::Model& model = draft_.model();
  for (const model::LayerWeights& layer : model.weights.layers) {
    for (const model::Linear* linear :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
      if (linear->weight.empty() || linear->weight.kind == formats::StoredKind::kFloat) continue;
      return base::BadInput(draft_.directory(), ": ", linear->weight.name,
                            ": the model is quantised already; quantise the original");
    }
  }
  if (NeedsTexts(rounding_) && rounding_.calibration == nullptr) {
    return base::BadInput("gptq, awq, best and smoothing need calibration texts");
  }
  return base::OkStatus();
}

// Settles every module's format, and what there is to do.
Status DraftQuantizer::Plan() {
  const model::Model& model = draft_.model();
  std::set<std::string, std::less<>> known;
  for (int layer = 0; layer < model.config.layer_count(); ++layer) {
    HONE_ASSIGN_OR_RETURN(const std::vector<LayerMatrix> matrices, LayerMatrices(model, layer));
    for (const LayerMatrix& matrix : matrices) {
      const auto chosen = request_.modules.find(matrix.module);
      const Format asked = chosen == request_.modules.end() ? request_.all : chosen->second;
      formats_[matrix.module] = WrittenFormat(asked, matrix.k);
      known.insert(matrix.module);
    }
  }
  for (const auto& [module, format] : request_.modules) {
    if (!known.contains(module)) {
      return base::BadInput(
          "\"", module, "\" is no matrix of a layer; expected a name like \"",
          known.empty() ? std::string("encoder.layer.0.output.dense") : *known.begin(), "\"");
    }
  }
  if (request_.embeddings) {
    for (const formats::StoredMatrix* table : {&model.weights.word, &model.weights.position}) {
      if (!table->empty()) tables_.push_back(table->name);
    }
  }
  for (const std::string& name : draft_.weights().Names()) {
    const TensorView& view = *draft_.weights().Find(name);
    if (IsFloat(view.dtype)) total_ += static_cast<std::uint64_t>(view.shape.elements());
  }
  return base::OkStatus();
}

// A float tensor in f32; NaN and infinities are errors.
StatusOr<std::vector<float>> DraftQuantizer::Widen(const std::string& tensor) const {
  const TensorView& view = *draft_.weights().Find(tensor);
  std::vector<float> values(static_cast<std::size_t>(view.shape.elements()));
  tensor::CopyToF32(view, 0, values);
  draft_.weights().DropPages(view);
  const auto bad = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
  if (bad == values.end()) return values;
  return base::BadInput(draft_.directory(), ": tensor \"", tensor, "\" has ",
                        std::isnan(*bad) ? "a NaN" : "an infinity", " at element ",
                        base::WithCommas(static_cast<std::uint64_t>(bad - values.begin())),
                        "; expected finite weights");
}

Status DraftQuantizer::WriteFloat(const std::string& tensor, DType dtype) {
  HONE_ASSIGN_OR_RETURN(std::vector<float> values, Widen(tensor));
  const tensor::Shape shape = draft_.weights().Find(tensor)->shape;
  const bool already = draft_.weights().Find(tensor)->dtype == dtype;
  // Beyond f16's range a table stays in f32.
  if (dtype == DType::kF16 &&
      std::ranges::any_of(values, [](float x) { return std::abs(x) >= 65520.0f; })) {
    dtype = DType::kF32;
  }
  if (!already && dtype == DType::kF32) {
    draft_.weights().SetF32(tensor, shape, std::move(values));
  } else if (!already) {
    std::vector<std::byte> bytes(values.size() * sizeof(std::uint16_t));
    const auto narrow = dtype == DType::kF16 ? tensor::F16FromF32 : tensor::BF16FromF32;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t bits = narrow(values[i]);
      std::memcpy(bytes.data() + i * sizeof bits, &bits, sizeof bits);
    }
    draft_.weights().Set(tensor, dtype, shape, std::move(bytes));
  }
  return base::OkStatus();
}

// Everything that does not become integers: checked, and in the type it is to have.
Status DraftQuantizer::WriteFloats() {
  const model::Model& model = draft_.model();
  std::set<std::string> tables;
  for (const formats::StoredMatrix* table :
       {&model.weights.word, &model.weights.position, &model.weights.type}) {
    if (!table->empty()) tables.insert(table->name + ".weight");
  }
  const std::int64_t words = model.config.vocabulary;
  constexpr std::string_view kWeight = ".weight";
  for (const std::string& name : draft_.weights().Names()) {
    const TensorView view = *draft_.weights().Find(name);
    if (!IsFloat(view.dtype)) continue;
    const std::string module =
        name.ends_with(kWeight) ? name.substr(0, name.size() - kWeight.size()) : std::string();
    const auto of_layer = formats_.find(module);
    // Every other matrix with a row for each word is a table too: a fill-mask head's decoder.
    const bool table = view.shape.rank() == 2 && (tables.contains(name) || view.shape[0] == words);
    DType dtype = table ? DType::kF16 : DType::kF32;
    if (all_bf16() || (of_layer != formats_.end() && of_layer->second == Format::kBF16)) {
      dtype = DType::kBF16;
    }
    // What is rounded later keeps its values until then.
    const bool later = std::ranges::find(tables_, module) != tables_.end() ||
                       (of_layer != formats_.end() &&
                        (of_layer->second == Format::kInt8 || of_layer->second == Format::kInt4));
    if (later) dtype = DType::kF32;
    HONE_RETURN_IF_ERROR(WriteFloat(name, dtype));
    if (!later) Count(static_cast<std::uint64_t>(view.shape.elements()));
  }
  return draft_.Bind();
}

Status DraftQuantizer::WriteTables() {
  for (const std::string& table : tables_) {
    HONE_ASSIGN_OR_RETURN(const std::vector<float> values, Widen(table + ".weight"));
    const tensor::Shape shape = draft_.weights().Find(table + ".weight")->shape;
    const int rows = static_cast<int>(shape[0]), width = static_cast<int>(shape[1]);
    if (*request_.embeddings == Format::kInt4 && width % kEmbeddingGroup == 0) {
      SetInt4Rows(table, rows, width, QuantizeInt4Rows(values, rows, width, pool_),
                  &draft_.weights());
    } else {
      SetInt8(table, NearestInt8(values, rows, width, pool_), &draft_.weights());
    }
    Count(values.size());
  }
  return base::OkStatus();
}

Status DraftQuantizer::RoundToNearest() {
  for (const auto& [module, format] : formats_) {
    if (format != Format::kInt8 && format != Format::kInt4) continue;
    HONE_ASSIGN_OR_RETURN(const formats::StoredMatrix stored,
                          draft_.weights().Matrix(module, -1, -1));
    HONE_ASSIGN_OR_RETURN(const std::vector<float> weights, Widen(module + ".weight"));
    if (format == Format::kInt8) {
      SetInt8(module, NearestInt8(weights, stored.n, stored.k, pool_), &draft_.weights());
    } else {
      SetInt4(module, NearestInt4(weights, stored.n, stored.k, pool_), &draft_.weights());
    }
    Count(weights.size());
  }
  return base::OkStatus();
}

Status DraftQuantizer::Run() {
  HONE_RETURN_IF_ERROR(CheckFloat());
  HONE_RETURN_IF_ERROR(Plan());
  HONE_RETURN_IF_ERROR(WriteFloats());
  if (!all_bf16()) {
    if (!NeedsTexts(rounding_)) {
      HONE_RETURN_IF_ERROR(RoundToNearest());
    } else {
      HONE_RETURN_IF_ERROR(
          RoundLayers(&draft_, formats_, rounding_, pool_, [&](const LayerMatrix& matrix) {
            Count(static_cast<std::uint64_t>(matrix.n) * static_cast<std::uint64_t>(matrix.k));
          }));
    }
    HONE_RETURN_IF_ERROR(WriteTables());
  }
  draft_.SetQuantization(all_bf16() ? formats::QuantizationConfig{}
                                    : WordTargets(formats_, tables_, request_.embeddings));
  draft_.SetConfig("torch_dtype", all_bf16() ? "\"bfloat16\"" : "\"float32\"");
  draft_.SetConfig("dtype", "");
  return draft_.Bind();
}

}  // namespace

Format WrittenFormat(Format asked, int k) {
  return asked == Format::kInt4 && k % quant::kInt4Group != 0 ? Format::kInt8 : asked;
}

std::vector<std::string> RoundingNames() {
  std::vector<std::string> names;
  for (const auto& known : kRoundings) names.emplace_back(known.first);
  return names;
}

StatusOr<Rounding> ParseRounding(std::string_view name) {
  for (const auto& [known, rounding] : kRoundings) {
    if (name == known) return rounding;
  }
  return base::BadInput("unknown rounding \"", name, "\"; known are ",
                        base::Join(RoundingNames(), ", "));
}

Status QuantizeDraft(Draft* draft, const FormatRequest& formats, const RoundingOptions& rounding,
                     const QuantizeProgress& progress) {
  return DraftQuantizer(draft, formats, rounding, progress).Run();
}

Status QuantizeDirectory(env::FileSystem& files, const std::string& in, Format format,
                         const std::string& out, const QuantizeOptions& options,
                         const QuantizeProgress& progress) {
  if (format == Format::kF32) {
    return base::BadInput("f32 is the format of the source; expected bf16, int8 or int4");
  }
  HONE_ASSIGN_OR_RETURN(Draft draft, Draft::Open(files, in));
  RoundingOptions rounding{.method = options.method,
                           .threads = options.threads,
                           .smooth = options.smooth,
                           .isa = options.isa};
  Calibration calibration;
  if (NeedsTexts(rounding)) {
    if (options.calibrate.empty()) {
      return base::BadInput("gptq, awq, best and smoothing need texts: a file with one a line");
    }
    HONE_ASSIGN_OR_RETURN(const std::string texts, files.Read(options.calibrate, kMaxTextBytes));
    HONE_ASSIGN_OR_RETURN(const auto tokenizer, formats::OpenTokenizer(files, in));
    HONE_ASSIGN_OR_RETURN(calibration, MakeTextCalibration(texts, *tokenizer, draft.model(),
                                                           {.count = options.samples, .seed = 1}));
    rounding.calibration = &calibration;
  }
  HONE_RETURN_IF_ERROR(
      QuantizeDraft(&draft, {.all = format, .modules = {}, .embeddings = options.embeddings},
                    rounding, progress));
  return draft.Write(out, {.replace = options.replace,
                           .files = {},
                           .format = std::string(quant::NameOf(format)),
                           .omit = {}});
}

}  // namespace hone::compress
