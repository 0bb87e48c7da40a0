#include "tests/support/tiny_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/fnv1a.h"
#include "base/json.h"
#include "base/split_mix64.h"
#include "env/file.h"

namespace hone::tests {
namespace {

using base::JsonValue;

constexpr std::size_t kStride = 7;  // STRIDE of tools/golden/model.py

base::Json ReadGolden() {
  const std::string path = HONE_SOURCE_DIR "/tests/golden/model/tiny.json";
  auto text = env::RealFileSystem().Read(path, 16 << 20);
  HONE_CHECK(text.ok());
  auto json = base::Json::Parse(*text, path);
  HONE_CHECK(json.ok());
  return *std::move(json);
}

std::string Text(const JsonValue& json, std::string_view name) {
  return std::string(*json.Get(name)->String());
}

template <typename T>
std::vector<T> Numbers(const JsonValue& list) {
  std::vector<T> out;
  for (const JsonValue item : list) out.push_back(static_cast<T>(*item.Double()));
  return out;
}

// The members of both; those of `over` win.
std::string Merge(const JsonValue& under, const JsonValue& over) {
  base::JsonWriter writer(1);
  writer.BeginObject();
  for (const JsonValue member : under) {
    if (!over.Find(member.key())) writer.Key(member.key()).Value(member);
  }
  for (const JsonValue member : over) writer.Key(member.key()).Value(member);
  return writer.EndObject().Take();
}

void AddTensor(const std::string& prefix, const std::string& name, const JsonValue& shape,
               TinyFolder* folder) {
  folder->tensors.push_back({prefix + name, name, Numbers<std::int64_t>(shape)});
}

// The encoder's tensors; "#" in a name stands for every layer's number.
void AddEncoder(const JsonValue& encoder, const std::string& prefix, bool pooler,
                TinyFolder* folder) {
  const JsonValue config = *encoder.Get("config");
  const auto layers = config.Find("n_layers") ? *config.Find("n_layers")->Int()
                                              : *config.Find("num_hidden_layers")->Int();
  for (const JsonValue tensor : JsonValue(*encoder.Get("tensors"))) {
    const std::string name(tensor.key());
    if (!pooler && name.starts_with("pooler.")) continue;
    const std::size_t mark = name.find('#');
    if (mark == std::string::npos) {
      AddTensor(prefix, name, tensor, folder);
      continue;
    }
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      AddTensor(prefix, base::StrCat(name.substr(0, mark), layer, name.substr(mark + 1)), tensor,
                folder);
    }
  }
}

std::vector<TinyCase> Cases(const JsonValue& encoder) {
  std::vector<TinyCase> cases;
  for (const JsonValue entry : JsonValue(*encoder.Get("cases"))) {
    TinyCase& tiny = cases.emplace_back();
    tiny.ids = Numbers<std::int32_t>(*entry.Get("ids"));
    if (const auto types = entry.Find("types")) tiny.types = Numbers<std::int32_t>(*types);
    tiny.hidden = Numbers<float>(*encoder.Get("hidden")->At(static_cast<int>(cases.size()) - 1));
  }
  return cases;
}

TinyModel WithHead(const JsonValue& encoder, const JsonValue& head) {
  TinyModel model;
  model.name = base::StrCat(Text(encoder, "name"), "/", Text(head, "name"));
  model.config_json = Merge(*encoder.Get("config"), *head.Get("config"));
  const std::string prefix = Text(head, "prefix");
  TinyFolder& own = model.folders.emplace_back();
  AddEncoder(encoder, prefix, *head.BoolOr("pooler", true), &own);
  for (const JsonValue tensor : JsonValue(*head.Get("tensors"))) {
    AddTensor("", std::string(tensor.key()), tensor, &own);
  }
  if (const auto files = head.Find("files")) {
    for (const JsonValue file : *files) {
      model.files.emplace_back(file.key(), base::JsonWriter(1).Value(file).Take());
    }
  }
  if (const auto folders = head.Find("folder_tensors")) {
    for (const JsonValue folder : *folders) {
      TinyFolder& added = model.folders.emplace_back();
      added.name = std::string(folder.key());
      for (const JsonValue tensor : folder) {
        AddTensor("", std::string(tensor.key()), tensor, &added);
      }
    }
  }
  model.cases = Cases(encoder);
  for (std::size_t i = 0; i < model.cases.size(); ++i) {
    for (const JsonValue output : JsonValue(*head.Get("outputs")->At(static_cast<int>(i)))) {
      model.cases[i].outputs.push_back({std::string(output.key()), Numbers<float>(output)});
    }
  }
  return model;
}

}  // namespace

