#include "server/grpc/grpc_server.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "base/version.h"
#include "env/clock.h"
#include "env/file.h"
#include "kserve.grpc.pb.h"
#include "server/api/aside.h"
#include "server/api/exchange.h"
#include "server/api/fault.h"
#include "server/grpc/infer_messages.h"
#include "server/http/api_keys.h"
#include "server/http/tls.h"

namespace hone::server {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

grpc::StatusCode CodeOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kBadRequest:
    case FaultKind::kEmpty:
    case FaultKind::kTooLarge:
    case FaultKind::kTooLong:
    case FaultKind::kUnsupported: return grpc::StatusCode::INVALID_ARGUMENT;
    case FaultKind::kUnauthorized: return grpc::StatusCode::UNAUTHENTICATED;
    case FaultKind::kNotFound: return grpc::StatusCode::NOT_FOUND;
    case FaultKind::kRefused: return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case FaultKind::kUnavailable: return grpc::StatusCode::UNAVAILABLE;
    case FaultKind::kMissed: return grpc::StatusCode::DEADLINE_EXCEEDED;
    case FaultKind::kCancelled: return grpc::StatusCode::CANCELLED;
    case FaultKind::kInternal: return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

grpc::Status StatusOf(const Fault& fault, CallbackServerContext* context) {
  if (fault.retry_after_s > 0) {
    context->AddTrailingMetadata("hone-retry-ms", base::Fixed(fault.retry_after_s * 1e3, 3));
  }
  return {CodeOf(fault.kind), Say(fault)};
}

// The call's metadata as the headers that HTTP would have had, those of a name side by side.
HttpRequest HeadersOf(const CallbackServerContext& context) {
  HttpRequest request;
  for (const auto& [name, value] : context.client_metadata()) {
    request.headers.emplace_back(std::string(name.data(), name.size()),
                                 std::string(value.data(), value.size()));
  }
  return request;
}

// The shorter of what is asked and what is left of the call's own deadline; a far one is none.
void TightenDeadline(const CallbackServerContext& context, const ServiceOptions& options,
                     Terms* terms) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return;
  const double left_ms =
      std::chrono::duration<double, std::milli>(deadline - std::chrono::system_clock::now())
          .count();
  if (left_ms > options.max_deadline_ms) return;
  const auto left = std::max<base::TimeNs>(1, static_cast<base::TimeNs>(left_ms * 1e6));
  if (terms->deadline_ns == 0 || left < terms->deadline_ns) terms->deadline_ns = left;
}

// Here all answers are written aside; beyond so many an executor writes its own.
constexpr std::size_t kMaxCallsWaiting = 4096;

// One ModelInfer. gRPC tells of the client's leaving only after the handler has returned, when the
// ticket is there.
class InferCall final : public ServerUnaryReactor {
 public:
  InferCall(Service& service, Aside& writer) : service_(service), writer_(writer) {}
  void OnCancel() override { service_.Cancel(ticket_); }
  void OnDone() override { delete this; }

  InferRequest request;

  void Submit(Query query, CallbackServerContext* context, inference::ModelInferResponse* answer) {
    endpoint_ = query.endpoint;
    ticket_ = service_.Submit(std::move(query), [this, context, answer](Reply reply) {
      // A fault is short, and a refusal comes on gRPC's own thread.
      if (reply.fault) return Finish(StatusOf(*reply.fault, context));
      reply_ = std::move(reply);
      const auto write = [this, answer] { Write(answer); };
      if (!writer_.Run(write)) write();
    });
  }

 private:
  void Write(inference::ModelInferResponse* answer) {
    try {
      WriteMessage(request, *endpoint_, reply_, answer);
    } catch (const std::bad_alloc&) {  // this call fails, the server goes on
      return Finish(
          {grpc::StatusCode::RESOURCE_EXHAUSTED, "there was not memory enough to answer"});
    }
    service_.Sent(env::NowNs() - reply_.served.ended);
    Finish(grpc::Status::OK);
  }

  Service& service_;
  Aside& writer_;
  std::shared_ptr<const Endpoint> endpoint_;
  Reply reply_;
  Ticket ticket_;
};

class Calls final : public inference::GRPCInferenceService::CallbackService {
 public:
  Calls(server::Service& service, const GrpcOptions& options)
      : served_(service), keys_(options.api_keys) {}

  // After the last call: nothing is loaded or written beside them any more.
  void StopThreads() {
    loader_.Stop();
    writer_.Stop();
  }

  ServerUnaryReactor* ServerLive(CallbackServerContext* context,
                                 const inference::ServerLiveRequest*,
                                 inference::ServerLiveResponse* answer) override {
    answer->set_live(true);
    return Finished(context, {});
  }

  ServerUnaryReactor* ServerReady(CallbackServerContext* context,
                                  const inference::ServerReadyRequest*,
                                  inference::ServerReadyResponse* answer) override {
    const ServiceStatus status = served_.Status();
    answer->set_ready(std::ranges::any_of(status.models, &ModelStatus::ready));
    return Finished(context, {});
  }

