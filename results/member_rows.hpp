// Matrices, and which records belong to them, as rows. Private to results/. Throws SOCI's and
// JSON's exceptions, which the caller guards.
#pragma once

#include <soci.h>

#include <string>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

/// A record belongs to a matrix when the matrix has its cell, whichever matrix measured it.
struct Membership {
  std::string matrix;
  std::string measurement_key;
};

/// The members of one matrix, or of all when it is null; by name, then key.
std::vector<Membership> select_members(soci::session& session, const std::string* matrix = nullptr);

/// Adds a member; one that is there already stays.
void insert_member(soci::session& session, const Membership& member);

/// What is known about the last run of a matrix.
struct MatrixContext {
  std::string matrix;
  Json context;
};

std::vector<MatrixContext> select_contexts(soci::session& session,
                                           const std::string* matrix = nullptr);

/// Writes a context; `replace` says whether one that is there gives way.
void insert_context(soci::session& session, const MatrixContext& context, bool replace);

}  // namespace assay
