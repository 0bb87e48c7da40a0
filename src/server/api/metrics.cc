#include "server/api/metrics.h"

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/strings.h"
#include "base/version.h"

namespace hone::server {
namespace {

using base::StrAppend;
using base::StrCat;

// A label's value: backslash, quote and line feed are escaped.
std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Label(std::string_view name, std::string_view value) {
  return StrCat(name, "=\"", Escape(value), "\"");
}

class Page {
 public:
  void Metric(std::string_view name, std::string_view type, std::string_view help) {
    StrAppend(&out_, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
  }
  template <typename Number>
  void Sample(std::string_view name, std::string_view labels, Number value) {
    StrAppend(&out_, name);
    if (!labels.empty()) StrAppend(&out_, "{", labels, "}");
    StrAppend(&out_, " ", value, "\n");
  }
  void Buckets(std::string_view name, std::string_view labels, const Histogram& histogram) {
    const std::string bucket = StrCat(name, "_bucket"), comma = labels.empty() ? "" : ",";
    std::int64_t below = 0;
    for (std::size_t i = 0; i < histogram.bounds_ms.size(); ++i) {
      below += histogram.counts[i];
      const std::string le = StrCat(histogram.bounds_ms[i] / 1e3);
      Sample(bucket, StrCat(labels, comma, Label("le", le)), below);
    }
    if (!histogram.counts.empty()) below += histogram.counts.back();
    Sample(bucket, StrCat(labels, comma, Label("le", "+Inf")), below);
    Sample(StrCat(name, "_sum"), labels, histogram.sum_ms / 1e3);
    Sample(StrCat(name, "_count"), labels, below);
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string ModelLabel(const ModelStatus& model) {
  return Label("model", model.endpoint->name);
}

void WriteCounters(const ServiceStatus& status, Page* page) {
  page->Metric("hone_requests_total", "counter",
               "Requests by what became of them; missed: accepted, and late all the same.");
  for (const ModelStatus& model : status.models) {
    const Counters& c = model.counters;
    const auto sample = [&](std::string_view outcome, std::int64_t value) {
      page->Sample("hone_requests_total", StrCat(ModelLabel(model), ",", Label("outcome", outcome)),
                   value);
    };
    sample("accepted", c.accepted);
    sample("answered", c.answered);
    sample("refused", c.refused);
    sample("missed", c.missed);
    sample("cancelled", c.cancelled);
    sample("failed", c.failed);
  }
  struct Total {
    std::string_view name, help;
    std::function<double(const Counters&)> value;
  };
  const Total totals[] = {
      {"hone_texts_total", "Texts computed.", [](const Counters& c) { return double(c.texts); }},
      {"hone_tokens_total", "Tokens computed.", [](const Counters& c) { return double(c.tokens); }},
      {"hone_batches_total", "Batches run.", [](const Counters& c) { return double(c.batches); }},
      {"hone_compute_seconds_total", "Time that executors computed.",
       [](const Counters& c) { return c.busy_s; }},
  };
  for (const Total& total : totals) {
    page->Metric(total.name, "counter", total.help);
    for (const ModelStatus& model : status.models) {
      const double value = total.value(model.counters);
      if (value == static_cast<double>(static_cast<std::int64_t>(value))) {
        page->Sample(total.name, ModelLabel(model), static_cast<std::int64_t>(value));
      } else {
        page->Sample(total.name, ModelLabel(model), value);
      }
    }
  }
}

void WriteHistograms(const ServiceStatus& status, Page* page) {
  struct Kind {
    std::string_view name, help;
    Histogram ModelStatus::*histogram;
  };
  const Kind kinds[] = {
      {"hone_queue_seconds", "From a request's arrival to the start of its batch.",
       &ModelStatus::queue},
      {"hone_batch_seconds", "Computing, of a request's batches.", &ModelStatus::compute},
      {"hone_request_seconds", "From a request's arrival to its answer.", &ModelStatus::total},
  };
  for (const Kind& kind : kinds) {
    page->Metric(kind.name, "histogram", kind.help);
    for (const ModelStatus& model : status.models) {
      page->Buckets(kind.name, ModelLabel(model), model.*kind.histogram);
    }
  }
}

void WriteRungs(const ServiceStatus& status, Page* page) {
  const auto each = [&](const auto& visit) {
    for (const ModelStatus& model : status.models) {
      for (const RungInfo& rung : model.rungs) {
        visit(rung, StrCat(ModelLabel(model), ",", Label("rung", rung.name)));
      }
    }
  };
  page->Metric("hone_rung_texts_total", "counter", "Texts that each rung computed.");
  each([&](const RungInfo& r, const std::string& labels) {
    page->Sample("hone_rung_texts_total", labels, r.served);
  });
  page->Metric("hone_rung_loads_total", "counter",
               "Times that the rung was loaded for the memory budget.");
  each([&](const RungInfo& r, const std::string& labels) {
    page->Sample("hone_rung_loads_total", labels, r.loads);
  });
  page->Metric("hone_rung_evictions_total", "counter", "Times that it left memory for another.");
  each([&](const RungInfo& r, const std::string& labels) {
    page->Sample("hone_rung_evictions_total", labels, r.evictions);
  });
  page->Metric("hone_rung_state", "gauge", "1 for the state that the rung is in.");
  each([&](const RungInfo& r, const std::string& labels) {
    page->Sample("hone_rung_state", StrCat(labels, ",", Label("state", NameOf(r.state))), 1);
  });
  page->Metric("hone_rung_bytes", "gauge", "Packed weights of the rung.");
  each([&](const RungInfo& r, const std::string& labels) {
    page->Sample("hone_rung_bytes", labels, r.bytes);
  });
}

}  // namespace

std::string WriteMetrics(const ServiceStatus& status) {
  Page page;
  page.Metric("hone_build_info", "gauge", "The version that runs, and its policy.");
  page.Sample("hone_build_info",
              StrCat(Label("version", base::kVersion), ",", Label("policy", status.policy)), 1);
  page.Metric("hone_model_ready", "gauge", "Whether some rung of the model can answer.");
  for (const ModelStatus& model : status.models) {
    page.Sample("hone_model_ready", ModelLabel(model), model.ready ? 1 : 0);
  }
  WriteCounters(status, &page);
  WriteHistograms(status, &page);
  WriteRungs(status, &page);
  page.Metric("hone_queued", "gauge",
              "Items that wait for an executor, and requests that wait for a rung.");
  page.Sample("hone_queued", "", status.queued);
  page.Metric("hone_resident_bytes", "gauge", "Packed weights in memory.");
  page.Sample("hone_resident_bytes", "", status.resident_bytes);
  page.Metric("hone_memory_limit_bytes", "gauge", "What packed weights may take; 0: no limit.");
  page.Sample("hone_memory_limit_bytes", "", status.memory_bytes);
  page.Metric("hone_executor_threads", "gauge", "Threads of each executor in force.");
  for (std::size_t i = 0; i < status.executors.size(); ++i) {
    page.Sample("hone_executor_threads", Label("executor", StrCat(i)), status.executors[i]);
  }
  page.Metric("hone_reserve_seconds", "gauge",
              "What admission leaves over for predictions that are too good.");
  page.Sample("hone_reserve_seconds", "", status.reserve_ms / 1e3);
  return page.Take();
}

}  // namespace hone::server