  ServerUnaryReactor* ModelReady(CallbackServerContext* context,
                                 const inference::ModelReadyRequest* request,
                                 inference::ModelReadyResponse* answer) override {
    ModelState state;
    MaybeFault fault = Admit(context, nullptr);
    if (!fault) fault = FindState(served_, request->name(), request->version(), &state);
    answer->set_ready(state.ready);
    return Finished(context, fault);
  }

  ServerUnaryReactor* ServerMetadata(CallbackServerContext* context,
                                     const inference::ServerMetadataRequest*,
                                     inference::ServerMetadataResponse* answer) override {
    if (MaybeFault fault = Admit(context, nullptr)) return Finished(context, fault);
    answer->set_name("hone");
    answer->set_version(std::string(base::kVersion));
    answer->add_extensions("model_repository");
    return Finished(context, {});
  }

  ServerUnaryReactor* ModelMetadata(CallbackServerContext* context,
                                    const inference::ModelMetadataRequest* request,
                                    inference::ModelMetadataResponse* answer) override {
    std::shared_ptr<const Endpoint> endpoint;
    MaybeFault fault = Admit(context, nullptr);
    if (!fault) fault = FindVersioned(served_, request->name(), request->version(), &endpoint);
    if (fault) return Finished(context, fault);
    answer->set_name(endpoint->name);
    answer->add_versions(std::string(kModelVersion));
    answer->set_platform(base::StrCat("hone_", endpoint->architecture));
    const auto describe = [](const TensorInfo& info, auto* tensor) {
      tensor->set_name(info.name);
      tensor->set_datatype(std::string(NameOf(info.type)));
      for (const std::int64_t size : info.shape) tensor->add_shape(size);
    };
    for (const TensorInfo& info : InputsOf(*endpoint)) describe(info, answer->add_inputs());
    for (const TensorInfo& info : OutputsOf(*endpoint)) describe(info, answer->add_outputs());
    return Finished(context, {});
  }

  ServerUnaryReactor* ModelInfer(CallbackServerContext* context,
                                 const inference::ModelInferRequest* message,
                                 inference::ModelInferResponse* answer) override {
    auto* call = new InferCall(served_, writer_);  // deletes itself
    Query query{.arrival = env::NowNs()};
    if (MaybeFault fault = Prepare(context, *message, &call->request, &query)) {
      call->Finish(StatusOf(*fault, context));
      return call;
    }
    call->request.inputs.clear();
    call->Submit(std::move(query), context, answer);
    return call;
  }

  ServerUnaryReactor* RepositoryIndex(CallbackServerContext* context,
                                      const inference::RepositoryIndexRequest* request,
                                      inference::RepositoryIndexResponse* answer) override {
    if (MaybeFault fault = Admit(context, nullptr)) return Finished(context, fault);
    const ServiceStatus status = served_.Status();
    for (const ModelStatus& model : status.models) {
      if (request->ready() && !model.ready) continue;
      auto* index = answer->add_models();
      index->set_name(model.endpoint->name);
      index->set_version(std::string(kModelVersion));
      index->set_state(model.ready ? "READY" : "UNAVAILABLE");
      index->set_reason(model.error);
    }
    return Finished(context, {});
  }

  ServerUnaryReactor* RepositoryModelLoad(CallbackServerContext* context,
                                          const inference::RepositoryModelLoadRequest* request,
                                          inference::RepositoryModelLoadResponse*) override {
    return Change(context, &server::Service::Load, request->model_name());
  }

  ServerUnaryReactor* RepositoryModelUnload(CallbackServerContext* context,
                                            const inference::RepositoryModelUnloadRequest* request,
                                            inference::RepositoryModelUnloadResponse*) override {
    return Change(context, &server::Service::Unload, request->model_name());
  }

 private:
  static ServerUnaryReactor* Finished(CallbackServerContext* context, const MaybeFault& fault) {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(fault ? StatusOf(*fault, context) : grpc::Status::OK);
    return reactor;
  }

  // Whether the caller's key is one of ours; its terms, where they are wanted.
  MaybeFault Admit(CallbackServerContext* context, Terms* terms) const {
    HttpRequest request = HeadersOf(*context);
    const auto twice = std::ranges::adjacent_find(
        request.headers,
        [](const auto& a, const auto& b) { return a.first == b.first && OccursOnce(a.first); });
    if (twice != request.headers.end()) return BadRequest(twice->first, "is given twice");
    if (!keys_.Admit(&request)) {
      return Fault{.kind = FaultKind::kUnauthorized,
                   .message = "no valid API key; send the metadata authorization: Bearer KEY"};
    }
    return terms == nullptr ? MaybeFault() : ReadTerms(request, served_.options(), terms);
  }

