// How much a query's answer will be and take, known before anything is computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/head.h"
#include "server/query.h"

namespace hone::server {

// Rows of a head output that belong to the text of these ids: one, one a token, or one a mask.
std::size_t RowsOf(model::Rows rows, std::span<const std::int32_t> ids, std::int32_t mask_id);

// Bytes of the numbers in the reply. Fill-mask makes them many: a row of the whole vocabulary a mask.
std::uint64_t AnswerBytes(const Query& query);

// Tokens of the text as latency tables count them. A mask counts as one more: it costs the head a product with
// the whole vocabulary, about as much as the layers of a small encoder take for a token (MiniLM-L6: 11.7 and
// 10.6 million multiply-adds), and tables are measured without masks.
int WorkTokens(const Endpoint& endpoint, const text::Encoding& text);

}  // namespace hone::server
