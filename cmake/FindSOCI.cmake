# Finds SOCI (Debian's libsoci-dev ships no CMake configuration) and its SQLite backend.
# Defines SOCI::core and SOCI::sqlite3.
include(FindPackageHandleStandardArgs)
find_path(SOCI_INCLUDE_DIR soci.h PATH_SUFFIXES soci)
find_library(SOCI_CORE_LIBRARY soci_core)
find_library(SOCI_SQLITE3_LIBRARY soci_sqlite3)
find_path(SQLITE3_INCLUDE_DIR sqlite3.h)
find_package_handle_standard_args(SOCI
  REQUIRED_VARS SOCI_CORE_LIBRARY SOCI_SQLITE3_LIBRARY SOCI_INCLUDE_DIR SQLITE3_INCLUDE_DIR)
if(SOCI_FOUND AND NOT TARGET SOCI::core)
  add_library(SOCI::core UNKNOWN IMPORTED)
  set_target_properties(SOCI::core PROPERTIES
    IMPORTED_LOCATION ${SOCI_CORE_LIBRARY}
    # The library hides the type information that this one check of -fsanitize=undefined links to.
    INTERFACE_COMPILE_OPTIONS -fno-sanitize=vptr
    INTERFACE_INCLUDE_DIRECTORIES "${SOCI_INCLUDE_DIR};${SQLITE3_INCLUDE_DIR}"
    # Debian's soci-config.h switches on Boost, whose headers libsoci-dev does not bring and only a
    # few convenience templates use: its include guard is taken here, its other settings repeated.
    INTERFACE_COMPILE_DEFINITIONS
      "SOCICONFIG_H_INCLUDED;SOCI_HAVE_CXX11;SOCI_HAVE_SQLITE3;SOCI_HAVE_VISIBILITY_SUPPORT")
  add_library(SOCI::sqlite3 UNKNOWN IMPORTED)
  set_target_properties(SOCI::sqlite3 PROPERTIES
    IMPORTED_LOCATION ${SOCI_SQLITE3_LIBRARY}
    INTERFACE_LINK_LIBRARIES SOCI::core)
endif()
