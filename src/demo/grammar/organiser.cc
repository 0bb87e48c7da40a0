// Time, lists, calendar and weather.
#include "demo/grammar/texts.h"

namespace hone::demo {

const char kOrganiserGrammar[] = R"(
@intent timer_set
- set (a|the) timer (for|to) {duration}
- (start|set|make|create) a {duration} timer
- (start|set|create) a {timer} timer (for|of) {duration}
- timer (for|of|) {duration} [for the {timer}]
- (wake|remind) me in {duration}
- (count down|start a countdown) [from|of] {duration}
- set a timer called {timer} for {duration}
- put {duration} on the timer
- i need a timer [for the {timer}] of {duration}
- {duration} (on the clock|countdown) [for the {timer}]
- tell me when {duration} (are over|have passed|is over)
- time {duration} for (me|the {timer})
- the {timer} needs {duration}

@intent timer_cancel
- (cancel|stop|delete|turn off) (the|my) [{timer}] timer
- (cancel|stop|delete) (all|all my|the) timers
- stop the countdown
- i don't need the [{timer}] timer any more
- end the {timer} timer
- remove the timer [for the {timer}]
- (forget|drop) the [{timer}] timer
- the {timer} is ready no more timer
- no timer for the {timer} (any more|please)

@intent timer_query
- how (much time|long) is left [on the [{timer}] timer]
- (how much longer|how long) (does|will) the [{timer}] timer (run|take)
- check (the|my) [{timer}] timer
- (what's|what is) left on the [{timer}] timer
- how many minutes (are|) left [on the {timer} timer]
- show [me] the {timer} timer
- when (does|will) the [{timer}] timer (ring|end|go off)
- how is the {timer} timer doing
- time left for the {timer}

@intent alarm_set
- set an alarm (for|at) {time} [{date}]
- (wake me [up]|get me up) at {time} [{date}]
- (set|create|make) (an|a new) alarm (for|at) {time} [on] [{date}]
- (put|turn) on (an|the) alarm for {time}
- i (need|have) to (get up|wake up) at {time} [{date}]
- {date} at {time} wake me [up]
- alarm [for] {time} [{date}]
- make sure i (get|wake) up at {time}
- i want to be (awake|out of bed) by {time} [{date}]
- let the alarm (ring|go off) at {time} [{date}]
- don't let me sleep (past|longer than) {time}

@intent alarm_cancel
- (cancel|delete|turn off|remove) (my|the) [{time}] alarm [for {date}]
- (cancel|delete|turn off) the alarm (for|at) {time}
- (cancel|delete|turn off) all [my] alarms
- (stop|turn off) the alarm [clock]
- i don't need the [{time}] alarm [any more|{date}]
- no alarm (for|) {date} please
- drop the {time} alarm
- i (want|would like) to sleep (longer|in) {date}
- (forget|skip) the alarm (at {time}|{date})
- (don't|do not) wake me [up] {date}

@intent reminder_add
- remind me to {chore} [at {time}] [{date}]
- (set|add|create) a reminder to {chore} [at {time}] [{date}]
- (don't|do not) let me forget to {chore} [{date}]
- remind me {date} to {chore}
- remind me at {time} [that i have] to {chore}
- i (need|have) to {chore} [at {time}] [{date}] remind me
- make a note to {chore} [{date}]
- give me a reminder {date} to {chore}
- i must not forget to {chore} [{date}]
- (tell|ping) me at {time} to {chore}
- help me remember to {chore} {date}
- note for {date} {chore}

@intent list_add
- (add|put) {item} (to|on) [my|the] {list} list
- (add|put) {item} [and {item}] (to|on) (my|the) {list} list
- i need [to buy] {item} put it on the {list} list
- (write|note) {item} on (my|the) {list} list
- we (need|are out of|ran out of) {item}
- {item} (goes|should go) on the {list} list
- (get|stick) {item} on the {list} list
- my {list} list needs {item}
- (buy|get) {item} next time
- there is no {item} left
- {item} for the {list} list
- don't let me forget {item} on the {list} list

@intent list_remove
- (remove|delete|take) {item} from (my|the) {list} list
- (take|cross|strike) {item} off (my|the) {list} list
- we don't need {item} any more
- i (have|got|bought) {item} [already] (remove|delete) it [from the list]
- (clear|delete|empty) (my|the) {list} list
- {item} can go from the {list} list
- erase {item} from the {list} list
- {item} is done (take it off|cross it off)
- get {item} off my {list} list
- no {item} on the {list} list [any more]

@intent list_read
- (read|show) [me] (my|the) {list} list
- (what's|what is) on (my|the) {list} list
- is {item} on (my|the) {list} list
- (tell me|check) (my|the) {list} list
- open (my|the) {list} list
- how (long|many things) is on my {list} list
- what do i (need|have) to (buy|get) [{date}]
- let me hear the {list} list
- did i put {item} on the {list} list

@intent calendar_query
- (what's|what is) on my (calendar|schedule|agenda) [for] [{date}]
- (do i have|are there) [any] (meetings|appointments|plans) [on] {date}
- when is (my|the) [next] {event}
- (show|read) [me] my (calendar|schedule|agenda) [for {date}]
- am i (free|busy) [on] {date} [at {time}]
- what (meetings|appointments) do i have {date}
- check my calendar for {date}
- what (am i doing|do i do) {date}
- how (busy|full) is {date}
- (at what time|when) does the {event} (start|begin)
- have i got anything {date} at {time}

@intent calendar_add
- (add|put) [a|the] {event} (to|on|in) my calendar [for] {date} [at {time}]
- (schedule|plan|create) [a|an] {event} [for|on] {date} [at {time}]
- (schedule|book|set up) [a] {event} with {contact} [for|on] {date} [at {time}]
- (make|create) an appointment [for a] {event} {date} [at {time}]
- i have [a] {event} {date} at {time} (add|put) it in my calendar
- (note|enter) the {event} on {date} [at {time}] in my calendar
- new {event} with {contact} {date} at {time}
- block {date} at {time} for [a] {event}
- save the date {date} {event} [with {contact}]
- {event} {date} at {time} [put that in my calendar]

@intent weather_query
- (what's|what is|how's|how is) the weather [like] [in {city}] [{date}]
- (will it|is it going to) (rain|snow) [{date}] [in {city}]
- (how|) (warm|cold|hot) (will it be|is it) outside [{date}]
- what will the weather be [like] [{date}] [in {city}]
- (give me|tell me|show me) the [weather] forecast [for {date}] [in {city}]
- do i need (an umbrella|a jacket|a coat|sunglasses) [{date}] [in {city}]
- weather [for] [{date}] [in {city}]
- is it (sunny|raining|snowing|windy) in {city}
- forecast for {city} [{date}]
- how (likely|probable) is rain {date} [in {city}]
- (should|do) i (take|wear) (an umbrella|a jacket|a coat) {date}
- what can we expect from the sky [in {city}] {date}
- will the sun shine {date} [in {city}]

@intent time_query
- what time is it [in {city}] [now|right now]
- (what's|what is) the time [in {city}]
- (tell me|do you know) [what] the time [is] [in {city}]
- (what's|what is) the (date|day) today
- what day is it
- can you tell me the date
- time in {city} [please]
- how late is it [in {city}]
- is it (late|past {time}) already
- which day (is it|do we have) [today]

@intent help_query
- what can you do [for me]
- (help|help me) [please]
- what (can i|should i) (say|ask [you])
- how do you work
- (tell|show) me what you can do
- what are you good (at|for)
- which commands do you (know|understand)
- give me some examples of what (i can say|you do)
- i don't know what to say to you
- explain (yourself|how to use you)

@intent cancel
- (never mind|forget it|cancel that|stop that)
- (cancel|undo) [that|it]
- (no|nope) (forget it|never mind|leave it)
- (leave it|drop it)
- that was not for you
- i did not mean that
- scrap that [please]
- i changed my mind
- ignore what i said
)";

}  // namespace hone::demo
