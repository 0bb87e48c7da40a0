#include "server/dispatch/answer_size.h"

#include <algorithm>

namespace hone::server {
namespace {

std::int32_t MaskOf(const Endpoint& endpoint) {
  return endpoint.tokenizer->mask_id().value_or(-1);
}

}  // namespace

std::size_t RowsOf(model::Rows rows, std::span<const std::int32_t> ids, std::int32_t mask_id) {
  switch (rows) {
    case model::Rows::kAll: return ids.size();
    case model::Rows::kMasked: return static_cast<std::size_t>(std::ranges::count(ids, mask_id));
    default: return 1;
  }
}

std::uint64_t AnswerBytes(const Query& query) {
  const Endpoint& endpoint = *query.endpoint;
  const std::int32_t mask_id = MaskOf(endpoint);
  std::uint64_t floats = 0;
  for (const text::Encoding& text : query.texts) {
    if (query.hidden) {
      floats += text.ids.size() * static_cast<std::uint64_t>(endpoint.width);
      continue;
    }
    for (const model::HeadOutput& output : endpoint.head.outputs) {
      floats += RowsOf(output.rows, text.ids, mask_id) * static_cast<std::uint64_t>(output.width);
    }
  }
  return floats * sizeof(float);
}

int WorkTokens(const Endpoint& endpoint, const text::Encoding& text) {
  std::size_t tokens = text.ids.size();
  for (const model::HeadOutput& output : endpoint.head.outputs) {
    if (output.rows == model::Rows::kMasked)
      tokens += RowsOf(output.rows, text.ids, MaskOf(endpoint));
  }
  return static_cast<int>(tokens);
}

}  // namespace hone::server
