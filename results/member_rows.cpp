#include "results/member_rows.hpp"

namespace assay {
namespace {

using TextPair = std::pair<std::string, std::string>;

/// The rows of a table of two text columns, the first of which names a matrix.
std::vector<TextPair> select_pairs(soci::session& session, const std::string& select,
                                   const char* name, const std::string* matrix) {
  TextPair row;
  soci::statement statement(session);
  if (matrix) statement.exchange(soci::use(*matrix));
  statement.exchange(soci::into(row.first));
  statement.exchange(soci::into(row.second));
  statement.alloc();
  statement.prepare(select + (matrix ? std::string(" WHERE ") + name + " = :matrix" : "") +
                    " ORDER BY 1, 2");
  statement.define_and_bind();
  statement.execute();
  std::vector<TextPair> rows;
  while (statement.fetch())
    rows.push_back(row);
  return rows;
}

}  // namespace

std::vector<Membership> select_members(soci::session& session, const std::string* matrix) {
  std::vector<Membership> members;
  for (auto& [name, key] :
       select_pairs(session, "SELECT matrix, measurement_key FROM members", "matrix", matrix))
    members.push_back({std::move(name), std::move(key)});
  return members;
}

void insert_member(soci::session& session, const Membership& member) {
  session << "INSERT OR IGNORE INTO members (matrix, measurement_key) VALUES (:matrix, :key)",
      soci::use(member.matrix), soci::use(member.measurement_key);
}

std::vector<MatrixContext> select_contexts(soci::session& session, const std::string* matrix) {
  std::vector<MatrixContext> contexts;
  for (const auto& [name, context] :
       select_pairs(session, "SELECT name, context FROM matrices", "name", matrix))
    contexts.push_back({name, Json::parse(context)});
  return contexts;
}

void insert_context(soci::session& session, const MatrixContext& context, bool replace) {
  const std::string text = context.context.dump();
  session << std::string(replace ? "INSERT OR REPLACE" : "INSERT OR IGNORE") +
                 " INTO matrices (name, context) VALUES (:name, :context)",
      soci::use(context.matrix), soci::use(text);
}

}  // namespace assay
