#include "server/config/serve_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace hone::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string ErrorOf(std::string_view text) {
  const auto config = ParseServeConfig(text, "dir/serve.yaml");
  if (!config.ok()) return config.status().message();
  const auto wrong = CheckOptions(config->service);
  return wrong ? WrongInFile(*config, *wrong).message() : "fine";
}

TEST(ServeConfig, ReadsEveryKey) {
  const auto config = ParseServeConfig(R"(
host: 0.0.0.0
port: 9000
grpc_port: 9001
io_threads: 2
api_key_file: keys
tls: {cert: a.crt, key: /etc/a.key, client_ca: ca.crt}
limits:
  body: 1MiB
  header: 8KiB
  held: 64MiB
  connections: 100
  read_timeout: 5s
  idle_timeout: 2m
  texts: 10
  queued: 20
  deadline: 1m
threads: 2
split: 1,1
memory: 512MiB
policy: edf
default_deadline: 250ms
table_cache: /var/cache/hone
models:
  embed: models/embed
  intent:
    dir: /models/intent
    pin: true
    reserve_cores: 0.5
    reserve_memory: 20MiB
    limit_memory: 40MiB
    limit_cores: 1
    max_batch: 8
    max_batch_tokens: 1000
    default_deadline: 20ms
)",
                                       "dir/serve.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->http.host, "0.0.0.0");
  EXPECT_EQ(config->http.port, 9000);
  EXPECT_EQ(config->grpc_port, 9001);
  EXPECT_EQ(config->http.io_threads, 2);
  EXPECT_EQ(config->api_key_file, "dir/keys");
  EXPECT_EQ(config->http.tls_cert, "dir/a.crt");
  EXPECT_EQ(config->http.tls_key, "/etc/a.key");
  EXPECT_EQ(config->http.client_ca, "dir/ca.crt");
  EXPECT_EQ(config->http.max_body_bytes, 1u << 20);
  EXPECT_EQ(config->http.max_header_bytes, 8u << 10);
  EXPECT_EQ(config->http.max_held_bytes, 64u << 20);
  EXPECT_EQ(config->http.max_connections, 100);
  EXPECT_EQ(config->http.read_timeout_s, 5);
  EXPECT_EQ(config->http.idle_timeout_s, 120);
  const ServiceOptions& service = config->service;
  EXPECT_EQ(service.max_texts, 10);
  EXPECT_EQ(service.max_queued, 20);
  EXPECT_EQ(service.max_deadline_ms, 60e3);
  EXPECT_EQ(service.threads, 2);
  EXPECT_EQ(service.split, (std::vector<int>{1, 1}));
  EXPECT_EQ(service.memory_bytes, 512u << 20);
  EXPECT_EQ(service.policy, "edf");
  EXPECT_EQ(service.default_deadline_ms, 250);
  EXPECT_EQ(service.table_cache, "/var/cache/hone");
  ASSERT_EQ(service.models.size(), 2u);
  EXPECT_EQ(service.models[0].name, "embed");
  EXPECT_EQ(service.models[0].directory, "dir/models/embed");
  EXPECT_FALSE(service.models[0].pinned);
  const ModelOptions& intent = service.models[1];
  EXPECT_EQ(intent.directory, "/models/intent");
  EXPECT_TRUE(intent.pinned);
  EXPECT_EQ(intent.reserved_cores, 0.5);
  EXPECT_EQ(intent.limit_cores, 1);
  EXPECT_EQ(intent.reserved_bytes, 20u << 20);
  EXPECT_EQ(intent.limit_bytes, 40u << 20);
  EXPECT_EQ(intent.max_texts, 8);
  EXPECT_EQ(intent.max_batch_tokens, 1000);
  EXPECT_EQ(intent.default_deadline_ms, 20);
}

