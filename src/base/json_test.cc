#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace hone::base {
namespace {

using testing::HasSubstr;

Json Parsed(std::string_view text) {
  StatusOr<Json> json = Json::Parse(text, "t.json");
  EXPECT_TRUE(json.ok()) << json.status();
  return json.ok() ? *std::move(json) : *Json::Parse("null", "t.json");
}

std::string ErrorOf(std::string_view text) {
  const StatusOr<Json> json = Json::Parse(text, "t.json");
  return json.ok() ? "accepted" : json.status().message();
}

TEST(Json, ReadsEveryKindOfValue) {
  const Json json = Parsed(
      R"( {"n":null,"t":true,"f":false,"i":-42,"d":2.5e-1,"s":"text","a":[1,[],{}],"o":{"x":[{}]}} )");
  const JsonValue root = json.root();
  EXPECT_EQ(root.size(), 8);
  EXPECT_TRUE(root.Get("n")->IsNull());
  EXPECT_TRUE(*root.Get("t")->Bool());
  EXPECT_FALSE(*root.Get("f")->Bool());
  EXPECT_EQ(*root.Get("i")->Int(), -42);
  EXPECT_EQ(*root.Get("d")->Double(), 0.25);
  EXPECT_EQ(*root.Get("s")->String(), "text");
  EXPECT_EQ(root.Get("a")->size(), 3);
  EXPECT_EQ(*root.Get("a")->At(0)->Int(), 1);
  EXPECT_EQ(root.Get("a")->At(1)->size(), 0);
  EXPECT_FALSE(root.Get("a")->At(3).ok());
  EXPECT_EQ(root.Get("o")->Get("x")->At(0)->kind(), JsonKind::kObject);
  EXPECT_FALSE(root.Find("n").has_value()) << "null counts as absent";
}

TEST(Json, IteratesInTheOrderOfTheFileAndKeepsDuplicates) {
  const Json json = Parsed(R"({"b":1,"a":{"deep":[0,[1],2]},"b":3})");
  std::vector<std::string> keys;
  for (const JsonValue member : json.root()) keys.emplace_back(member.key());
  EXPECT_THAT(keys, testing::ElementsAre("b", "a", "b"));
  EXPECT_EQ(*json.root().Get("b")->Int(), 1) << "the first";
}

TEST(Json, NumbersAtTheEdges) {
  EXPECT_EQ(*Parsed("9223372036854775807").root().Int(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(*Parsed("-9223372036854775808").root().Int(), std::numeric_limits<std::int64_t>::min());
  const Json above = Parsed("9223372036854775808");
  EXPECT_EQ(above.root().kind(), JsonKind::kDouble);
  EXPECT_FALSE(above.root().Int().ok());
  EXPECT_EQ(*above.root().Double(), 9223372036854775808.0);
  EXPECT_EQ(*Parsed("1e2").root().Int(), 100) << "a double without fraction counts";
  EXPECT_FALSE(Parsed("1.5").root().Int().ok());
  EXPECT_EQ(*Parsed("-0").root().Int(), 0);
  EXPECT_EQ(*Parsed("4.9e-324").root().Double(), 4.9e-324);
  EXPECT_EQ(*Parsed("1e-999").root().Double(), 0.0) << "too small is zero";
  EXPECT_THAT(ErrorOf("[1e999]"), HasSubstr("byte 1: the number is too large"));
  EXPECT_THAT(ErrorOf("-1" + std::string(400, '0')), HasSubstr("too large"));
}

TEST(Json, HoldsIntegersWithinBounds) {
  const Json json = Parsed(R"({"one": 1, "five": 5, "six": 6, "far": 4294967297, "part": 1.5})");
  const auto read = [&](std::string_view name) { return json.root().Get(name)->IntIn(1, 5); };
  EXPECT_EQ(*read("one"), 1);
  EXPECT_EQ(*read("five"), 5);
  EXPECT_EQ(read("six").status().message(), "t.json: $.six: expected 1 to 5, found 6");
  EXPECT_THAT(read("far").status().message(), HasSubstr("expected 1 to 5, found 4294967297"));
  EXPECT_THAT(read("part").status().message(), HasSubstr("expected an integer"));
}

TEST(Json, DecodesEscapes) {
  EXPECT_EQ(*Parsed(R"("\"\\\/\b\f\n\r\t")").root().String(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(*Parsed(R"("a\u00e9b\u20ac\ud83d\ude00c")").root().String(), "aéb€😀c");
  EXPECT_EQ(*Parsed(R"("\u0000x")").root().String(), std::string_view("\0x", 2));
  const Json key = Parsed(R"({"a\tb":"c\td", "plain":1})");
  EXPECT_EQ(*key.root().Get("a\tb")->String(), "c\td");
  EXPECT_EQ(*key.root().Get("plain")->Int(), 1) << "what follows a decoded string is intact";
}

TEST(Json, SyntaxErrorsNameTheByte) {
  EXPECT_EQ(ErrorOf("[1,]"), "t.json: not valid JSON at byte 3: expected a value");
  EXPECT_EQ(ErrorOf("[1"), "t.json: not valid JSON at byte 2 (the end): expected \",\" or \"]\"");
  EXPECT_EQ(ErrorOf("{\"a\" 1}"),
            "t.json: not valid JSON at byte 5: expected \":\" after the name");
  EXPECT_THAT(ErrorOf(""), HasSubstr("byte 0 (the end): expected a value"));
  EXPECT_THAT(ErrorOf("1 2"), HasSubstr("byte 2: expected the end"));
  EXPECT_THAT(ErrorOf("\"a\nb\""), HasSubstr("byte 2: a control character"));
  EXPECT_THAT(ErrorOf("\"abc"), HasSubstr("does not end"));
  EXPECT_THAT(ErrorOf("\"12345678\\"), HasSubstr("does not end"));
  EXPECT_THAT(ErrorOf(R"("\x")"), HasSubstr("byte 1: unknown escape"));
  EXPECT_THAT(ErrorOf(R"("\u12g4")"), HasSubstr("four hexadecimal digits"));
  EXPECT_THAT(ErrorOf(R"("\u+123")"), HasSubstr("four hexadecimal digits"));
  EXPECT_THAT(ErrorOf(R"("\ud800x")"), HasSubstr("half of a surrogate pair"));
  EXPECT_THAT(ErrorOf(R"("\udc00")"), HasSubstr("half of a surrogate pair"));
  EXPECT_THAT(ErrorOf("[\"\xff\"]"), HasSubstr("byte 2: invalid UTF-8"));
  for (const char* bad : {"01", "+1", ".5", "1.", "1e", "-", "nul", "True", "NaN", "'a'", "{1:2}",
                          "[,1]", "{,}", "{\"a\":1,}", "]", "}", "[}", "{]", "\xEF\xBB"}) {
    EXPECT_NE(ErrorOf(bad), "accepted") << bad;
  }
}

TEST(Json, SkipsAByteOrderMark) {
  EXPECT_EQ(*Parsed("\xEF\xBB\xBF[7]").root().At(0)->Int(), 7);
}

TEST(Json, LimitsNesting) {
  const std::string deep(Json::kMaxDepth, '['), close(Json::kMaxDepth, ']');
  EXPECT_TRUE(Json::Parse(deep + close, "t").ok());
  EXPECT_THAT(ErrorOf("[" + deep + close + "]"), HasSubstr("nested deeper than 128"));
  EXPECT_THAT(ErrorOf(std::string(1 << 20, '[')), HasSubstr("nested deeper than 128"));
}

TEST(Json, ErrorsOfAccessNameSourceAndPath) {
  const Json json = Parsed(R"({"layers":[{"n":1},{"n":"two"}],"dim":null})");
  const JsonValue second = *json.root().Get("layers")->At(1);
  EXPECT_EQ(second.Get("n")->Int().status().message(),
            "t.json: $.layers[1].n: expected an integer, found a string");
  EXPECT_EQ(second.Get("m").status().message(), "t.json: $.layers[1]: lacks the field \"m\"");
  EXPECT_EQ(json.root().Bool().status().message(),
            "t.json: $: expected a boolean, found an object");
  EXPECT_EQ(*json.root().IntOr("dim", 5), 5);
  EXPECT_FALSE(json.root().IntOr("layers", 5).ok()) << "a wrong kind is an error, not the fallback";
}

// Both trees as text in one form: keys in order, numbers by their bits.
std::string Canonical(const JsonValue& value) {
  switch (value.kind()) {
    case JsonKind::kNull: return "null";
    case JsonKind::kBool: return *value.Bool() ? "true" : "false";
    case JsonKind::kInt: return StrCat("i", *value.Int());
    case JsonKind::kDouble: return StrCat("d", std::bit_cast<std::uint64_t>(*value.Double()));
    case JsonKind::kString: return StrCat("\"", *value.String(), "\"");
    case JsonKind::kArray:
    case JsonKind::kObject: {
      std::string text = value.IsArray() ? "[" : "{";
      for (const JsonValue item : value) {
        StrAppend(&text, value.IsArray() ? "" : item.key(), ":", Canonical(item), ",");
      }
      return text + "]";
    }
  }
  return "";
}

std::string Canonical(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    return StrCat("d", std::bit_cast<std::uint64_t>(value.get<double>()));
  }
  if (value.is_number_integer()) return StrCat("i", value.get<std::int64_t>());
  if (value.is_number_float())
    return StrCat("d", std::bit_cast<std::uint64_t>(value.get<double>()));
  if (value.is_string()) return StrCat("\"", value.get_ref<const std::string&>(), "\"");
  std::string text = value.is_array() ? "[" : "{";
  for (const auto& item : value.items()) {
    StrAppend(&text, value.is_array() ? "" : item.key(), ":", Canonical(item.value()), ",");
  }
  return text + "]";
}

// Random documents, and the same with a byte changed, removed or added: nlohmann-json is the oracle
// of what is JSON and of every value.
TEST(Json, AgreesWithNlohmannOnMutatedDocuments) {
  const std::string seed =
      R"({"a":[1,-2.5e3,true,false,null,"x\n\u00e9\ud83d\ude00é€"],"bb":{"c":[[],{}],"long key here":"0123456789abcdef"},"z":0.1} )";
  const std::string alphabet = "{}[]\",:\\/ \n0123456789-+.eEtrufalsn\x01\x7f\xc3\xa9\xed\xa0";
  std::mt19937 random(20240229);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (int edits = 1 + static_cast<int>(random() % 2); edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0: text[at] = c; break;
        case 1: text.erase(at, 1); break;
        default: text.insert(at, 1, c);
      }
    }
    const StatusOr<Json> ours = Json::Parse(text, "t");
    const nlohmann::ordered_json theirs = nlohmann::ordered_json::parse(text, nullptr, false);
    ASSERT_EQ(ours.ok(), !theirs.is_discarded()) << text << "\n" << ours.status();
    if (!ours.ok()) continue;
    ++accepted;
    const std::string expected = Canonical(theirs);
    // ordered_json keeps one of two equal keys, so only documents without duplicates compare.
    if (expected.size() == Canonical(ours->root()).size()) {
      ASSERT_EQ(Canonical(ours->root()), expected) << text;
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(JsonWriter, WritesWhatTheParserReads) {
  JsonWriter w;
  w.BeginObject().Key("n").Int(3).Key("names").BeginArray().String("a").String("\"\\\n\x01é");
  w.EndArray().Key("empty").BeginObject().EndObject().Key("d").Double(0.1).Key("b").Bool(true);
  w.Key("none").Null().EndObject();
  const std::string text = w.Take();
  EXPECT_EQ(text,
            "{\"n\":3,\"names\":[\"a\",\"\\\"\\\\\\n\\u0001é\"],\"empty\":{},\"d\":0.1,\"b\":true,"
            "\"none\":null}");
  JsonWriter copy;
  copy.Value(Parsed(text).root());
  EXPECT_EQ(copy.Take(), text);
}

TEST(JsonWriter, Indents) {
  JsonWriter w(2);
  w.BeginObject().Key("a").BeginArray().Int(1).Int(2).EndArray().Key("e").BeginArray().EndArray();
  EXPECT_EQ(w.EndObject().Take(), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"e\": []\n}");
}

TEST(JsonWriter, NumbersAndBytesThatJsonCannotHold) {
  JsonWriter w;
  w.BeginArray()
      .Double(-0.0)
      .Double(NAN)
      .Double(INFINITY)
      .String("\xff\xc3")
      .Double(1.23456789, 3)
      .EndArray();
  EXPECT_EQ(w.Take(), "[-0.0,null,null,\"\xEF\xBF\xBD\xEF\xBF\xBD\",1.23]");
}

}  // namespace
}  // namespace hone::base
