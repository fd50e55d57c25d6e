#include <fmt/format.h>

#include <algorithm>

#include "reports/assets.hpp"
#include "reports/comparison.hpp"
#include "reports/grid.hpp"
#include "reports/html_charts.hpp"
#include "reports/html_details.hpp"
#include "reports/html_text.hpp"
#include "reports/number.hpp"
#include "reports/report.hpp"
#include "reports/short_labels.hpp"
#include "reports/summary.hpp"
#include "reports/table.hpp"

namespace assay {
namespace {

constexpr FigureStyle style{"\u202f", " ± ", "–"};

std::string head_html(const std::string& title) {
  // The policy makes the browser itself refuse anything from outside this file.
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{} – assay</title>\n<style>\n{}</style>\n</head>\n",
      html_text(title), assets::style_css);
}

std::string header_html(const ReportInput& input, const ReportSummary& summary) {
  std::string out = fmt::format(
      "<header>\n<p class=\"kicker\">assay report</p>\n<h1>{}</h1>\n<dl class=\"facts\">\n",
      html_text(input.title));
  for (const auto& [name, value] : heading_facts(summary))
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_text(name), html_text(value));
  out += "</dl>\n";
  const std::string notice = board_notice(summary);
  if (!notice.empty()) out += fmt::format("<p class=\"notice\" role=\"note\">{}</p>\n", notice);
  return out + "</header>\n";
}

std::string charts_html(const Json& charts) {
  if (charts.empty()) return "";
  std::string out = "<section class=\"charts\" aria-label=\"Charts\">\n";
  for (const auto& chart : charts) {
    const auto title = chart.at("title").get<std::string>();
    out += fmt::format(
        "<figure><figcaption>{}</figcaption><div class=\"canvas\"><canvas id=\"{}\" role=\"img\" "
        "aria-label=\"{}; the table below has the same figures\"></canvas></div></figure>\n",
        title, chart.at("id").get<std::string>(), title);
  }
  return out +
         "</section>\n<noscript><p class=\"quiet\">The charts need JavaScript; the table has "
         "the same figures.</p></noscript>\n";
}

std::string column_heading(const ReportTable& table, const Column& column, bool headline) {
  const std::string mark = column.provenance
                               ? fmt::format("<abbr class=\"mark\" title=\"{}\">{}</abbr>",
                                             html_text(provenance_text(table, *column.provenance)),
                                             provenance_mark(*column.provenance))
                               : "";
  return fmt::format(
      "<th scope=\"col\" class=\"num{}\" aria-sort=\"none\"><button type=\"button\" title=\"{}\">{}"
      "</button><span class=\"unit\">{} {}</span></th>\n",
      headline ? "" : " extra", html_text(column.meaning), html_text(column.title),
      html_text(column.unit), mark);
}

std::string figure_cell(const Row& row, const Column& column, bool headline) {
  const char* hidden = headline ? "" : " extra";
  const auto found = row.figures.find(column.name);
  if (found == row.figures.end())
    return fmt::format("<td class=\"num absent{}\"><span title=\"not known\">–</span></td>",
                       hidden);
  std::string text = html_text(figure_text(row, column, style, "\u202f"));
  return fmt::format("<td class=\"num{}\" data-value=\"{}\" title=\"{}\">{}</td>", hidden,
                     exact_number(found->second.value), to_string(found->second.provenance), text);
}

/// What stands under a board's name: what the name does not say already.
std::string board_text(const Row& row) {
  std::string text = row.board.ends_with(row.board_type) ? "" : row.board_type + ", ";
  text += row.part;
  return row.virtual_board ? text + ", virtual" : text;
}

/// Board and verdict.
std::string board_cells(const Row& row) {
  if (row.on_host()) return "<td>host</td><td></td>";
  return fmt::format(
      "<td>{}<span class=\"unit\">{}</span></td><td><span class=\"verdict {}\">{}</span></td>",
      html_text(short_board_name(row)), html_text(board_text(row)), to_string(row.verdict),
      to_string(row.verdict));
}

/// The mark of a selected row, which says what it means.
std::string mark_html(const ReportTable& table, const Row& row) {
  const auto note = std::ranges::find(table.notes, row.mark, &LegendEntry::mark);
  if (note == table.notes.end()) return "";
  return fmt::format(" <abbr class=\"mark\" title=\"{}\">{}</abbr>", html_text(note->meaning),
                     row.mark);
}

std::string row_html(const ReportTable& table, const ReportTable& headline, const Row& row) {
  std::string out = fmt::format("<tr><th scope=\"row\"><a href=\"#record-{}\">{}</a>{}</th>",
                                row.records.front(), html_text(row.label), mark_html(table, row));
  if (!all_on_host(table)) out += board_cells(row);
  if (table.grouped)
    out += fmt::format("<td class=\"num\" data-value=\"{}\">{}</td>", row.seeds, seeds_text(row));
  for (const auto& column : table.columns) {
    const bool shown =
        std::ranges::find(headline.columns, column.name, &Column::name) != headline.columns.end();
    out += figure_cell(row, column, shown);
  }
  return out + "</tr>\n";
}

