// The grammar's texts, one a domain. demo/grammar.h says how they are read.
#pragma once

namespace hone::demo {

extern const char kCarGrammar[];
extern const char kMediaGrammar[];
extern const char kHomeGrammar[];
extern const char kOrganiserGrammar[];
extern const char kOutOfScopeGrammar[];
extern const char kValueGrammar[];

}  // namespace hone::demo
