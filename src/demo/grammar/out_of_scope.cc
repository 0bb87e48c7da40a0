// What an assistant for a car and a home must not act on: knowledge, small talk, other services, and
// sentences that only sound like commands.
#include "demo/grammar/texts.h"

namespace hone::demo {

const char kOutOfScopeGrammar[] = R"(
@intent out_of_scope
- who (invented|discovered|built) the (radio|light bulb|car|telephone|train|air conditioner|first computer)
- (what's|what is) the capital of (france|peru|canada|kenya|australia|japan)
- how (tall|old|rich|famous) is (the president|the eiffel tower|this actor|that mountain|the queen)
- (tell|give) me (a joke|a story|a riddle|a fun fact|something interesting)
- how (are|were) you [today|doing]
- (what's|what is) your (name|favorite color|favorite song|age)
- (are|were) you (a robot|human|married|happy|real|tired)
- (book|reserve) (a flight|a hotel room|a table|a rental car|two tickets) [to <city>|for <date>]
- (order|get me) (a pizza|some sushi|a burger|flowers|a taxi) [for <time>]
- (translate|say) (good morning|thank you|where is the station) (to|in) (french|spanish|german|japanese)
- how do you (say|spell) (hello|window|light|necessary) in (french|italian|chinese)
- (what's|what is) (<2..99> plus <2..99>|<2..20> times <2..20>|the square root of <2..200>|<5..50> percent of <100..900>)
- (what's|how is) the (stock price|share price|dollar) [of <artist>|today]
- (who|which team) (won|plays|is winning) the (game|match|world cup|super bowl) [<date>]
- how do (blinds|solar panels|magnets|batteries|washing machines|airplanes) work
- why (is|are) the (sky blue|lights in the city so bright|windows made of glass|ocean salty)
- (how|where) can i (buy|sell|rent) (a car|a new oven|window glass|a house|cheap tires)
- (what|which) (car|heater|vacuum|lamp|phone) should i buy
- (my|the) (car|light|friend|room|song|window) (is|was) (really nice|blue|my favorite|very old)
- i (saw|met|found) <contact> (in the <room>|at <place>) <date>
- we (had|made) <item> for (lunch|dinner) <date>
- (he|she) (said|told me) (it would rain|the lights were on|you were late|<message>)
- (do you|does she) (like|love|prefer) <genre> music
- (sing|dance|rap|laugh) (for me|with me|please)
- (let's|can we) (play|start) a (game|quiz|round of chess)
- (write|draft) (a poem|an essay|a cover letter|an email to my landlord) [about <item>]
- (post|tweet|share) (this|that|a photo) (on|to) (facebook|my wall|the internet)
- (download|install|update) (the|an) (app|game|new version)
- (transfer|send) <10..900> (dollars|euros) to <contact>
- (what's|how much is) (my bank balance|on my account|the rent)
- (how many|what) (calories|vitamins) (are in|has) <item>
- (what's|give me) (a|the) recipe for (pancakes|apple pie|chicken soup|<item>)
- (when|where) was (the president|mozart|my father|<artist>) born
- (is|was) (it true|it possible) that (cats|people|trees) (dream|talk|fly)
- (i|we) (think|guess|hope) (so|not|it will be fine)
- (uh|well|okay then|you know what|so anyway|and then i said)
- the (kitchen|garage|car|heating|radio) (was|were) (expensive|painted last year|repaired <date>)
- (open|close) (your mind|your eyes|the deal|my bank account|the window of opportunity)
- (turn|switch) (over|sides|around|a blind eye|the page)
- (set|put) (me free|the table|your mind to it|yourself in my place)
- (play|call) (it a day|fair|with the dog|dead|it quits)
- (who|what) (wrote|painted|composed) (the mona lisa|hamlet|this symphony)
- (how|what) do (dogs|bees|sharks) (eat|sleep|think)
- (i am|i'm) (so bored|in love|a bit sad|hungry) (today|)
- (rent|hire) (me|us) a (boat|scooter|van) [for <date>]
- (convert|change) <10..500> (dollars|miles|pounds) (to|into) (euros|kilometers|kilos)
- the (blinds|lights|seats) in that (hotel|movie|restaurant) were (ugly|great)
- (which|what) (movie|film) (is|should) (on|i watch) <date>
- (when|why) did (the war|the show|the company) (end|start)
- do you (believe|think) (in ghosts|it will work|i am right)
- (subscribe|sign) me up for (the newsletter|the gym)
- (explain|describe) (gravity|the stock market|how heating works|a black hole)
- (what does|what is the meaning of) (thermostat|love|navigation|destiny) [mean]
- (name|list) (three|five) (rivers|countries|songs from the sixties|car brands)
- (pay|settle) (my|the) (parking ticket|electricity bill|fine)
- (return|track) my (package|order|parcel) [from <date>]
- how (much|expensive) is (a new window|a train ticket to <city>|heating oil|a car)
- (my|our) (neighbor|teacher|boss) (turned|switched) (sixty|jobs|sides) <date>
- (you|they) should (see|hear) (the garage|the radio host|my new car|what <contact> did)
- (who is|who was) (taller|faster|older|in that movie)
- (flip|toss) a coin
- (roll|throw) (the|two) dice
- (can|do) (penguins|cats|robots) (fly|open doors|drive cars|feel cold)
- (find|get) me a (new job|girlfriend|better phone plan|lawyer)
- (the weather|traffic|music) (was|used to be) (better|terrible) (when i was young|last year|back then)
- (is there|was there) life on (mars|other planets|the moon)
- (call|ring) (of duty|a spade a spade|the changes)
- i (used to|wanted to) (have|buy) (that lamp|a dog|an old radio|blinds like these)
- (light|heat|lock) (travels fast|is a form of energy|and key|as a feather)
- (recommend|suggest) (a book|a restaurant in <city>|a good wine)
- (close|open) (enough|to the public|your heart|friends)
- (lower|raise) (your voice|my taxes|the children well|the bar)
)";

}  // namespace hone::demo
