// The tables of a store and how an older file becomes a current one. Private to results/ and its
// tests. Throws SOCI's exceptions, which the caller guards.
//
// A schema change is one more entry at the end of the list; entries that were released never
// change.
#pragma once

#include <soci.h>

#include <filesystem>
#include <span>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// One step from the version before to the next.
struct Migration {
  const char* purpose;
  std::vector<const char*> statements;
};

/// Every step, in order; a file that went through the first n is at version n.
const std::vector<Migration>& migrations();

/// Brings the file to the version `steps.size()`, in one transaction. Returns without writing when
/// it is there already. Errors: bad_input when the file has tables of another program or was
/// written by a newer assay.
Status migrate(soci::session& session, std::span<const Migration> steps,
               const std::filesystem::path& path);

}  // namespace assay