  MaybeFault Prepare(CallbackServerContext* context, const inference::ModelInferRequest& message,
                     InferRequest* request, Query* query) const {
    const ServiceOptions& options = served_.options();
    Terms metadata;
    HONE_RETURN_IF_FAULT(Admit(context, &metadata));
    HONE_RETURN_IF_FAULT(
        FindVersioned(served_, message.model_name(), message.model_version(), &query->endpoint));
    HONE_RETURN_IF_FAULT(ReadMessage(message, options, request));
    HONE_RETURN_IF_FAULT(CheckOutputs(*request, *query->endpoint));
    HONE_RETURN_IF_FAULT(FillQuery(*request, options, query));
    query->terms.tenant = metadata.tenant;
    if (metadata.deadline_ns > 0) query->terms.deadline_ns = metadata.deadline_ns;
    if (context->client_metadata().contains("x-hone-priority")) {
      query->terms.priority = metadata.priority;
    }
    TightenDeadline(*context, options, &query->terms);
    return {};
  }

  ServerUnaryReactor* Change(CallbackServerContext* context,
                             base::Status (server::Service::*change)(const std::string&),
                             const std::string& name) {
    if (MaybeFault fault = Admit(context, nullptr)) return Finished(context, fault);
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const bool taken = loader_.Run([this, reactor, change, name] {
      const base::Status status = (served_.*change)(name);
      if (status.ok()) return reactor->Finish(grpc::Status::OK);
      const Fault fault = FaultOf(status);
      // A model that cannot be loaded as it is: nothing is wrong with the call.
      reactor->Finish({fault.kind == FaultKind::kBadRequest ? grpc::StatusCode::FAILED_PRECONDITION
                                                            : CodeOf(fault.kind),
                       fault.message});
    });
    if (!taken) {
      reactor->Finish(
          {grpc::StatusCode::UNAVAILABLE, "too many models are waiting to be loaded or unloaded"});
    }
    return reactor;
  }

  server::Service& served_;
  const KeyRing keys_;
  Aside loader_{"grpc-loader", kMaxModelsWaiting};
  Aside writer_{"grpc-writer", kMaxCallsWaiting};
};

constexpr std::uint64_t kMaxPemBytes = 1 << 20;
// Calls under way on one connection; further ones wait at the client.
constexpr int kMaxStreams = 1024;

base::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const GrpcOptions& options) {
  if (options.tls_cert.empty()) return grpc::InsecureServerCredentials();
  // gRPC says of a bad file only that it cannot listen; the other front names it.
  HONE_RETURN_IF_ERROR(
      TlsContext::Create(options.tls_cert, options.tls_key, options.client_ca).status());
  env::FileSystem& files = env::RealFileSystem();
  HONE_ASSIGN_OR_RETURN(std::string certificate, files.Read(options.tls_cert, kMaxPemBytes));
  HONE_ASSIGN_OR_RETURN(std::string key, files.Read(options.tls_key, kMaxPemBytes));
  grpc::SslServerCredentialsOptions ssl(
      options.client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_key_cert_pairs.push_back({std::move(key), std::move(certificate)});
  if (!options.client_ca.empty()) {
    HONE_ASSIGN_OR_RETURN(ssl.pem_root_certs, files.Read(options.client_ca, kMaxPemBytes));
  }
  return grpc::SslServerCredentials(ssl);
}

class RealGrpcServer final : public GrpcServer {
 public:
  RealGrpcServer(const GrpcOptions& options, Service& service) : calls_(service, options) {}
  ~RealGrpcServer() override { Stop(0); }

  base::Status Listen(const GrpcOptions& options) {
    HONE_ASSIGN_OR_RETURN(const auto credentials, Credentials(options));
    grpc::ServerBuilder builder;
    const std::string host = options.host.find(':') == std::string::npos
                                 ? options.host
                                 : base::StrCat("[", options.host, "]");
    const std::string address = base::StrCat(host, ":", options.port);
    builder.AddListeningPort(address, credentials, &port_);
    // Otherwise a second server takes the same port, and half of the first one's calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(options.max_message_bytes);
    builder.SetMaxSendMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
    // Of what arrives and is sent, all connections together: beyond it gRPC stops reading, and sheds connections.
    builder.SetResourceQuota(
        grpc::ResourceQuota("hone").Resize(static_cast<std::size_t>(options.max_held_bytes)));
    builder.RegisterService(&calls_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return base::OutOfResource("gRPC cannot listen on ", address, "; is the port in use?");
    }
    return base::OkStatus();
  }

  int port() const override { return port_; }

  void Stop(double seconds) override {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now() +
                      std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3)));
    server_->Wait();
    // Every call is answered; the threads that answered may not have come back out of the server yet.
    calls_.StopThreads();
    server_.reset();
  }

 private:
  Calls calls_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace

base::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcOptions& options,
                                                              Service& service) {
  auto server = std::make_unique<RealGrpcServer>(options, service);
  HONE_RETURN_IF_ERROR(server->Listen(options));
  return server;
}

}  // namespace hone::server
