#include "harness/core/json.hpp"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(ParseJson, AcceptsCommentsAndNamesTheSource) {
  const auto value = parse_json("// a matrix\n{\"a\": /* one */ 1}", "m.json");
  ASSERT_TRUE(value);
  EXPECT_EQ((*value)["a"], 1);
}

struct BadText {
  const char* text;
  const char* message_part;
};

class BadJson : public ::testing::TestWithParam<BadText> {};

TEST_P(BadJson, IsRefusedWithItsPlace) {
  const auto value = parse_json(GetParam().text, "m.json");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::bad_input);
  EXPECT_NE(value.error().message.find("m.json"), std::string::npos) << value.error().message;
  EXPECT_NE(value.error().message.find(GetParam().message_part), std::string::npos)
      << value.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BadJson,
    ::testing::Values(BadText{"{\"a\": 1,\n \"b\": }", "line 2"}, BadText{"", "end of input"},
                      BadText{"{\"a\": 1} x", "column"},
                      BadText{"{\"a\": 1, \"a\": 2}", "\"a\" is given twice"},
                      BadText{"{\"o\": {\"k\": 1, \"k\": 1}}", "\"k\" is given twice"},
                      BadText{"{\"a\": 1e999}", "number overflow"}));

TEST(ParseJson, AllowsOneKeyInTwoObjects) {
  EXPECT_TRUE(parse_json("{\"x\": {\"k\": 1}, \"y\": {\"k\": 2}, \"l\": [{\"k\": 1}, {\"k\": 1}]}",
                         "m.json"));
}

TEST(CanonicalJson, HasOneFormForOneValue) {
  const auto form = [](const char* text) { return canonical_json(*parse_json(text, "t")); };
  EXPECT_EQ(form("{\"b\": 1, \"a\": 2}"), "{\"a\":2,\"b\":1}");
  EXPECT_EQ(form("{\"a\": 1.0}"), form("{\"a\": 1}"));
  EXPECT_EQ(form("[1e2, -0.0]"), form("[100, 0]"));
  EXPECT_NE(form("[\"1\"]"), form("[1]"));
  // 2^53 + 1 is not a double: it stays the integer it is.
  EXPECT_EQ(form("[9007199254740993]"), "[9007199254740993]");
}

/// Reads one document the way callers do.
template <class Read>
Status read(const char* text, Read read_fields) {
  const auto json = parse_json(text, "doc");
  JsonErrors errors("doc");
  {
    JsonObject object(*json, "", errors);
    read_fields(object);
  }
  return errors.status();
}

struct BadField {
  const char* text;
  const char* message;
};

class BadFields : public ::testing::TestWithParam<BadField> {};

TEST_P(BadFields, AreNamedByPath) {
  const auto status = read(GetParam().text, [](JsonObject& object) {
    object.required<int>("count");
    object.optional("flag", false);
    object.optional<std::uint8_t>("small", 0);
    if (object.has("at")) object.address("at");
    object.for_each_object("list", [](JsonObject& item) { item.required<std::string>("name"); });
    object.list<double>("numbers");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Documents, BadFields,
    ::testing::Values(
        BadField{"{}", "doc: count: is missing"},
        BadField{"[]", "doc: expected an object, found an array"},
        BadField{"{\"count\": \"3\"}", "doc: count: expected an integer, found string \"3\""},
        BadField{"{\"count\": 1.5}", "doc: count: expected an integer, found number 1.5"},
        BadField{"{\"count\": 3000000000}",
                 "doc: count: 3000000000 is out of range (-2147483648 to 2147483647)"},
        BadField{"{\"count\": 1, \"flag\": 1}",
                 "doc: flag: expected true or false, found number 1"},
        BadField{"{\"count\": 1, \"small\": -1}", "doc: small: -1 is out of range (0 to 255)"},
        BadField{"{\"count\": 1, \"at\": \"4001\"}",
                 "doc: at: expected a 32-bit number such as \"0x40011000\", found string \"4001\""},
        BadField{"{\"count\": 1, \"list\": [{\"name\": \"a\"}, {\"nam\": \"b\"}]}",
                 "doc: list[1].name: is missing"},
        BadField{"{\"count\": 1, \"list\": [{\"name\": \"a\", \"x\": 1}]}",
                 "doc: list[0].x: unknown field"},
        BadField{"{\"count\": 1, \"numbers\": [1, null]}",
                 "doc: numbers[1]: expected a number, found null"},
        BadField{"{\"count\": 1, \"cuont\": 2}", "doc: cuont: unknown field"}));

TEST(JsonObject, ReadsEveryType) {
  const auto status =
      read("{\"i\": 2.0, \"b\": true, \"d\": 1, \"s\": \"x\", \"n\": null, \"a\": \"0xE0042000\"}",
           [](JsonObject& object) {
             EXPECT_EQ(object.required<int>("i"), 2);
             EXPECT_TRUE(object.required<bool>("b"));
             EXPECT_EQ(object.required<double>("d"), 1.0);
             EXPECT_EQ(object.required<std::string>("s"), "x");
             EXPECT_EQ(object.maybe<int>("n"), std::nullopt);
             EXPECT_EQ(object.address("a"), 0xE0042000u);
             EXPECT_EQ(object.optional("absent", 7), 7);
             EXPECT_EQ(object.choice("word", {"x", "y"}, "y"), "y");
           });
  EXPECT_TRUE(status) << status.error().message;
}

}  // namespace
}  // namespace assay
