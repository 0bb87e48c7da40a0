#include "server/dispatch/run_batch.h"

#include <algorithm>
#include <cmath>

#include "server/dispatch/answer_size.h"

namespace hone::server {
namespace {

// The rows as output `o` of the part's text i.
void Put(std::span<const float> rows, int width, std::size_t o, Part& part, int i) {
  TextResult& result = part.request->results[static_cast<std::size_t>(i)];
  if (result.outputs.size() <= o) result.outputs.resize(o + 1);
  result.outputs[o].width = width;
  result.outputs[o].values.assign(rows.begin(), rows.end());
  part.finite = part.finite && std::ranges::all_of(rows, [](float x) { return std::isfinite(x); });
}

}  // namespace

void BatchRunner::LayOut(const Endpoint& endpoint, std::span<const Part> parts) {
  ids_.clear();
  types_.clear();
  begins_.assign(1, 0);
  for (const Part& part : parts) {
    for (int i = part.begin; i < part.end; ++i) {
      const text::Encoding& text = part.request->query.texts[static_cast<std::size_t>(i)];
      ids_.insert(ids_.end(), text.ids.begin(), text.ids.end());
      types_.insert(types_.end(), text.types.begin(), text.types.end());
      types_.resize(ids_.size(), 0);  // a client's own ids may come without
      begins_.push_back(static_cast<std::int32_t>(ids_.size()));
    }
  }
  // A model with one token type (RoBERTa) takes pairs without telling them apart.
  if (endpoint.token_types < 2) types_.clear();
}

void BatchRunner::HandOut(const Endpoint& endpoint, std::int32_t mask_id, std::span<Part> parts) {
  const std::vector<model::HeadOutput>& heads = endpoint.head.outputs;
  for (std::size_t o = 0; o < heads.size(); ++o) {
    const auto width = static_cast<std::size_t>(heads[o].width);
    std::size_t text = 0;
    const float* row = outputs_[o].data();
    for (Part& part : parts) {
      for (int i = part.begin; i < part.end; ++i, ++text) {
        const auto begin = static_cast<std::size_t>(begins_[text]);
        const auto end = static_cast<std::size_t>(begins_[text + 1]);
        const std::size_t size =
            width * RowsOf(heads[o].rows, std::span(ids_).subspan(begin, end - begin), mask_id);
        if (!part.request->query.hidden) {
          Put({row, size}, heads[o].width, o, part, i);
        }
        row += size;
      }
    }
  }
}

void BatchRunner::HandOutHidden(int width, std::span<Part> parts) {
  std::size_t text = 0;
  for (Part& part : parts) {
    for (int i = part.begin; i < part.end; ++i, ++text) {
      if (!part.request->query.hidden) continue;
      const auto begin = static_cast<std::size_t>(begins_[text]);
      const auto end = static_cast<std::size_t>(begins_[text + 1]);
      const auto stride = static_cast<std::size_t>(width);
      Put(std::span(hidden_).subspan(begin * stride, (end - begin) * stride), width, 0, part, i);
    }
  }
}

void BatchRunner::Run(runtime::LocalEngine& engine, const Endpoint& endpoint,
                      std::span<Part> parts) {
  LayOut(endpoint, parts);
  const runtime::Batch batch{.ids = ids_, .types = types_, .begins = begins_};
  hidden_.resize(ids_.size() * static_cast<std::size_t>(engine.width()));
  engine.Forward(engine.all_layers(), batch, hidden_);
  const std::int32_t mask_id = endpoint.tokenizer->mask_id().value_or(-1);
  outputs_.resize(endpoint.head.outputs.size());
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    engine.ApplyHead(static_cast<int>(o), batch, hidden_, mask_id, &outputs_[o]);
  }
  HandOut(endpoint, mask_id, parts);
  HandOutHidden(engine.width(), parts);
}

}  // namespace hone::server
