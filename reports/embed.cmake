# Writes OUTPUT, a C++ source with the text of each of FILES as a string_view of its name in NAMES.
# cmake -DOUTPUT=... -DNAMES=a,b -DFILES=x,y -P embed.cmake
string(REPLACE "," ";" NAMES "${NAMES}")
string(REPLACE "," ";" FILES "${FILES}")
file(WRITE "${OUTPUT}" "#include \"reports/assets.hpp\"\n\nnamespace assay::assets {\n\n")
foreach(name file IN ZIP_LISTS NAMES FILES)
  file(READ "${file}" text)
  file(APPEND "${OUTPUT}" "const std::string_view ${name} = R\"embedded_text(${text})embedded_text\";\n\n")
endforeach()
file(APPEND "${OUTPUT}" "}  // namespace assay::assets\n")
