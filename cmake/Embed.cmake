# cmake -DIN=file -DOUT=file.cc -DNAMESPACE=hone::compress -DNAME=ReportStyle -P Embed.cmake
# Writes a C++ file whose function NAME() gives the bytes of IN.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "// Generated from ${IN}.
#include <string_view>

namespace ${NAMESPACE} {

static constexpr unsigned char kBytes[] = {
${bytes}
};

std::string_view ${NAME}();
std::string_view ${NAME}() { return {reinterpret_cast<const char*>(kBytes), sizeof kBytes}; }

}  // namespace ${NAMESPACE}
")
