// Text inside HTML. Private to reports/. Pure.
#pragma once

#include <string>
#include <string_view>

#include "harness/core/json.hpp"

namespace assay {

/// Safe as element content and inside double-quoted attributes. Bytes that are not UTF-8, and
/// control characters HTML does not allow, become U+FFFD.
std::string html_text(std::string_view text);

/// JSON that may stand inside a <script> element: no '<' in it.
std::string script_json(const Json& value);

/// JSON as readers want it: two spaces, invalid text replaced, escaped.
std::string html_json(const Json& value);

}  // namespace assay
