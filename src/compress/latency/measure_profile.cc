#include "compress/latency/measure_profile.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/check.h"
#include "bench/forward_bench.h"
#include "compress/latency/cost_fit.h"
#include "compress/latency/latency.h"
#include "env/clock.h"
#include "env/cpus.h"
#include "model/random_checkpoint.h"
#include "runtime/local_engine.h"

namespace hone::compress {
namespace {

using base::StatusOr;
using quant::Format;

// Shapes timed for each format: about twice the unknowns of a model with twelve heads.
constexpr int kSamples = 48;
constexpr int kRounds = 3;       // each shape is visited anew, so that no disturbance lasts for it
constexpr int kLeastPasses = 4;  // of each length at a visit
constexpr int kMostLayers = 6;   // more layers cost time and tell no more
// Knots of the fit: every third width of the grid, since neighbours differ by less than the noise.
constexpr std::size_t kGridStep = 3;

// Makes models of any shape: every matrix is a view of one buffer of random weights.
class ShapeMaker {
 public:
  ShapeMaker(const model::Model& like, int heads, int ffn) : like_(like) {
    const model::ModelConfig& config = like.config;
    const auto inner = static_cast<std::size_t>(std::max(heads * config.head_size, 2 * ffn));
    weights_.resize(inner * static_cast<std::size_t>(config.width));
    ones_.assign(std::max(inner, static_cast<std::size_t>(config.width)), 1.0f);
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0, 0.02f);
    for (float& weight : weights_) weight = normal(random);
    checkpoint_ = model::MakeRandomCheckpoint(1);
  }

  model::Model Make(const std::vector<std::pair<int, int>>& layers) const {
    model::Model model = like_;
    model.checkpoint = checkpoint_;
    model.config.layers.clear();
    model.weights.layers.clear();
    for (std::size_t l = 0; l < layers.size(); ++l) {
      model::LayerShape shape = like_.config.layers[l % like_.config.layers.size()];
      shape.heads = layers[l].first;
      shape.ffn = layers[l].second;
      model.config.layers.push_back(shape);
      model.weights.layers.push_back(MakeLayer(shape));
    }
    return model;
  }

 private:
  model::LayerWeights MakeLayer(const model::LayerShape& shape) const {
    const model::ModelConfig& config = like_.config;
    const int width = config.width, inner = shape.heads * config.head_size;
    const int up = config.gated_ffn ? 2 * shape.ffn : shape.ffn;
    model::LayerWeights layer;
    if (shape.heads > 0) {
      layer.query = MakeLinear("query", inner, width, config.attention_bias);
      layer.key = MakeLinear("key", inner, width, config.attention_bias);
      layer.value = MakeLinear("value", inner, width, config.attention_bias);
      layer.output = MakeLinear("output", width, inner, config.attention_bias);
    }
    if (shape.ffn > 0) {
      layer.up = MakeLinear("up", up, width, config.ffn_bias);
      layer.down = MakeLinear("down", width, shape.ffn, config.ffn_bias);
    }
    if (shape.attention_norm) layer.attention_norm = MakeNorm();
    layer.ffn_norm = MakeNorm();
    return layer;
  }

  model::Linear MakeLinear(const char* name, int n, int k, bool bias) const {
    model::Linear linear;
    linear.weight.name = name;
    linear.weight.n = n;
    linear.weight.k = k;
    linear.weight.values = View(weights_, {n, k});
    if (bias) linear.bias = View(weights_, {n});
    return linear;
  }

  model::Norm MakeNorm() const {
    model::Norm norm;
    norm.gain = View(ones_, {like_.config.width});
    if (like_.config.norm_bias) norm.bias = View(weights_, {like_.config.width});
    return norm;
  }

  static tensor::TensorView View(const std::vector<float>& values, tensor::Shape shape) {
    HONE_CHECK(shape.elements() <= static_cast<std::int64_t>(values.size()));
    return {reinterpret_cast<const std::byte*>(values.data()), tensor::DType::kF32, shape};
  }