std::string table_html(const ReportTable& table, const ReportTable& headline) {
  std::string out = "<div class=\"scroll\"><table id=\"results\">\n<thead><tr>\n";
  std::vector<const char*> titles{"Model"};
  if (!all_on_host(table)) titles.insert(titles.end(), {"Board", "Verdict"});
  for (const char* title : titles)
    out += fmt::format(
        "<th scope=\"col\" aria-sort=\"none\"><button type=\"button\">{}</button></th>\n", title);
  if (table.grouped)
    out +=
        "<th scope=\"col\" class=\"num\" aria-sort=\"none\"><button type=\"button\">Seeds"
        "</button></th>\n";
  for (const auto& column : table.columns) {
    const bool shown =
        std::ranges::find(headline.columns, column.name, &Column::name) != headline.columns.end();
    out += column_heading(table, column, shown);
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows)
    out += row_html(table, headline, row);
  return out + "</tbody>\n</table></div>\n";
}

/// A mark that only hidden columns have is explained when they are shown.
std::string legend_html(const ReportTable& table, const ReportTable& headline) {
  std::string out = "<p class=\"legend\">";
  const auto at_once = legend(headline);
  for (const auto& [mark, meaning] : legend(table)) {
    const bool shown = std::ranges::find(at_once, mark, &LegendEntry::mark) != at_once.end();
    out += fmt::format("<span{}><b>{}</b> {}</span> ", shown ? "" : " class=\"extra\"", mark,
                       html_text(meaning));
  }
  out += "</p>\n";
  for (const auto& [mark, meaning] : table.notes)
    out += fmt::format("<p class=\"legend\"><span><b>{}</b> {}</span></p>\n", html_text(mark),
                       html_text(meaning));
  return out;
}

std::string failures_html(const ReportTable& table) {
  std::string out;
  for (const auto& row : table.rows)
    if (!row.verdict_detail.empty())
      out += fmt::format("<li><span class=\"verdict {}\">{}</span> {} on {}: {}</li>\n",
                         to_string(row.verdict), to_string(row.verdict), html_text(row.label),
                         html_text(board_name(row)), html_text(row.verdict_detail));
  return out.empty() ? out : "<ul class=\"failures\">\n" + out + "</ul>\n";
}

std::string results_html(const ReportTable& table, const ReportTable& headline) {
  return "<section class=\"results\" aria-labelledby=\"results-heading\">\n<div "
         "class=\"tools\"><h2 "
         "id=\"results-heading\">Results</h2>\n<label class=\"filter\">Filter <input "
         "type=\"search\" "
         "id=\"filter\" placeholder=\"" +
         std::string(all_on_host(table) ? "model" : "model, board, verdict") +
         "\"></label>\n<label class=\"switch\"><input type=\"checkbox\" id=\"all-columns\"> all "
         "metrics</label></div>\n" +
         table_html(table, headline) +
         "<p class=\"quiet\" id=\"no-match\" hidden>No row matches."
         "</p>\n" +
         legend_html(table, headline) + failures_html(table) + "</section>\n";
}

std::string comparison_html(const ReportInput& input) {
  const auto grid = comparison_grid(input, style);
  if (!grid) return "";
  std::string out = fmt::format(
      "<section class=\"results\"><h2>{}</h2>\n<div class=\"scroll\"><table>\n<thead><tr>",
      html_text(comparison_title(input)));
  for (const auto& column : grid->columns)
    out += fmt::format("<th scope=\"col\"{}>{}<span class=\"unit\">{}</span></th>",
                       column.numeric ? " class=\"num\"" : "", html_text(column.title),
                       html_text(column.note));
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : grid->rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += fmt::format("<td{}>{}</td>", grid->columns[i].numeric ? " class=\"num\"" : "",
                         html_text(row[i]));
    out += "</tr>\n";
  }
  return out + fmt::format("</tbody>\n</table></div>\n<p class=\"legend\">{}</p></section>\n",
                           html_text(grid->note));
}

std::string footer_html(const ReportSummary& summary) {
  if (!summary.command) return "";
  return fmt::format(
      "<section><h2>Reproduce the run</h2>\n<div class=\"command\"><code>{}</code>"
      "<button type=\"button\" class=\"copy\">Copy</button></div></section>\n",
      html_text(*summary.command));
}

}  // namespace

std::string render_html(const ReportInput& input) {
  const ReportTable table = printed_table(input, ColumnChoice::all);
  const ReportTable headline = printed_table(input, ColumnChoice::page);
  const ReportSummary summary = summarize(input);
  const Json charts = chart_data(headline, summary.teacher_accuracy);
  std::string out = head_html(input.title) + "<body>\n<main>\n" + header_html(input, summary);
  out += charts_html(charts) + results_html(table, headline) + comparison_html(input);
  out += environment_html(input);
  out +=
      "<section class=\"records\"><h2>Every record</h2>\n" + details_html(input) + "</section>\n";
  out += footer_html(summary) + "</main>\n";
  out += fmt::format("<script type=\"application/json\" id=\"charts\">{}</script>\n",
                     script_json(charts));
  if (!charts.empty()) out += fmt::format("<script>{}</script>\n", assets::chart_js);
  return out + fmt::format("<script>\n{}</script>\n</body>\n</html>\n", assets::script_js);
}

}  // namespace assay
