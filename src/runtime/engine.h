// Engine: where a model runs. LocalEngine (local_engine.h) is this machine's processor.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(auto model, model::Model::Open(env::RealFileSystem(), "minilm"));
//   HONE_ASSIGN_OR_RETURN(auto engine, runtime::LocalEngine::Load(model, {.threads = 2}));
//   HONE_RETURN_IF_ERROR(engine->Check(batch));            // outside input: ids, lengths
//   engine->Forward(engine->all_layers(), batch, hidden);  // cannot fail; warm, allocates nothing
//   engine->ApplyHead(0, batch, hidden, mask_id, &rows);
//
// Thread-safety  one caller at a time; it uses threads() threads inside.
// Numerics       the same text gives the same bits in any batch and for any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "runtime/batch.h"

namespace hone::runtime {

class Engine {
 public:
  virtual ~Engine() = default;

  virtual LayerRange all_layers() const = 0;
  virtual int width() const = 0;  // D
  virtual int threads() const = 0;

  // Ids, types and lengths within the model's limits, begins ascending from 0 to T, no empty text.
  virtual base::Status Check(const Batch& batch) const = 0;

  // hidden [T,D]: read where range.begin > 0, always written; fastest where it begins a cache line
  // (base::AlignedVector). CHECKs its size.
  virtual void Forward(LayerRange range, const Batch& batch, std::span<float> hidden) = 0;

  // Output `index` of the head over hidden [T,D]: `out` becomes [rows, width], rows in text order.
  virtual void ApplyHead(int index, const Batch& batch, std::span<const float> hidden,
                         std::int32_t mask_id, std::vector<float>* out) = 0;
};

}  // namespace hone::runtime
