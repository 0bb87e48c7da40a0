// Tiny models of every architecture and head, with what the original implementations compute for
// them: the goldens of tests/golden/model/tiny.json (made by tools/golden/model.py), and a writer
// that turns each into a real model directory.
//
// Usage
//   for (const TinyModel& tiny : AllTinyModels()) {
//     const std::string directory = WriteTinyModel(tiny, testing::TempDir());
//     … Model::Open(env::RealFileSystem(), directory) …
//     for (const TinyCase& c : tiny.cases) {
//       … run c.ids and c.types …
//       ExpectClose(KeepGolden(hidden), c.hidden, 1e-5);
//       for (const TinyOutput& o : c.outputs) {
//         ExpectClose(KeepGolden(result of o.name), o.values, 1e-5);
//       }
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hone::tests {

struct TinyTensor {
  std::string name;   // in the file
  std::string value;  // what its values are made from: the name without the encoder's prefix
  std::vector<std::int64_t> shape;
};

struct TinyFolder {
  std::string name;  // "" for the model's own
  std::vector<TinyTensor> tensors;
};

struct TinyOutput {
  std::string name;           // of the HeadOutput: "logits", "embedding", "intent", "slots"
  std::vector<float> values;  // thinned by KeepGolden
};

struct TinyCase {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;  // empty: the model has none
  std::vector<float> hidden;        // the encoder's output [T,D], thinned by KeepGolden
  std::vector<TinyOutput> outputs;
};

struct TinyModel {
  std::string name;  // "bert/ForTokenClassification"
  std::string config_json;
  std::vector<std::pair<std::string, std::string>> files;  // further JSON files: path, text
  std::vector<TinyFolder> folders;                         // a model.safetensors each
  std::vector<TinyCase> cases;
  std::int32_t mask_id = 0;
};

std::vector<TinyModel> AllTinyModels();

// Writes the model into a folder of its own under `parent` and returns that folder's path.
std::string WriteTinyModel(const TinyModel& model, const std::string& parent);

// The values of a tensor, made from its name as tools/golden/model.py makes them.
std::vector<float> TinyValues(std::string_view name, std::span<const std::int64_t> shape);

// A safetensors file of f32 tensors; `values` gives each one's.
std::string SafetensorsBytes(std::span<const TinyTensor> tensors,
                             std::span<const std::vector<float>> values);

// What the goldens keep of a result: all of a short one, every 7th value of a longer one.
std::vector<float> KeepGolden(std::span<const float> values);

// Every |actual - expected| ≤ tolerance · max |expected|, and the sizes agree.
void ExpectClose(std::span<const float> actual, std::span<const float> expected, double tolerance,
                 const std::string& what);

// The bucket of each relative position from -200 to 200, by the original MPNet.
std::vector<int> GoldenRelativeBuckets();

}  // namespace hone::tests
