// The files that the HTML report carries, embedded when assay is built. Private to reports/.
#pragma once

#include <string_view>

namespace assay::assets {

extern const std::string_view chart_js;   ///< Chart.js, MIT licence, from Debian's libjs-chart.js
extern const std::string_view style_css;  ///< assets/report.css
extern const std::string_view script_js;  ///< assets/report.js

}  // namespace assay::assets