std::vector<TinyModel> AllTinyModels() {
  const base::Json golden = ReadGolden();
  std::vector<TinyModel> models;
  for (const JsonValue encoder : JsonValue(*golden.root().Get("models"))) {
    // The bare encoder, as a class without a head is saved: no prefix.
    TinyModel bare;
    bare.name = base::StrCat(Text(encoder, "name"), "/Model");
    bare.config_json = base::JsonWriter(1).Value(*encoder.Get("config")).Take();
    AddEncoder(encoder, "", true, &bare.folders.emplace_back());
    bare.cases = Cases(encoder);
    models.push_back(std::move(bare));
    for (const JsonValue head : JsonValue(*encoder.Get("heads")))
      models.push_back(WithHead(encoder, head));
  }
  for (TinyModel& model : models) {
    model.mask_id = static_cast<std::int32_t>(*golden.root().Get("mask_id")->Int());
  }
  return models;
}

std::vector<float> TinyValues(std::string_view name, std::span<const std::int64_t> shape) {
  base::SplitMix64 random(base::Fnv1a(name));
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  const bool vector = shape.size() == 1;
  const bool table = name.find("embeddings.") != std::string_view::npos ||
                     name.find("relative_attention_bias") != std::string_view::npos;
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    // 16 bits: every value below is exact in f32.
    const float u = static_cast<float>(static_cast<int>(random.Next() >> 48) - 32768) / 32768.0f;
    if (vector) {
      values.push_back((name.ends_with(".weight") ? 1.0f : 0.0f) + u / 4);
    } else {
      values.push_back(table ? u : u / 4);
    }
  }
  return values;
}

std::string SafetensorsBytes(std::span<const TinyTensor> tensors,
                             std::span<const std::vector<float>> values) {
  base::JsonWriter header;
  header.BeginObject();
  std::string data;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto begin = static_cast<std::int64_t>(data.size());
    data.append(reinterpret_cast<const char*>(values[i].data()), values[i].size() * sizeof(float));
    header.Key(tensors[i].name).BeginObject().Key("dtype").String("F32").Key("shape").BeginArray();
    for (const std::int64_t dim : tensors[i].shape) header.Int(dim);
    header.EndArray().Key("data_offsets").BeginArray().Int(begin);
    header.Int(static_cast<std::int64_t>(data.size())).EndArray().EndObject();
  }
  const std::string json = header.EndObject().Take();
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(json.size() >> (8 * i) & 0xFF);
  return bytes + json + data;
}

std::string WriteTinyModel(const TinyModel& model, const std::string& parent) {
  env::FileSystem& files = env::RealFileSystem();
  std::string folder_name = model.name;
  std::replace(folder_name.begin(), folder_name.end(), '/', '_');
  std::string directory = env::JoinPath(parent, folder_name);
  const auto write = [&](const std::string& path, std::string_view bytes) {
    const std::string whole = env::JoinPath(directory, path);
    HONE_CHECK(files.MakeDirectory(whole.substr(0, whole.rfind('/'))).ok());
    HONE_CHECK(env::WriteFile(files, whole, bytes).ok());
  };
  HONE_CHECK(files.MakeDirectory(directory).ok());
  write("config.json", model.config_json);
  for (const auto& [path, text] : model.files) write(path, text);
  for (const TinyFolder& folder : model.folders) {
    std::vector<std::vector<float>> values;
    for (const TinyTensor& tensor : folder.tensors) {
      values.push_back(TinyValues(tensor.value, tensor.shape));
    }
    const std::string place = folder.name.empty() ? "" : folder.name + "/";
    write(place + "model.safetensors", SafetensorsBytes(folder.tensors, values));
  }
  return directory;
}

std::vector<float> KeepGolden(std::span<const float> values) {
  const std::size_t step = values.size() <= kStride ? 1 : kStride;
  std::vector<float> kept;
  for (std::size_t i = 0; i < values.size(); i += step) kept.push_back(values[i]);
  return kept;
}

void ExpectClose(std::span<const float> actual, std::span<const float> expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = 0;
  for (const float value : expected) largest = std::max(largest, std::abs(double{value}));
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance * largest) << what << ", kept value " << i;
  }
}

std::vector<int> GoldenRelativeBuckets() {
  const base::Json golden = ReadGolden();
  return Numbers<int>(*golden.root().Get("relative_buckets"));
}

}  // namespace hone::tests
