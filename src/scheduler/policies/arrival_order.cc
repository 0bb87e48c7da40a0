#include "scheduler/policies/arrival_order.h"

#include <algorithm>
#include <cstddef>

#include "scheduler/plan_ahead.h"

namespace hone::scheduler {
bool CameBefore(const Item& a, const Item& b) {
  return a.arrival != b.arrival ? a.arrival < b.arrival : a.id < b.id;
}

bool MayRun(const View& view, int model) {
  const auto index = static_cast<std::size_t>(model);
  if (view.queues[index].empty()) return false;
  if (ChooseRung(view.setup.models[index], 0, PlanRung::kMostAccurate) < 0) return false;
  int running = 0;
  for (const Executor& executor : view.setup.executors) {
    running += executor.busy && executor.model == model;
  }
  return running < view.setup.models[index].max_executors;
}

const Item* OldestItem(const View& view, int model) {
  if (!MayRun(view, model)) return nullptr;
  const std::vector<Item>& queue = view.queues[static_cast<std::size_t>(model)];
  const Item* oldest = &queue.front();
  for (const Item& item : queue) {
    if (CameBefore(item, *oldest)) oldest = &item;
  }
  return oldest;
}

Decision BatchByArrival(const View& view, int executor, int model) {
  const Model& served = view.setup.models[static_cast<std::size_t>(model)];
  const int width = view.setup.executors[static_cast<std::size_t>(executor)].width;
  Decision decision;
  decision.model = model;
  decision.rung = ChooseRung(served, width, PlanRung::kMostAccurate);
  const planner::LatencyTable& table =
      served.rungs[static_cast<std::size_t>(decision.rung)].tables[static_cast<std::size_t>(width)];
  std::vector<const Item*> waiting;
  for (const Item& item : view.queues[static_cast<std::size_t>(model)]) waiting.push_back(&item);
  const auto most = std::min(waiting.size(), static_cast<std::size_t>(served.max_texts));
  std::partial_sort(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(most),
                    waiting.end(), [](const Item* a, const Item* b) { return CameBefore(*a, *b); });
  waiting.resize(most);
  int texts = 0, tokens = 0;
  for (const Item* item : waiting) {
    texts += item->texts;
    tokens += item->tokens;
    const bool fits = texts <= served.max_texts && tokens <= served.max_tokens &&
                      table.Predict(texts, tokens) <= view.setup.max_batch_ns;
    if (!fits && !decision.items.empty()) break;
    decision.items.push_back(item->id);
  }
  return decision;
}

}  // namespace hone::scheduler
