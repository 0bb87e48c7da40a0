// How people speak and what a recogniser makes of it: politeness, fillers, repetitions, corrections
// of oneself, words misheard, dropped, run together or torn apart, and slips of typing.
//
//   "dim the floor lamp to half"
//   "hey hone uh dim the the ceiling light no the floor lamp too half please"
//
// A tag stays with its word: parts of a torn word continue its slot, and what was said by mistake
// ("the ceiling light") lies outside of every slot.
#pragma once

#include "demo/grammar.h"

namespace hone::demo {

class Speech {
 public:
  Speech(const Grammar& grammar, Split split, Random& random)
      : expander_(grammar, split, random), grammar_(grammar), split_(split), random_(random) {}

  // Each kind of noise comes with its own probability, so that about two in five commands stay as
  // the grammar made them.
  void Disturb(Words* words);

 private:
  void AddPoliteness(Words* words);
  void CorrectAValue(Words* words);
  void BeginFalsely(Words* words);
  void Hesitate(Words* words);
  void Repeat(Words* words);
  void Mishear(Words* words);
  void DropAWord(Words* words);
  void JoinOrTear(Words* words);
  void Mistype(Words* words);

  Expander expander_;
  const Grammar& grammar_;
  const Split split_;
  Random& random_;
};

}  // namespace hone::demo
