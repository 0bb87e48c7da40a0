// Reading a request's JSON: every error names the field, every number has limits.
//
// Usage
//   HONE_RETURN_IF_FAULT(ParseBody(body, &json));                 // an object, or a fault
//   HONE_RETURN_IF_FAULT(ReadBool(json->root(), "truncate", &truncate));  // absent, null: unchanged
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "server/api/fault.h"

namespace hone::server {

// A JSON object. Duplicate members: the first counts. Unknown members: ignored.
MaybeFault ParseBody(std::string_view body, std::optional<base::Json>* json);

// "input[3].text" of the value; "" of the root.
std::string FieldOf(const base::JsonValue& value);
// A fault at the value.
Fault Wrong(const base::JsonValue& value, std::string_view message);

MaybeFault Require(const base::JsonValue& object, std::string_view name,
                   std::optional<base::JsonValue>* value);

// The value itself.
MaybeFault AsString(const base::JsonValue& value, std::string* text);
MaybeFault AsInt(const base::JsonValue& value, std::int64_t low, std::int64_t high,
                 std::int64_t* number);

// A member that may be absent or null: *out then keeps what it has.
MaybeFault ReadBool(const base::JsonValue& object, std::string_view name, bool* out);
MaybeFault ReadInt(const base::JsonValue& object, std::string_view name, std::int64_t low,
                   std::int64_t high, std::int64_t* out);
MaybeFault ReadString(const base::JsonValue& object, std::string_view name, std::string* out);

// An array of token ids, each from 0 to 2^31 - 1. `limit`: of the array's size.
MaybeFault AsIds(const base::JsonValue& value, int limit, std::vector<std::int32_t>* ids);

// No more elements than `limit`; at least one.
MaybeFault CheckCount(const base::JsonValue& array, int limit);

}  // namespace hone::server
