#include "compress/tensor_plan.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/check.h"
#include "formats/packed_int4.h"
#include "quant/int4.h"
#include "quant/int8.h"
#include "tensor/tensor.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;
using formats::ByteSink;
using formats::TensorToWrite;
using tensor::DType;
using tensor::TensorView;

// Elements converted at a time: the buffers stay in the cache.
constexpr std::int64_t kChunk = 16384;

// What the producers need to know of the source, beside the tensor.
struct Origin {
  const formats::Checkpoint* source;
  std::string file;
  std::string tensor;
};

bool IsFloat(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kF16 ||
         dtype == DType::kBF16;
}

Status CheckFinite(std::span<const float> values, const Origin& origin, std::int64_t first) {
  const auto bad = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
  if (bad == values.end()) return base::OkStatus();
  return base::BadInput(
      origin.file, ": tensor \"", origin.tensor, "\" has ",
      std::isnan(*bad) ? "a NaN" : "an infinity", " at element ",
      base::WithCommas(static_cast<std::uint64_t>(first + (bad - values.begin()))),
      "; expected finite weights");
}

template <typename T>
std::span<const std::byte> BytesOf(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

// Widens the tensor chunk by chunk and gives convert(chunk) to the sink.
template <typename Convert>
Status ProduceConverted(const TensorView& view, const Origin& origin, const ByteSink& sink,
                        Convert convert) {
  std::vector<float> chunk;
  const std::int64_t elements = view.shape.elements();
  for (std::int64_t first = 0; first < elements; first += kChunk) {
    chunk.resize(static_cast<std::size_t>(std::min(kChunk, elements - first)));
    tensor::CopyToF32(view, first, chunk);
    HONE_RETURN_IF_ERROR(CheckFinite(chunk, origin, first));
    HONE_RETURN_IF_ERROR(sink(convert(chunk)));
  }
  origin.source->DropPages(view);
  return base::OkStatus();
}

// A float tensor in another float type.
TensorToWrite PlanFloat(const TensorView& view, DType dtype, Origin origin) {
  TensorToWrite plan{origin.tensor, dtype, view.shape, {}};
  plan.produce = [view, dtype, origin = std::move(origin)](const ByteSink& sink) {
    std::vector<std::uint16_t> half;
    return ProduceConverted(
        view, origin, sink, [&](const std::vector<float>& chunk) -> std::span<const std::byte> {
          if (dtype == DType::kF32) return BytesOf(chunk);
          half.resize(chunk.size());
          std::ranges::transform(chunk, half.begin(),
                                 dtype == DType::kF16 ? tensor::F16FromF32 : tensor::BF16FromF32);
          return BytesOf(half);
        });
  };
  return plan;
}

// Integers and booleans, as they are.
TensorToWrite PlanCopy(const TensorView& view, const Origin& origin) {
  return {origin.tensor, view.dtype, view.shape, [view](const ByteSink& sink) {
            return sink({view.data, view.bytes()});
          }};
}

// Whether every value of an embedding survives as F16 (magnitudes below 65,520).
bool FitsF16(const TensorView& view) {
  std::vector<float> chunk;
  for (std::int64_t first = 0; first < view.shape.elements(); first += kChunk) {
    chunk.resize(static_cast<std::size_t>(std::min(kChunk, view.shape.elements() - first)));
    tensor::CopyToF32(view, first, chunk);
    if (std::ranges::any_of(chunk, [](float x) { return std::abs(x) >= 65520.0f; })) return false;
  }
  return true;
}

// A whole matrix in f32, checked.
StatusOr<std::vector<float>> Widen(const TensorView& view, const Origin& origin) {
  std::vector<float> values(static_cast<std::size_t>(view.shape.elements()));
  tensor::CopyToF32(view, 0, values);
  HONE_RETURN_IF_ERROR(CheckFinite(values, origin, 0));
  origin.source->DropPages(view);
  return values;
}

StatusOr<quant::Int8Matrix> ToInt8(const TensorView& view, const Origin& origin,
                                   base::ThreadPool& pool) {
  HONE_ASSIGN_OR_RETURN(const std::vector<float> weights, Widen(view, origin));
  const auto k = static_cast<std::size_t>(view.shape[1]);
  quant::Int8Matrix matrix{static_cast<int>(view.shape[0]), static_cast<int>(k), {}, {}};
  matrix.values.resize(weights.size());
  matrix.scale.resize(static_cast<std::size_t>(matrix.n));
  pool.ParallelFor(matrix.n, [&](int row, int) {
    const auto r = static_cast<std::size_t>(row);
    matrix.scale[r] =
        quant::QuantizeInt8Row(std::span<const float>(weights).subspan(r * k, k),
                               std::span<std::int8_t>(matrix.values).subspan(r * k, k));
  });
  return matrix;
}

// weight and weight_scale lie far apart in the file (widest elements first), so each producer
// quantises for itself: twice a cheap rounding instead of all matrices in memory.
void PlanInt8(const std::string& module, const TensorView& view, const Origin& origin,
              base::ThreadPool& pool, std::vector<TensorToWrite>* plans) {
  plans->push_back(
      {module + ".weight", DType::kI8, view.shape, [=, &pool](const ByteSink& sink) -> Status {
         HONE_ASSIGN_OR_RETURN(const quant::Int8Matrix matrix, ToInt8(view, origin, pool));
         return sink(BytesOf(matrix.values));
       }});
  plans->push_back({module + ".weight_scale",
                    DType::kF32,
                    {view.shape[0], 1},
                    [=, &pool](const ByteSink& sink) -> Status {
                      HONE_ASSIGN_OR_RETURN(const quant::Int8Matrix matrix,
                                            ToInt8(view, origin, pool));
                      return sink(BytesOf(matrix.scale));
                    }});
}

StatusOr<formats::PackedInt4> ToInt4(const TensorView& view, const Origin& origin,
                                     base::ThreadPool& pool) {
  HONE_ASSIGN_OR_RETURN(const std::vector<float> weights, Widen(view, origin));
  quant::Int4Matrix matrix;
  matrix.n = static_cast<int>(view.shape[0]);
  matrix.k = static_cast<int>(view.shape[1]);
  const auto n = static_cast<std::size_t>(matrix.n), k = static_cast<std::size_t>(matrix.k);
  const auto bytes = static_cast<std::size_t>(quant::Int4RowBytes(matrix.k));
  const auto groups = static_cast<std::size_t>(quant::Int4Groups(matrix.k));
  matrix.nibbles.resize(n * bytes);
  matrix.group_scale.resize(n * groups);
  matrix.group_zero.resize(n * groups);
  matrix.scale.resize(n);
  pool.ParallelFor(matrix.n, [&](int row, int) {
    const auto r = static_cast<std::size_t>(row);
    matrix.scale[r] =
        quant::QuantizeInt4Row(std::span<const float>(weights).subspan(r * k, k),
                               std::span(matrix.nibbles).subspan(r * bytes, bytes),
                               std::span(matrix.group_scale).subspan(r * groups, groups),
                               std::span(matrix.group_zero).subspan(r * groups, groups));
  });
  return formats::PackInt4(matrix);
}

// The three parts that need the search lie beside each other in the file (same width, names in
// order), so one of them quantises for all and the last one frees the result.
void PlanInt4(const std::string& module, const TensorView& view, const Origin& origin,
              base::ThreadPool& pool, std::vector<TensorToWrite>* plans) {
  const std::int64_t n = view.shape[0], k = view.shape[1];
  const std::int64_t groups = quant::Int4Groups(static_cast<int>(k));
  struct Shared {
    std::optional<formats::PackedInt4> packed;
    int uses_left = 3;
  };
  const auto shared = std::make_shared<Shared>();
  const auto part = [=, &pool](auto member) {
    return [=, &pool](const ByteSink& sink) -> Status {
      if (!shared->packed) {
        HONE_ASSIGN_OR_RETURN(shared->packed, ToInt4(view, origin, pool));
      }
      const Status status = sink(BytesOf((*shared->packed).*member));
      if (--shared->uses_left == 0) shared->packed.reset();
      return status;
    };
  };
  plans->push_back({module + ".weight_packed",
                    DType::kI32,
                    {n, (k + 7) / 8},
                    part(&formats::PackedInt4::values)});
  plans->push_back(
      {module + ".weight_scale", DType::kF32, {n, groups}, part(&formats::PackedInt4::scale)});
  plans->push_back({module + ".weight_zero_point",
                    DType::kI32,
                    {(n + 7) / 8, groups},
                    part(&formats::PackedInt4::zero)});
  plans->push_back({module + ".weight_shape", DType::kI64, {2}, [n, k](const ByteSink& sink) {
                      const std::vector<std::int64_t> shape = {n, k};
                      return sink(BytesOf(shape));
                    }});
}

}  // namespace

