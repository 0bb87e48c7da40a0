// The page's files, which CMake put into the program (hone_embed in cmake/Hone.cmake).
#pragma once

#include <string_view>

namespace hone::server {

std::string_view PageHtml();    // page.html, with marks where style and script go
std::string_view PageStyle();   // page.css
std::string_view PageScript();  // page.js

}  // namespace hone::server
