#include <initializer_list>

#include "base/strings.h"
#include "server/http/http_server.h"

namespace hone::server {

std::string PrometheusText(const HttpCounters& counters) {
  struct Line {
    const char *name, *type, *help;
    std::int64_t value;
  };
  std::string text;
  for (const Line& line : std::initializer_list<Line>{
           {"hone_http_connections_total", "counter", "Connections accepted.",
            counters.connections},
           {"hone_http_connections_open", "gauge", "Connections open now.", counters.open},
           {"hone_http_requests_total", "counter", "Requests read whole.", counters.requests},
           {"hone_http_rejected_total", "counter",
            "Connections and requests that the front itself refused.", counters.rejected},
           {"hone_http_received_bytes_total", "counter", "Bytes received.", counters.bytes_in},
           {"hone_http_sent_bytes_total", "counter", "Bytes sent.", counters.bytes_out}}) {
    base::StrAppend(&text, "# HELP ", line.name, " ", line.help, "\n# TYPE ", line.name, " ",
                    line.type, "\n", line.name, " ", line.value, "\n");
  }
  return text;
}

}  // namespace hone::server