StatusOr<std::vector<TensorToWrite>> PlanTensors(const PlanRequest& request) {
  constexpr std::string_view kWeight = ".weight";
  std::vector<TensorToWrite> plans;
  for (const std::string& name : request.source.Names()) {
    const TensorView* view = request.source.Find(name);
    HONE_CHECK(view != nullptr);
    const Origin origin{&request.source, request.source_name, name};
    const bool is_weight = name.ends_with(kWeight);
    const std::string module = is_weight ? name.substr(0, name.size() - kWeight.size()) : "";
    if (is_weight && request.quantized.contains(module)) {
      HONE_CHECK(view->shape.rank() == 2 && IsFloat(view->dtype));
      if (request.format == quant::Format::kInt8) {
        PlanInt8(module, *view, origin, request.pool, &plans);
      } else {
        PlanInt4(module, *view, origin, request.pool, &plans);
      }
    } else if (!IsFloat(view->dtype)) {
      plans.push_back(PlanCopy(*view, origin));
    } else if (request.format == quant::Format::kBF16) {
      plans.push_back(PlanFloat(*view, DType::kBF16, origin));
    } else if (request.embeddings.contains(name) && FitsF16(*view)) {
      plans.push_back(PlanFloat(*view, DType::kF16, origin));
    } else {
      plans.push_back(PlanFloat(*view, DType::kF32, origin));
    }
  }
  return plans;
}

}  // namespace hone::compress
