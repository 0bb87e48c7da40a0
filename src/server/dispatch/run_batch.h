// One ragged batch through an engine, and its rows handed out to the requests' texts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "runtime/local_engine.h"
#include "server/dispatch/request.h"
#include "server/endpoint.h"

namespace hone::server {

// Owns buffers that grow to the largest batch and then stay. Thread-safety: one caller at a time.
class BatchRunner {
 public:
  // Fills the results of every part's texts. `finite` of a part becomes false where its numbers are
  // NaN or infinite: the embeddings of its tokens may be.
  void Run(runtime::LocalEngine& engine, const Endpoint& endpoint, std::span<Part> parts);

 private:
  void LayOut(const Endpoint& endpoint, std::span<const Part> parts);
  void HandOut(const Endpoint& endpoint, std::int32_t mask_id, std::span<Part> parts);
  // The encoder's rows, to the queries that want those.
  void HandOutHidden(int width, std::span<Part> parts);

  std::vector<std::int32_t> ids_, types_, begins_;
  base::AlignedVector<float> hidden_;
  std::vector<std::vector<float>> outputs_;  // of the head
};

}  // namespace hone::server
