#include "train/state.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/json.h"
#include "formats/safetensors.h"
#include "formats/safetensors_writer.h"

namespace hone::train {
namespace {

using base::Status;
using base::StatusOr;
using base::StrCat;
using formats::TensorToWrite;

constexpr std::string_view kKey = "hone.training";

TensorToWrite ToWrite(std::string name, const at::Tensor& tensor) {
  std::vector<std::int64_t> dims(tensor.sizes().begin(), tensor.sizes().end());
  return {std::move(name), tensor::DType::kF32, tensor::Shape(std::span<const std::int64_t>(dims)),
          [tensor](const formats::ByteSink& sink) {
            const at::Tensor values = tensor.detach().contiguous();
            return sink({static_cast<const std::byte*>(values.data_ptr()),
                         static_cast<std::size_t>(values.nbytes())});
          }};
}

std::string Text(const RunState& state) {
  base::JsonWriter json;
  json.BeginObject().Key("request").String(state.request);
  json.Key("step").Int(state.step).Key("steps").Int(state.steps);
  json.Key("seconds").Double(state.seconds).Key("smoothed_loss").Double(state.smoothed_loss);
  json.Key("best").Double(state.best).Key("last").Double(state.last);
  json.Key("best_step").Int(state.best_step).Key("worse_in_a_row").Int(state.worse_in_a_row);
  json.Key("finished").Bool(state.finished).Key("evaluations").BeginArray();
  for (const auto& [step, value] : state.evaluations) {
    json.BeginArray().Int(step).Double(value).EndArray();
  }
  return json.EndArray().EndObject().Take();
}

// NaN is null in JSON.
StatusOr<double> NumberOrNan(const base::JsonValue& object, std::string_view name) {
  return object.DoubleOr(name, std::numeric_limits<double>::quiet_NaN());
}

StatusOr<RunState> Parse(std::string_view text, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  const base::JsonValue root = json.root();
  RunState state;
  HONE_ASSIGN_OR_RETURN(const std::string_view request, root.StringOr("request", ""));
  state.request = std::string(request);
  HONE_ASSIGN_OR_RETURN(state.step, root.IntOr("step", 0));
  HONE_ASSIGN_OR_RETURN(state.steps, root.IntOr("steps", 0));
  HONE_ASSIGN_OR_RETURN(state.seconds, root.DoubleOr("seconds", 0));
  HONE_ASSIGN_OR_RETURN(state.smoothed_loss, NumberOrNan(root, "smoothed_loss"));
  HONE_ASSIGN_OR_RETURN(state.best, NumberOrNan(root, "best"));
  HONE_ASSIGN_OR_RETURN(state.last, NumberOrNan(root, "last"));
  HONE_ASSIGN_OR_RETURN(state.best_step, root.IntOr("best_step", -1));
  HONE_ASSIGN_OR_RETURN(const std::int64_t worse, root.IntOr("worse_in_a_row", 0));
  state.worse_in_a_row = static_cast<int>(worse);
  HONE_ASSIGN_OR_RETURN(state.finished, root.BoolOr("finished", false));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue evaluations, root.Get("evaluations"));
  for (const base::JsonValue entry : evaluations) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue first, entry.At(0));
    HONE_ASSIGN_OR_RETURN(const base::JsonValue second, entry.At(1));
    HONE_ASSIGN_OR_RETURN(const std::int64_t step, first.Int());
    double value = std::numeric_limits<double>::quiet_NaN();
    if (second.IsNumber()) value = *second.Double();
    state.evaluations.emplace_back(step, value);
  }
  return state;
}

// Copies a tensor of the file into `to`.
Status CopyInto(std::span<const std::byte> file, const formats::SafetensorsHeader& header,
                const std::string& name, const std::string& path, at::Tensor to) {
  for (const formats::SafetensorsEntry& entry : header.tensors) {
    if (entry.name != name) continue;
    if (entry.dtype != tensor::DType::kF32 ||
        entry.end - entry.begin != static_cast<std::uint64_t>(to.nbytes())) {
      return base::BadInput(path, ": tensor \"", name, "\" has another shape than the model's");
    }
    const c10::NoGradGuard no_gradients;
    std::memcpy(to.data_ptr(), file.data() + entry.begin,
                static_cast<std::size_t>(entry.end - entry.begin));
    return base::OkStatus();
  }
  return base::BadInput(path, ": has no tensor \"", name, "\"");
}

}  // namespace

std::string StateDirectory(const std::string& out) {
  std::string directory = out;
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return directory + ".training";
}

std::string StatePath(const std::string& out) {
  return env::JoinPath(StateDirectory(out), "state.safetensors");
}

Status WriteState(env::FileSystem& files, const std::string& path, const RunState& state,
                  const std::vector<Parameter>& parameters, const AdamW& adam) {
  std::vector<TensorToWrite> tensors;
  for (const Parameter& parameter : parameters) {
    tensors.push_back(ToWrite(StrCat("weight/", parameter.name), parameter.value));
  }
  for (const Moments& moments : adam.moments()) {
    tensors.push_back(ToWrite(StrCat("first/", moments.name), moments.first));
    tensors.push_back(ToWrite(StrCat("second/", moments.name), moments.second));
  }
  const std::vector<std::pair<std::string, std::string>> metadata = {
      {std::string(kKey), Text(state)}};
  return formats::WriteSafetensors(files, path, std::move(tensors), metadata);
}

StatusOr<RunState> ReadRunState(env::FileSystem& files, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(const auto file, files.Map(path));
  HONE_ASSIGN_OR_RETURN(const auto header, formats::ParseSafetensors(file->bytes(), path));
  for (const auto& [key, text] : header.metadata) {
    if (key == kKey) return Parse(text, path);
  }
  return base::BadInput(path, ": is no state of a training run");
}

Status RestoreTensors(env::FileSystem& files, const std::string& path, std::int64_t steps,
                      const std::vector<Parameter>& parameters, AdamW* adam) {
  HONE_ASSIGN_OR_RETURN(const auto file, files.Map(path));
  HONE_ASSIGN_OR_RETURN(const auto header, formats::ParseSafetensors(file->bytes(), path));
  for (const Parameter& parameter : parameters) {
    HONE_RETURN_IF_ERROR(
        CopyInto(file->bytes(), header, StrCat("weight/", parameter.name), path, parameter.value));
  }
  std::vector<Moments> moments;
  for (const Moments& now : adam->moments()) {
    Moments then{now.name, at::empty_like(now.first), at::empty_like(now.second)};
    HONE_RETURN_IF_ERROR(
        CopyInto(file->bytes(), header, StrCat("first/", now.name), path, then.first));
    HONE_RETURN_IF_ERROR(
        CopyInto(file->bytes(), header, StrCat("second/", now.name), path, then.second));
    moments.push_back(std::move(then));
  }
  return adam->Restore(moments, steps);
}

}  // namespace hone::train
