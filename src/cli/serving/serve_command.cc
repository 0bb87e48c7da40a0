// hone serve: models behind HTTP and gRPC.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <limits>
#include <thread>

#include "cli/command.h"
#include "cli/serving/serve_flags.h"
#include "cli/table.h"
#include "env/clock.h"
#include "env/file.h"
#include "env/stop_signal.h"
#include "server/api/aside.h"
#include "server/api/routes.h"
#include "server/grpc/grpc_server.h"
#include "server/http/http_server.h"
#include "server/service.h"

namespace hone::cli {
namespace {

using server::HttpServer;
using server::ModelStatus;
using server::Service;
using server::ServiceStatus;

// Below the 10 s that container engines give a process between SIGTERM and SIGKILL.
constexpr double kDrainS = 8;
constexpr double kLastWordS = 0.5;  // of these, to tell who is not answered

std::string Address(std::string_view scheme, const std::string& host, int port) {
  const bool v6 = host.find(':') != std::string::npos;
  return base::StrCat(scheme, v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
}

// One row a rung: what it is, and what its start cost.
void PrintRungs(const ServiceStatus& status) {
  TableWriter table("md");
  for (const ModelStatus& model : status.models) {
    for (const server::RungInfo& rung : model.rungs) {
      table.Write({{"model", model.endpoint->name},
                   {"rung", rung.name},
                   {"format", rung.format},
                   {"state", server::NameOf(rung.state)},
                   {"p50_ms", Cell(rung.p50_ms, 2)},
                   {"mib", Cell(static_cast<double>(rung.bytes) / 1048576.0, 1)},
                   {"map_ms", Cell(rung.load.map_ms, 1)},
                   {"pack_ms", Cell(rung.load.pack_ms, 1)},
                   {"warm_ms", Cell(rung.load.warm_ms, 1)},
                   {"measure_ms", Cell(rung.load.measure_ms, 1)}});
    }
  }
}

void Warn(const std::string& message) {
  std::fprintf(stderr, "hone serve: warning: %s\n", message.c_str());
}

void PrintErrors(const ServiceStatus& status) {
  for (const ModelStatus& model : status.models) {
    if (!model.error.empty()) Warn(model.error);
    for (const server::RungInfo& rung : model.rungs) {
      if (rung.error.empty()) continue;
      Warn(base::StrCat(model.endpoint->name, ", rung ", rung.name, ": ", rung.error));
    }
  }
}

// KServe's gRPC beside HTTP: the same address, keys, certificates, and limits of a message and of all together.
base::StatusOr<std::unique_ptr<server::GrpcServer>> StartGrpc(const server::ServeConfig& config,
                                                              Service& service) {
  return server::GrpcServer::Start(
      {.host = config.http.host,
       .port = config.grpc_port,
       .api_keys = config.http.api_keys,
       .tls_cert = config.http.tls_cert,
       .tls_key = config.http.tls_key,
       .client_ca = config.http.client_ca,
       .max_message_bytes = static_cast<int>(
           std::min<std::uint64_t>(config.http.max_body_bytes, std::numeric_limits<int>::max())),
       .max_held_bytes = config.http.max_held_bytes},
      service);
}

class ServeCommand : public Command {
 public:
  std::string name() const override { return "serve"; }
  std::string summary() const override {
    return "serve models over HTTP and gRPC, every accepted deadline kept";
  }
  std::string example() const override {
    return "  hone serve -m embed=minilm-int8\n"
           "  hone serve -m intent=ladder -m embed=minilm-int8 --memory 512MiB --grpc-port 8081\n"
           "  hone serve --config serve.yaml --host 0.0.0.0 --api-key-file keys "
           "--tls-cert server.crt --tls-key server.key\n"
           "  curl localhost:8080/embed -H 'X-Hone-Deadline-Ms: 20' -H 'Content-Type: "
           "application/json' -d '{\"inputs\":\"hello\"}'";
  }

  void AddFlags(Flags& flags) override { flags_.Add(flags); }
  bool ends_itself() const override { return true; }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(server::ServeConfig config, flags_.Read());
    config.http.refusal = server::FrontRefusal;
    config.service.warn = Warn;
    env::HoldStopSignals();
    env::OutliveReaders();
    HONE_ASSIGN_OR_RETURN(const std::unique_ptr<Service> service,
                          Service::Start(env::RealFileSystem(), config.service));
    server::Aside loader("loader", server::kMaxModelsWaiting);
    server::Aside writer("writer", server::kMaxAnswersWaiting);
    std::atomic<const HttpServer*> front = nullptr;  // /metrics may be asked before Start returns
    server::ApiContext api{
        .service = *service,
        .front_metrics =
            [&front] {
              const HttpServer* const ready = front;
              return ready == nullptr ? std::string() : server::PrometheusText(ready->counters());
            },
        .aside = loader,
        .writer = writer,
        .wants_keys = !config.http.api_keys.empty()};
    HONE_ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> http,
                          HttpServer::Start(config.http, server::MakeApi(std::move(api))));
    front = http.get();
    std::unique_ptr<server::GrpcServer> grpc;
    if (config.grpc_port >= 0) {
      HONE_ASSIGN_OR_RETURN(grpc, StartGrpc(config, *service));
    }
    const ServiceStatus status = service->Status();
    PrintRungs(status);
    std::printf("\npolicy %s, executors of %s threads\n", status.policy.c_str(),
                base::Join(status.executors, ", ").c_str());
    const char* const scheme = config.http.tls_cert.empty() ? "http://" : "https://";
    std::printf("listening on %s\n", Address(scheme, config.http.host, http->port()).c_str());
    if (grpc != nullptr) {
      std::printf("gRPC on %s\n", Address("", config.http.host, grpc->port()).c_str());
    }
    std::printf("ready %.1f ms after the start\n", env::MsSinceProcessStart());
    std::fflush(stdout);
    PrintErrors(status);

    const char* const signal = env::WaitForStopSignal();
    std::fprintf(stderr, "hone serve: %s: finishing what was accepted\n", signal);
    // Both fronts at once: neither takes new connections while the other lets its answers out.
    std::thread stop_http([&] { http->Stop(kDrainS); });
    std::thread stop_grpc([&] {
      if (grpc != nullptr) grpc->Stop(kDrainS);
    });
    if (!service->Drain(kDrainS - kLastWordS)) {
      std::fprintf(stderr,
                   "hone serve: warning: %d accepted requests are not finished, and told so\n",
                   service->GiveUp());
    }
    stop_http.join();
    stop_grpc.join();
    loader.Stop();
    writer.Stop();
    return base::OkStatus();
  }

 private:
  ServeFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeServeCommand() {
  return std::make_unique<ServeCommand>();
}

}  // namespace hone::cli