  const model::Model& like_;
  std::vector<float> weights_, ones_;
  std::shared_ptr<const formats::Checkpoint> checkpoint_;
};

struct Shape {
  Format format = Format::kF32;
  std::vector<std::pair<int, int>> layers;
  std::vector<double> best_ms;  // of each length
};

// Shapes as compression makes them: a common scale, each layer around it, some blocks gone, and some
// models of fewer layers, which tell the fixed cost from that of a layer.
std::vector<Shape> SampleShapes(int heads, int ffn, int layers, const MeasureOptions& options) {
  std::vector<Shape> shapes;
  for (const Format format : options.formats) {
    std::mt19937_64 random(options.seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::normal_distribution<double> around(0, 0.2);
    const auto size = [&](double scale, int whole) {
      if (uniform(random) < 0.12) return 0;
      const double share = std::clamp(scale + around(random), 0.0, 1.0);
      return std::clamp(static_cast<int>(std::lround(share * whole)), whole > 0 ? 1 : 0, whole);
    };
    for (int i = 0; i < kSamples; ++i) {
      Shape& shape = shapes.emplace_back();
      shape.format = format;
      const int count = i % 4 == 3 ? 1 + static_cast<int>(uniform(random) * layers) : layers;
      const double scale = (i + uniform(random)) / kSamples;
      for (int l = 0; l < std::min(count, layers); ++l) {
        const int h = size(scale, heads);
        shape.layers.emplace_back(h, size(scale, ffn));
      }
    }
    Shape& whole = shapes.emplace_back();
    whole.format = format;
    whole.layers.assign(static_cast<std::size_t>(layers), {heads, ffn});
    // What nothing can be faster than.
    Shape& bare = shapes.emplace_back();
    bare.format = format;
    bare.layers.assign(static_cast<std::size_t>(layers), {0, 0});
  }
  return shapes;
}

std::vector<int> Knots(int ffn) {
  const std::vector<int> widths = FfnWidths(ffn);
  std::vector<int> knots = {0};
  for (std::size_t i = widths.size(); i-- > 1;) {
    if ((widths.size() - 1 - i) % kGridStep == 0 || i == 1) knots.push_back(widths[i]);
  }
  std::ranges::sort(knots);
  return knots;
}

base::Status Visit(const ShapeMaker& maker, Shape* shape, std::span<const std::vector<int>> batches,
                   const MeasureOptions& options, double visit_ms) {
  const model::Model model = maker.Make(shape->layers);
  HONE_ASSIGN_OR_RETURN(const auto engine,
                        runtime::LocalEngine::Load(model, {.format = shape->format,
                                                           .threads = options.workload.threads,
                                                           .isa = options.isa}));
  bench::ForwardPasses passes(*engine, static_cast<int>(model.head.outputs.size()),
                              model.config.vocabulary, batches);
  shape->best_ms.resize(batches.size(), 1e9);
  for (std::size_t b = 0; b < batches.size(); ++b) passes.Run(b);
  const std::int64_t start = env::NowNs();
  for (int pass = 0; pass < kLeastPasses || env::MsSince(start) < visit_ms; ++pass) {
    for (std::size_t b = 0; b < batches.size(); ++b) {
      shape->best_ms[b] = std::min(shape->best_ms[b], passes.Run(b));
    }
  }
  return base::OkStatus();
}

void AddFormat(std::span<const Shape> shapes, Format format, int heads, int ffn,
               MeasuredProfile* result) {
  std::vector<CostSample> samples;
  for (const Shape& shape : shapes) {
    if (shape.format != format) continue;
    double ms = 0;
    for (const double best : shape.best_ms) ms += best;
    samples.push_back({shape.layers, ms / static_cast<double>(shape.best_ms.size())});
  }
  const std::vector<int> knots = Knots(ffn);
  const FittedCosts costs = FitCosts(samples, heads, knots);
  DeviceProfile& profile = result->profile;
  profile.fixed.push_back({format, costs.fixed_ms});
  for (int h = 0; h <= heads; ++h) {
    profile.costs.push_back(
        {Block::kAttention, format, h, costs.attention_ms[static_cast<std::size_t>(h)]});
  }
  for (std::size_t k = 0; k < knots.size(); ++k) {
    profile.costs.push_back({Block::kFeedForward, format, knots[k], costs.ffn_ms[k]});
  }
  result->spread = std::max(result->spread, costs.spread);
}

}  // namespace

std::vector<int> FfnWidths(int ffn) {
  std::vector<int> widths = {0};
  for (double share = 1; share >= 0.009; share *= 0.9) {
    const int width = static_cast<int>(std::lround(ffn * share));
    if (width > 0) widths.push_back(width);
  }
  std::ranges::sort(widths);
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  return widths;
}

StatusOr<MeasuredProfile> MeasureProfile(const model::Model& model, const MeasureOptions& options,
                                         const std::function<void(double)>& progress) {
  HONE_CHECK(!options.formats.empty() && !options.workload.lengths.empty());
  const int limit = model.config.max_tokens;
  for (const int length : options.workload.lengths) {
    if (length < 1 || length > limit) {
      return base::BadInput("a text of ", length, " tokens: ", model.directory, " takes 1 to ",
                            limit);
    }
  }
  int heads = 0, ffn = 0;
  for (const model::LayerShape& layer : model.config.layers) {
    heads = std::max(heads, layer.heads);
    ffn = std::max(ffn, layer.ffn);
  }
  MeasuredProfile result;
  DeviceProfile& profile = result.profile;
  profile.processor = env::ProcessorName();
  profile.isa = base::IsaName(options.isa);
  profile.workload = options.workload;
  profile.workload.lengths = MiddleLengths(options.workload.lengths);
  profile.architecture = model.config.architecture;
  profile.width = model.config.width;
  profile.head_size = model.config.head_size;

  std::vector<std::vector<int>> batches;
  for (const int length : profile.workload.lengths) {
    batches.emplace_back(static_cast<std::size_t>(options.workload.batch), length);
  }
  const ShapeMaker maker(model, heads, ffn);
  std::vector<Shape> shapes = SampleShapes(
      heads, ffn, std::min(kMostLayers, std::max(model.config.layer_count(), 1)), options);
  const double visits = static_cast<double>(shapes.size()) * kRounds;
  // Half of the time goes into making the models.
  const double visit_ms = 0.5e3 * options.seconds / visits;
  const std::int64_t start = env::NowNs();
  double done = 0;
  for (int round = 0; round < kRounds; ++round) {
    // A first round is needed; further ones only where there is time.
    if (round > 0 && env::MsSince(start) > options.seconds * 1e3) break;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      // Formats take turns: shapes i, i + n, i + 2n, … are the same in each.
      const std::size_t per_format = shapes.size() / options.formats.size();
      Shape& shape = shapes[i % options.formats.size() * per_format + i / options.formats.size()];
      HONE_RETURN_IF_ERROR(Visit(maker, &shape, batches, options, visit_ms));
      if (progress) progress(++done / visits);
    }
  }
  for (const Format format : options.formats) AddFormat(shapes, format, heads, ffn, &result);
  return result;
}

}  // namespace hone::compress
