// DefaultTexts of body.h.
#include "load/body.h"

namespace hone::load {

const std::vector<std::string>& DefaultTexts() {
  static const std::vector<std::string> texts = {
      "Turn off the lights.",
      "What time does the library close on Sundays?",
      "Set a timer for ten minutes, please.",
      "The delivery came two days late and one of the boxes was open.",
      "Where is my order?",
      "Play something quiet while I cook.",
      "I would like to change the address on my account before the next invoice is sent.",
      "Is there a train to the coast tomorrow morning?",
      "The new version starts faster, but it forgets the window's size every time.",
      "Cancel the meeting with the builders.",
      "A wonderful evening: the food was simple, the music was good, and nobody was in a hurry.",
      "How do I reset the router without losing my settings?",
      "Lower the blinds in the bedroom halfway.",
      "We waited forty minutes for a table that we had booked a week before.",
      "Does this jacket keep the rain out?",
      "Remind me to water the plants when I get home.",
      "The battery lasts a whole day if the screen is kept dim, and about five hours if it is not.",
      "Call the dentist.",
      "Our neighbours have kept bees for twenty years and sell the honey at the Saturday market.",
      "Which of the two plans includes support at the weekend?",
      "The film is half an hour too long, yet I would watch the last scene again at once.",
      "Make it two degrees warmer in the living room.",
      ("Please send me the receipt for the second payment as well, since the first one only shows "
       "the deposit that we made in March."),
      "Find a recipe with lentils and carrots.",
      ("The bridge will stay closed until the end of the month because one of its bearings must be "
       "replaced, so buses take the longer way around the harbour."),
      "My password no longer works.",
      "Add milk, bread and apples to the shopping list.",
      ("She read the letter twice, put it back into its envelope, and said nothing about it for a "
       "year."),
      "Are dogs allowed on the ferry?",
      "Stop.",
      ("The sensor reports a temperature every ten seconds; if three reports in a row are missing, "
       "the controller closes the valve and raises an alarm in the control room."),
      "Good value for the price, though the handle feels loose.",
      "Tell me when the washing machine is done.",
      "Can I pay in instalments?",
      ("The museum's new wing shows tools, maps and instruments that sailors used before "
       "there were satellites."),
      "Open the garage door and switch on the light in the yard.",
      "I asked for a window seat and got one above the wing.",
      "How far is the moon?",
      ("The committee will meet again in autumn, after the results of the survey "
       "have been counted, compared with those of last year, and published for everyone to read."),
      "Skip this song and never play it again.",
  };
  return texts;
}

}  // namespace hone::load
