// hone serve as a user meets it: a process that answers over HTTP, and ends when asked.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/strings.h"
#include "server/http/test_client.h"
#include "tests/support/tiny_models.h"

namespace hone {
namespace {

using server::TestClient;
using server::TestReply;
using testing::HasSubstr;

std::string ReadAll(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A tiny model with a tokenizer: every letter a word piece.
std::string MakeModel(const std::string& name) {
  const std::string parent = testing::TempDir() + "/serve_program";
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.name != name) continue;
    std::filesystem::create_directories(parent);
    std::string directory = tests::WriteTinyModel(tiny, parent);
    std::ofstream vocabulary(directory + "/vocab.txt");
    vocabulary << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char c = 'a'; c <= 'z'; ++c) vocabulary << c << "\n##" << c << "\n";
    return directory;
  }
  ADD_FAILURE() << "no tiny model " << name;
  return "";
}

class ServeProgram : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(testing::TempDir() + "/serve_program");
    model_ = MakeModel("bert/embed-mean");
  }
  void TearDown() override {
    if (child_ > 0) kill(child_, SIGKILL);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }

  // Starts `hone serve ARGUMENTS`, and waits until it listens or has ended.
  void Start(std::vector<std::string> arguments) {
    std::filesystem::remove(out_);
    child_ = fork();
    if (child_ == 0) {
      const int out = open(out_.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
      const int err = open(err_.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
      dup2(out, STDOUT_FILENO);
      dup2(err, STDERR_FILENO);
      arguments.insert(arguments.begin(), {HONE_PROGRAM, "serve"});
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(HONE_PROGRAM, argv.data());
      _exit(127);
    }
    int status = 0;
    while (waitpid(child_, &status, WNOHANG) == 0) {
      const std::string out = ReadAll(out_);
      if (out.find(" ms after the start") != std::string::npos) {
        const std::string before = "listening on http://127.0.0.1:";
        const std::size_t at = out.find(before);
        ASSERT_NE(at, std::string::npos) << out;
        port_ = std::atoi(out.c_str() + at + before.size());
        return;
      }
      usleep(2000);
    }
    child_ = 0;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int Stop(int signal) {
    kill(child_, signal);
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  TestReply Post(const std::string& path, const std::string& body) const {
    TestClient client(port_);
    return client.Ask(base::StrCat("POST ", path,
                                   " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                                   "Content-Length: ",
                                   body.size(), "\r\n\r\n", body));
  }
  TestReply Get(const std::string& path) const {
    TestClient client(port_);
    return client.Ask(base::StrCat("GET ", path, " HTTP/1.1\r\nHost: h\r\n\r\n"));
  }

  const std::string out_ = testing::TempDir() + "/serve_out",
                    err_ = testing::TempDir() + "/serve_err";
  std::string model_;
  pid_t child_ = 0;
  int port_ = 0, exit_code_ = -1;
};

TEST_F(ServeProgram, AnswersUntilItIsToldToStop) {
  Start({"-m", "tiny=" + model_, "--port", "0", "--table-cache", "none"});
  ASSERT_NE(child_, 0) << ReadAll(err_);
  EXPECT_EQ(Get("/health").status, 200);
  EXPECT_EQ(Get("/ready").status, 200);
  const TestReply reply = Post("/embed", R"({"inputs": "ab"})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.body, testing::StartsWith("[["));
  EXPECT_EQ(reply.headers.at("X-Hone-Rung"), "model");
  EXPECT_THAT(Get("/v1/models").body, HasSubstr("\"tiny\""));
  EXPECT_THAT(Get("/metrics").body, HasSubstr("hone_http_requests_total"));
  EXPECT_EQ(Post("/v1/embeddings", "{").status, 400);
  EXPECT_EQ(Get("/nowhere").status, 404);
  EXPECT_THAT(ReadAll(out_), HasSubstr("| tiny "));
  EXPECT_EQ(Stop(SIGTERM), 0) << ReadAll(err_);
  EXPECT_THAT(ReadAll(err_), HasSubstr("SIGTERM"));
}

TEST_F(ServeProgram, AConfigurationMayNameABrokenModelBesideAGoodOne) {
  const std::string config = testing::TempDir() + "/serve.yaml",
                    keys = testing::TempDir() + "/keys";
  std::filesystem::remove_all(testing::TempDir() + "/none");
  std::ofstream(keys) << "alice:secret\n";
  std::ofstream(config) << "port: 1\ntable_cache: none\napi_key_file: keys\nmodels:\n  good: "
                        << model_ << "\n  bad: /no/such/model\n";
  std::filesystem::remove_all(testing::TempDir() + "/none");
  Start({"--config", config, "--port", "0"});  // the flag goes first
  ASSERT_NE(child_, 0) << ReadAll(err_);
  EXPECT_FALSE(std::filesystem::exists(testing::TempDir() + "/none")) << "no directory, no cache";
  EXPECT_THAT(ReadAll(err_), HasSubstr("/no/such/model"));
  EXPECT_EQ(Get("/health").status, 200);
  EXPECT_EQ(Get("/v1/models").status, 401);
  TestClient client(port_);
  EXPECT_EQ(client.Ask("GET /v1/models HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer secret\r\n\r\n")
                .status,
            200);
  EXPECT_EQ(Stop(SIGINT), 0);
}

TEST_F(ServeProgram, KeepsLatencyTablesOnAnAccountThatHasNoCacheYet) {
  const std::string cache = testing::TempDir() + "/serve_program/home/.cache";
  setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  Start({"-m", "tiny=" + model_, "--port", "0"});
  unsetenv("XDG_CACHE_HOME");
  ASSERT_NE(child_, 0) << ReadAll(err_);
  EXPECT_EQ(Stop(SIGTERM), 0);
  EXPECT_FALSE(std::filesystem::is_empty(cache + "/hone"));
  EXPECT_THAT(ReadAll(err_), Not(HasSubstr("warning")));
}

TEST_F(ServeProgram, WrongUsageAndFailuresHaveTheirOwnExitCodes) {
  const auto ends = [&](std::vector<std::string> arguments) {
    Start(std::move(arguments));
    return child_ == 0 ? exit_code_ : Stop(SIGKILL);
  };
  EXPECT_EQ(ends({}), 2);
  EXPECT_THAT(ReadAll(err_), HasSubstr("needs a model"));
  EXPECT_EQ(ends({"-m", "a=" + model_, "-m", "a=" + model_}), 2);
  EXPECT_EQ(ends({"-m", model_, "--memory", "lots"}), 2);
  EXPECT_EQ(ends({"-m", model_, "--split", "1,x"}), 2);
  EXPECT_EQ(ends({"-m", model_, "-t", "2", "--split", "2,1"}), 2) << "more than there are";
  EXPECT_THAT(ReadAll(err_), HasSubstr("--split: \"2,1\""));
  EXPECT_EQ(ends({"-m", model_, "-t", "1", "--split", "1,1"}), 2);
  EXPECT_EQ(ends({"-m", model_, "--default-deadline", "20m"}), 2);
  EXPECT_THAT(
      ReadAll(err_),
      HasSubstr(
          "--default-deadline: is above what may be asked for, \"limits: deadline\" of 600 s"));
  EXPECT_EQ(ends({"-m", model_, "--tls-cert", "x"}), 2);
  EXPECT_EQ(ends({"-m", model_, "--client-ca", "x"}), 2);
  EXPECT_THAT(ReadAll(err_), HasSubstr("--client-ca"));
  EXPECT_EQ(ends({"-m", "a=/no/such/model", "--tls-cert", "/no/cert", "--tls-key", "/no/key"}), 1);
  EXPECT_THAT(ReadAll(err_), HasSubstr("/no/cert")) << "looked at before any model";
  EXPECT_EQ(ends({"-m", "a=/no/such/model", "--port", "0"}), 1);
  EXPECT_THAT(ReadAll(err_), HasSubstr("/no/such/model"));
  EXPECT_EQ(ends({"-m", "a=" + model_, "--port", "0", "--policy", "luck"}), 2);
  EXPECT_THAT(ReadAll(err_), AllOf(HasSubstr("--policy"), HasSubstr("ladder")));
  const std::string config = testing::TempDir() + "/wrong.yaml";
  std::ofstream(config) << "host: h\nprot: 1\n";
  EXPECT_EQ(ends({"--config", config}), 1);
  EXPECT_THAT(ReadAll(err_), HasSubstr("wrong.yaml:2: unknown key \"prot\""));
  std::ofstream(config) << "threads: 2\nsplit: 1,1\nmodels: {a: /no/such/model}\n";
  EXPECT_EQ(ends({"--config", config, "-t", "1"}), 1);
  EXPECT_THAT(ReadAll(err_), HasSubstr("wrong.yaml:2: split: \"1,1\""));
}

}  // namespace
}  // namespace hone
