#include "model/random_checkpoint.h"

#include <cmath>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/check.h"
#include "base/fnv1a.h"
#include "base/split_mix64.h"

namespace hone::model {
namespace {

using base::StatusOr;
using base::StrCat;
using formats::StoredMatrix;
using tensor::DType;
using tensor::Shape;
using tensor::TensorView;

// A config.json can ask for anything; XLM-R XL, with 3.5 billion weights one of the largest
// encoders published, fits.
constexpr std::uint64_t kMaxBytes = std::uint64_t{16} << 30;
constexpr double kDeviation = 0.02;

// The sum of four 16-bit uniforms is close enough to normal for weights nobody trained, and one
// random number makes one weight.
float Normalish(std::uint64_t bits) {
  const std::uint64_t sum =
      (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
  const double centred = static_cast<double>(sum) - 2.0 * 65535;
  return static_cast<float>(centred * (kDeviation * std::sqrt(3.0) / 65536.0));
}

class RandomCheckpoint final : public formats::Checkpoint {
 public:
  explicit RandomCheckpoint(std::uint64_t seed) : seed_(seed) {}

  bool Has(std::string_view) const override { return false; }
  std::vector<std::string> Names() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, entry] : tensors_) names.push_back(name);
    return names;
  }
  const TensorView* Find(std::string_view name) const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto known = tensors_.find(name);
    return known == tensors_.end() ? nullptr : &known->second.view;
  }
  bool HasMatrix(std::string_view) const override { return false; }

  StatusOr<TensorView> Tensor(std::string_view name, const Shape& shape) const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto known = tensors_.find(name);
    if (known != tensors_.end()) {
      HONE_CHECK(known->second.view.shape == shape);
      return known->second.view;
    }
    std::uint64_t elements = 1;
    for (const std::int64_t dim : shape.dims()) {
      HONE_CHECK(dim > 0);
      elements *= static_cast<std::uint64_t>(dim);  // config limits keep a product below 2^42
    }
    const std::uint64_t size = elements * sizeof(float);
    if (size > kMaxBytes - bytes_) {
      return base::OutOfResource("random weights: tensor \"", name, "\" ", shape.ToString(),
                                 " would take the model beyond ", kMaxBytes >> 30, " GiB");
    }
    bytes_ += size;
    Entry& entry = tensors_[std::string(name)];
    entry.values = base::AlignedBuffer(size);
    entry.view = {entry.values.data(), DType::kF32, shape};
    Fill(name, shape, elements, entry.values.As<float>());
    return entry.view;
  }

  StatusOr<StoredMatrix> Matrix(std::string_view module, int n, int k) const override {
    StoredMatrix matrix;
    matrix.name = std::string(module);
    matrix.n = n;
    matrix.k = k;
    HONE_ASSIGN_OR_RETURN(matrix.values, Tensor(StrCat(module, ".weight"), {n, k}));
    return matrix;
  }

  std::uint64_t bytes() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return bytes_;
  }
  void DropPages(const TensorView&) const override {}  // no file to read them from again

 private:
  struct Entry {
    base::AlignedBuffer values;
    TensorView view;
  };

  // A norm's gain lies around 1, as in a trained model; everything else around 0.
  void Fill(std::string_view name, const Shape& shape, std::uint64_t count, float* out) const {
    base::SplitMix64 random(base::Fnv1a(name, base::kFnv1aBasis ^ seed_));  // a stream of its own
    const float centre = shape.rank() == 1 && name.ends_with(".weight") ? 1.0f : 0.0f;
    for (std::uint64_t i = 0; i < count; ++i) out[i] = centre + Normalish(random.Next());
  }

  const std::uint64_t seed_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Entry, std::less<>> tensors_;
  mutable std::uint64_t bytes_ = 0;
};

}  // namespace

std::shared_ptr<const formats::Checkpoint> MakeRandomCheckpoint(std::uint64_t seed) {
  return std::make_shared<RandomCheckpoint>(seed);
}

}  // namespace hone::model
