// Music, radio, calls and messages.
#include "demo/grammar/texts.h"

namespace hone::demo {

const char kMediaGrammar[] = R"(
@intent music_play
- play {song} [by {artist}]
- play (some|something by|a song by|music by|the music of) {artist}
- play (some|) {genre} [music] [in the {room}]
- (put on|start) (some|) {genre} [music] [in the {room}]
- play (my|the) {playlist} playlist [in the {room}]
- i want to (hear|listen to) {song} [by {artist}]
- i want to (hear|listen to) (some|) {genre}
- (put on|start|shuffle) (my|the) {playlist} playlist
- can i hear {song} from {artist}
- play (some|) music [in the {room}]
- (let me|let's) (hear|listen to) {artist}
- (put|throw) on {song} [by {artist}]
- give me some {genre} [in the {room}]
- i (feel like|am in the mood for) (some|) {genre}
- (start|begin) with {song} by {artist}
- {artist} please [play {song}]
- find {song} and play it [in the {room}]
- {genre} [music] in the {room}
- my {playlist} playlist on shuffle

@intent radio_play
- (play|put on|turn on) {station}
- (tune|switch|change) [the radio] to {station}
- (turn|switch) on the radio [in the {room}]
- (play|start) the radio [in the {room}]
- i want to (hear|listen to) {station}
- listen to {station} [in the {room}]
- (give me|find) {station} [on the radio]
- radio on [in the {room}]
- what is on {station} put it on
- (set|change) the station to {station}
- let's hear {station} [in the {room}]
- go to {station} on the radio

@intent podcast_play
- play [the] [latest|newest|last] [episode of] [the] podcast {podcast}
- play the {podcast} podcast
- (start|continue|resume) [the] podcast {podcast}
- i want to (hear|listen to) the [new] episode of {podcast}
- play the (latest|newest|last) episode of {podcast}
- (put on|open) the {podcast} podcast
- continue with {podcast} where i (stopped|left off)
- is there a new episode of {podcast} play it
- let me hear the {podcast} podcast
- the newest {podcast} [episode] please

@intent media_pause
- (pause|stop) [the] (music|song|playback|podcast|radio)
- (pause|stop) (playing|it|this)
- pause [please]
- (turn off|switch off|mute) the (music|radio)
- stop the (music|radio) [in the {room}]
- hold the (music|song) (for a moment|a second)
- i don't want (music|the radio) any more
- (be quiet|silence) [please]
- no more music [in the {room}]
- (shut|cut) the (music|radio)
- take a break from the music

@intent media_resume
- (resume|continue|unpause) [the] (music|song|playback|podcast)
- (continue|resume|keep) playing
- play (again|on|it again)
- (start|play) the music again
- go on with the (music|song|podcast)
- continue where we (stopped|left off)
- carry on [with the (music|song|podcast)]
- you can play again now
- un pause (it|the music)

@intent media_next
- (next|skip) [this] (song|track|one)
- skip (it|this|ahead) [please]
- play the next (song|track|one|episode)
- go to the next (song|track|one|episode)
- i don't like this (song|track|one) [skip it]
- (another|a different) (song|track) please
- jump to the next (song|track)
- move on to the (following|next) (song|track|episode)
- (not|anything but) this song
- change the (song|track)

@intent media_previous
- (previous|last) (song|track|one|episode) [again]
- go back [to] [the] (last|previous) (song|track|one|episode)
- play the (previous|last) (song|track|one) [again]
- go back (one|a) (song|track)
- back to the (previous|last) (song|track)
- one (song|track) back [please]
- (return|jump) to the previous (song|track)
- what was before this play it again
- i liked the one before [go back]
- (rewind|jump back) to the song before

@intent volume_up
- (turn|put) [it|the volume|the music] up [a bit|a little] [in the {room}]
- (louder|make it louder) [please]
- (raise|increase) the volume [by {level}]
- volume up [in the {room}]
- (turn up|crank up) the (volume|music|radio)
- (a bit|a little) louder [in the {room}]
- more volume [in the {room}]
- i (can't|cannot|can hardly) hear (it|the music|anything)
- (speak|play) (louder|up) [in the {room}]
- it is too quiet [in the {room}]

@intent volume_down
- (turn|put) [it|the volume|the music] down [a bit|a little] [in the {room}]
- (quieter|softer|make it quieter) [please]
- (lower|decrease|reduce) the volume [by {level}]
- volume down [in the {room}]
- turn down the (volume|music|radio)
- (a bit|a little) (quieter|softer) [in the {room}]
- less volume [in the {room}]
- (it's|it is|this is|that's) too loud [in the {room}]
- not so loud [in the {room}]
- (speak|play) (quieter|softly) [in the {room}]

@intent volume_set
- set the volume to {level} [in the {room}]
- (turn|put|change) the volume to {level} [in the {room}]
- volume (to|at|) {level} [in the {room}]
- i want the volume at {level}
- turn [it|the volume] (up|down) to {level}
- make the volume {level} [in the {room}]
- (adjust|bring) the volume to {level}
- {level} volume [in the {room}] please
- play it at {level} [in the {room}]
- the volume should be {level}

@intent song_query
- (what's|what is) (this song|playing|this track) [called]
- (which|what) song is (this|playing) [right now]
- who (sings|is singing|plays|made) this [song]
- (what's|what is) the (name|title) of (this|the) (song|track|artist)
- tell me the name of this (song|artist)
- who is the artist of this (song|track)
- i like this [song] who is it [by]
- do you know what we are listening to
- name (this|that) tune

@intent call_contact
- call {contact} [on {phone}]
- (phone|ring|dial) {contact}
- (make|start) a call to {contact}
- (give|get) {contact} a (call|ring)
- i (want|need) to (call|talk to|speak to) {contact}
- can you call {contact} [for me]
- (call|dial) {contact} at (home|work)
- place a call to {contact}
- get {contact} on the (phone|line)
- (connect|put) me (to|through to|with) {contact}
- let me (talk|speak) (to|with) {contact}
- {contact} on the phone please
- ring up {contact} [on {phone}]

@intent call_answer
- (answer|accept|take) (the|this|that) (call|phone)
- (pick up|answer) [the phone]
- (answer|accept) the call from {contact}
- take it (put it on speaker|i want to talk)
- yes (answer|take the call)
- get (that|the phone) [for me]
- i will (take|answer) that [call]
- it is {contact} pick up

@intent call_reject
- (reject|decline|ignore|refuse) (the|this|that) call
- (don't|do not) (answer|pick up) [the phone]
- hang up [the phone]
- (end|finish) (the|this) call
- (reject|decline|ignore) the call from {contact}
- i don't want to (talk|answer) now
- send (the call|{contact}) to voicemail
- i am (busy|driving) (ignore|refuse) it
- not now [don't pick up]
- (drop|cut) the call [with {contact}]

@intent message_send
- (send|write) [a] (message|text) to {contact} [saying|that says] {message}
- (text|message) {contact} {message}
- (tell|let) {contact} [know] [that] {message}
- send {contact} a (message|text) [saying|that] {message}
- (write|text) {contact} (that|saying) {message}
- send a message to {contact}
- (send|write) {contact} (a text|a message)
- compose a message to {contact}
- (drop|shoot) {contact} a (text|message) saying {message}
- inform {contact} that {message}
- could you let {contact} know {message}
- message for {contact} {message}
- write to {contact} and say {message}

@intent message_read
- (read|show) [me] (my|the) [new|last|latest] (messages|texts|message)
- (do i have|are there|any) [any] new (messages|texts)
- (read|what is) [me] the [last] (message|text) from {contact}
- (did|has) {contact} (write|text|texted|written) [me] [back]
- check my (messages|texts|inbox)
- what did {contact} (write|say|answer)
- play my (messages|texts)
- (have i got|is there) (anything|something) new from {contact}
- open the (text|message) {contact} sent [me]
- who (wrote|texted) [me]
)";

}  // namespace hone::demo
