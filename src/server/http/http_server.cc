#include "server/http/http_server.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <chrono>
#include <mutex>
#include <new>
#include <thread>

#include "env/clock.h"
#include "env/thread.h"
#include "server/http/connection.h"
#include "server/http/tls.h"

namespace hone::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Connections over the limit that are told so; more than that are closed without a word.
constexpr int kToldAtOnce = 64;
// Where descriptors ran out, accepting again at once would only spin.
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

// "[::1]:8080", "127.0.0.1:8080"
std::string AddressText(const std::string& host, int port) {
  const bool v6 = host.find(':') != std::string::npos;
  return base::StrCat(v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
}

base::StatusOr<tcp::endpoint> Resolve(asio::io_context& io, const HttpOptions& options) {
  error_code error;
  const auto port = static_cast<unsigned short>(options.port);
  const asio::ip::address address = asio::ip::make_address(options.host, error);
  if (!error) return tcp::endpoint(address, port);
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(options.host, "", tcp::resolver::passive, error);
  if (error || found.empty()) {
    return base::NotFound("the host \"", options.host, "\" has no address: ", error.message());
  }
  return tcp::endpoint(found.begin()->endpoint().address(), port);
}

// Null: in the clear.
base::StatusOr<std::unique_ptr<TlsContext>> MakeTls(const HttpOptions& options) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return base::BadInput("TLS needs both a certificate and its key");
  }
  if (!options.client_ca.empty() && options.tls_cert.empty()) {
    return base::BadInput("certificates of clients are only asked for over TLS");
  }
  if (options.tls_cert.empty()) return std::unique_ptr<TlsContext>();
  return TlsContext::Create(options.tls_cert, options.tls_key, options.client_ca);
}

class Server : public HttpServer {
 public:
  Server(const HttpOptions& options, HttpHandler handler)
      : front_(std::make_shared<Front>(options, std::move(handler))) {
    for (int i = 0; i < std::max(1, options.io_threads); ++i) {
      loops_.push_back(std::make_shared<Loop>(front_));
      guards_.emplace_back(loops_.back()->io.get_executor());
    }
    acceptor_.emplace(loops_[0]->io);
    pause_.emplace(loops_[0]->io);
  }
  ~Server() override { Stop(0); }

  base::Status Listen();
  int port() const override { return port_; }
  HttpCounters counters() const override {
    return {.connections = front_->connections,
            .open = front_->open,
            .requests = front_->requests,
            .rejected = front_->rejected,
            .bytes_in = front_->bytes_in,
            .bytes_out = front_->bytes_out};
  }
  void Stop(double seconds) override;

 private:
  void Accept();
  void Accepted(const std::shared_ptr<Loop>& loop, tcp::socket socket);
  void OnEachLoop(void (Connection::*what)());

  std::shared_ptr<Front> front_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::optional<tcp::acceptor> acceptor_;  // on the first loop
  std::optional<asio::steady_timer> pause_;
  std::vector<std::thread> threads_;
  std::size_t next_loop_ = 0;
  int port_ = 0;
};

base::Status Server::Listen() {
  const HttpOptions& options = front_->options;
  HONE_ASSIGN_OR_RETURN(front_->tls, MakeTls(options));
  HONE_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, Resolve(loops_[0]->io, options));
  error_code error;
  acceptor_->open(endpoint.protocol(), error);
  if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_->bind(endpoint, error);
  if (!error) acceptor_->listen(tcp::acceptor::max_listen_connections, error);
  if (!error) port_ = acceptor_->local_endpoint(error).port();
  if (error) {
    return base::OutOfResource("cannot listen on ", AddressText(options.host, options.port), ": ",
                               error.message());
  }
  Accept();
  for (const auto& loop : loops_) {
    threads_.emplace_back([loop] {
      env::NameThread("http");
      env::RunPromptly();
      loop->io.run();
    });
  }
  return base::OkStatus();
}

void Server::Accept() {
  const std::shared_ptr<Loop> loop = loops_[next_loop_++ % loops_.size()];
  acceptor_->async_accept(loop->io, [this, loop](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || front_->stopping) return;
    if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
        error == asio::error::no_memory) {
      pause_->expires_after(kAcceptPause);
      pause_->async_wait([this](error_code aborted) {
        if (!aborted && !front_->stopping) Accept();
      });
      return;
    }
    try {
      if (!error) Accepted(loop, std::move(socket));  // else the client has gone already
    } catch (const std::bad_alloc&) {                 // as if it had been refused
      --front_->open;
    }
    Accept();
  });
}

void Server::Accepted(const std::shared_ptr<Loop>& loop, tcp::socket socket) {
  ++front_->connections;
  const std::int64_t open = ++front_->open;
  const std::int64_t limit = front_->options.max_connections;
  if (open > limit + kToldAtOnce) {
    ++front_->rejected;
    --front_->open;
    return;  // closes the socket
  }
  auto connection = std::make_shared<Connection>(loop, std::move(socket));
  loop->Post([loop, connection, too_many = open > limit] {
    if (loop->front->stopping) return connection->Close();
    loop->Add(connection);
    connection->Start(too_many);
  });
}

void Server::OnEachLoop(void (Connection::*what)()) {
  for (const auto& loop : loops_) {
    loop->Post([loop = loop.get(), what] {
      const std::vector<std::shared_ptr<Connection>> all(loop->connections.begin(),
                                                         loop->connections.end());
      for (const auto& connection : all) ((*connection).*what)();
    });
  }
}

void Server::Stop(double seconds) {
  if (threads_.empty()) return;
  front_->stopping = true;
  loops_[0]->Post([this] {
    error_code ignored;
    acceptor_->close(ignored);
    pause_->cancel();
  });
  OnEachLoop(&Connection::Drain);
  const std::int64_t until =
      env::NowNs() + static_cast<std::int64_t>(seconds * static_cast<double>(base::kSecondNs));
  while (front_->open > 0 && env::NowNs() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  OnEachLoop(&Connection::Close);
  // With every socket closed nothing is left to wait for, and the loops end.
  for (const auto& loop : loops_) {
    loop->Post([loop = loop.get()] { loop->tick.cancel(); });
  }
  guards_.clear();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace

base::Status CheckTls(const HttpOptions& options) {
  return MakeTls(options).status();
}

base::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpOptions& options,
                                                              HttpHandler handler) {
  if (options.port < 0 || options.port > 65535) {
    return base::BadInput("port ", options.port, " is not between 0 and 65535");
  }
  auto server = std::make_unique<Server>(options, std::move(handler));
  HONE_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace hone::server