TEST(ServeConfig, NoneKeepsNothingAndZeroIsNoLimit) {
  const auto config = ParseServeConfig(
      "table_cache: none\nmodels: {a: {dir: b, limit_memory: 0, reserve_memory: 0}}",
      "c/serve.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->service.table_cache, kNoTableCache);
  EXPECT_EQ(config->service.models[0].limit_bytes, 0u);
  const base::Status policy = ParseServeConfig("port: 1\npolicy: zzz", "serve.yaml").status();
  EXPECT_THAT(policy.message(), testing::StartsWith("serve.yaml:2: "));
  EXPECT_THAT(policy.message(), testing::HasSubstr("zzz"));
}

TEST(ServeConfig, TimesAreMillisecondsOrHaveUnits) {
  EXPECT_EQ(*ParseMilliseconds("20"), 20);
  EXPECT_EQ(*ParseMilliseconds("800us"), 0.8);
  EXPECT_EQ(*ParseMilliseconds("1.5s"), 1500);
  EXPECT_EQ(*ParseMilliseconds("10m"), 600e3);
  EXPECT_EQ(*ParseMilliseconds("24h"), 24 * 3600e3);
  for (const char* wrong : {"", "s", "0s", "-1s", "25h", "1d", "nan", "inf"}) {
    EXPECT_FALSE(ParseMilliseconds(wrong).ok()) << wrong;
  }
}

TEST(ServeConfig, WhatIsLeftOutKeepsItsDefault) {
  const auto config = ParseServeConfig("models: {a: b}", "serve.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->http.host, HttpOptions().host);
  EXPECT_EQ(config->http.read_timeout_s, HttpOptions().read_timeout_s);
  EXPECT_EQ(config->grpc_port, -1);
  EXPECT_EQ(config->service.memory_bytes, 0u);
  EXPECT_EQ(config->service.models[0].directory, "b");
}

TEST(ServeConfig, TheTableCacheNoneIsNoDirectory) {
  const auto cache = [](std::string_view text) {
    return ParseServeConfig(text, "dir/serve.yaml")->service.table_cache;
  };
  EXPECT_EQ(cache("table_cache: none\n"), kNoTableCache);
  EXPECT_EQ(cache("table_cache: ./none\n"), "dir/./none");
  EXPECT_EQ(cache("table_cache: tables\n"), "dir/tables");
}

TEST(ServeConfig, ErrorsSayWhichLine) {
  EXPECT_THAT(ErrorOf("host: a\nport: 70000\n"), StartsWith("dir/serve.yaml:2: port: 70000"));
  EXPECT_THAT(ErrorOf("host: a\nprot: 80\n"),
              AllOf(StartsWith("dir/serve.yaml:2: "), HasSubstr("did you mean \"port\"?")));
  EXPECT_THAT(ErrorOf("\nmemory: lots\n"), StartsWith("dir/serve.yaml:2: memory: \"lots\""));
  EXPECT_THAT(ErrorOf("limits:\n  body: 1MiB\n  header: 5GiB\n"),
              StartsWith("dir/serve.yaml:3: limits: header: 5GiB is more"));
  EXPECT_THAT(ErrorOf("limits:\n  read_timeout: never\n"), StartsWith("dir/serve.yaml:2: limits"));
  EXPECT_THAT(ErrorOf("tls:\n  cert: a\n"), StartsWith("dir/serve.yaml:1: tls: needs both"));
  EXPECT_THAT(ErrorOf("models:\n  a/b: dir\n"), StartsWith("dir/serve.yaml:2: models: \"a/b\""));
  EXPECT_THAT(ErrorOf("models:\n  a: dir\n  a: dir\n"), HasSubstr(":3: \"a\" is there twice"));
  EXPECT_THAT(ErrorOf("models:\n  a:\n    pin: true\n"),
              StartsWith("dir/serve.yaml:2: models: a: needs dir"));
  EXPECT_THAT(ErrorOf("models:\n  a:\n    dir: x\n    pin: maybe\n"),
              StartsWith("dir/serve.yaml:4: models: a: pin: expected true or false"));
  EXPECT_THAT(ErrorOf("models:\n  a: {dir: x, reserve_cores: 2, limit_cores: 1}\n"),
              HasSubstr("limit_cores: is below reserve_cores"));
  EXPECT_THAT(ErrorOf("models: [a, b]\n"), HasSubstr("expected a map of names"));
  EXPECT_THAT(ErrorOf("a: [\n"), HasSubstr("not YAML"));
  EXPECT_THAT(ErrorOf("- a\n"), HasSubstr("expected a map"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("is empty"));
}

TEST(ServeConfig, WhatDoesNotGoTogetherIsAnErrorOfALine) {
  const auto of = [](std::string_view top, std::string_view model) {
    return ErrorOf(base::StrCat(top, "models:\n  a:\n    dir: x\n", model));
  };
  EXPECT_EQ(of("", ""), "fine");
  EXPECT_THAT(
      of("policy: zzz\n", ""),
      AllOf(StartsWith("dir/serve.yaml:1: policy: \"zzz\" is no policy"), HasSubstr("edf")));
  EXPECT_THAT(
      of("threads: 1\nsplit: 1,1\n", ""),
      AllOf(StartsWith("dir/serve.yaml:2: split: \"1,1\""), HasSubstr("together at most 1")));
  EXPECT_EQ(of("threads: 2\nsplit: 1,1\n", ""), "fine");
  for (const char* key : {"limit_memory", "reserve_memory"}) {
    EXPECT_THAT(of("", base::StrCat("    ", key, ": 1MiB\n")),
                AllOf(StartsWith(base::StrCat("dir/serve.yaml:4: models: a: ", key, ": ")),
                      HasSubstr("\"memory\"")));
    EXPECT_EQ(of("", base::StrCat("    ", key, ": 0\n")), "fine");
    EXPECT_EQ(of("memory: 2MiB\n", base::StrCat("    ", key, ": 1MiB\n")), "fine");
  }
  EXPECT_THAT(of("memory: 9MiB\n", "    reserve_memory: 2MiB\n    limit_memory: 1MiB\n"),
              StartsWith("dir/serve.yaml:6: models: a: limit_memory: is below reserve_memory"));
  EXPECT_THAT(
      of("memory: 3MiB\n", "    reserve_memory: 2MiB\n  b: {dir: y, reserve_memory: 2MiB}\n"),
      AllOf(StartsWith("dir/serve.yaml:6: models: b: reserve_memory: "),
            HasSubstr("the budget \"memory\" of 3,145,728 bytes")));
  EXPECT_THAT(of("threads: 1\n", "    reserve_cores: 5\n"),
              StartsWith("dir/serve.yaml:5: models: a: reserve_cores: 5 cores"));
  EXPECT_THAT(
      of("threads: 2\n", "    reserve_cores: 1.5\n  b:\n    reserve_cores: 1\n    dir: y\n"),
      StartsWith("dir/serve.yaml:7: models: b: reserve_cores: 2.5 cores"));
  EXPECT_EQ(of("threads: 1\n", "    reserve_cores: 1\n"), "fine");
  EXPECT_THAT(of("default_deadline: 2s\nlimits: {deadline: 1s}\n", ""),
              StartsWith("dir/serve.yaml:1: default_deadline: is above"));
  EXPECT_THAT(of("limits: {deadline: 1s}\n", "    default_deadline: 2s\n"),
              StartsWith("dir/serve.yaml:5: models: a: default_deadline: is above"));
}

TEST(ServeConfig, ALowerLimitOfDeadlinesIsTheirDefaultToo) {
  const auto config = ParseServeConfig("limits: {deadline: 1s}\nmodels: {a: x}", "serve.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->service.default_deadline_ms, 1000);
  EXPECT_FALSE(CheckOptions(config->service));
}

TEST(ServeConfig, ModelsOnTheCommandLineHaveANameOrGetOne) {
  const auto name = [](std::string_view text) {
    const auto model = ParseModelFlag(text);
    return model.ok() ? model->name + " in " + model->directory : "none";
  };
  EXPECT_EQ(name("intent=/models/i"), "intent in /models/i");
  EXPECT_EQ(name("/models/mini-lm"), "mini-lm in /models/mini-lm");
  EXPECT_EQ(name("models/mini/"), "mini in models/mini/");
  EXPECT_EQ(name("a=b=c"), "a in b=c");
  EXPECT_EQ(name("./a=b/c"), "c in ./a=b/c");
  for (const char* wrong : {"", "a=", "=dir", "..", ".", "/", "bad name=dir", "x/sp ace"}) {
    EXPECT_EQ(name(wrong), "none") << wrong;
  }
}

}  // namespace
}  // namespace hone::server
