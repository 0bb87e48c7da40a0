// Lights, blinds, doors and machines.
#include "demo/grammar/texts.h"

namespace hone::demo {

const char kHomeGrammar[] = R"(
@intent light_on
- (turn|switch|put) on the {room} (light|lights)
- (turn|switch|put) the {room} (light|lights) on
- (turn|switch|put) on the {light} [in the {room}]
- (turn|switch) the {light} on [in the {room}]
- (turn|switch) on (the|all|all the) lights [in the {room}]
- lights on [in the {room}]
- i need [some] light in the {room}
- (it's|it is) (too|so) dark [in here|in the {room}]
- (light up|brighten) the {room}
- {room} (light|lights) on [please]
- can i have [some] light in the {room}
- i can't see anything in the {room}
- get the {light} in the {room} going
- (the|my) {light} should be on

@intent light_off
- (turn|switch|put) off the {room} (light|lights)
- (turn|switch|put) the {room} (light|lights) off
- (turn|switch) off the {light} [in the {room}]
- (turn|switch) the {light} off [in the {room}]
- (turn|switch) off (the|all|all the) lights [in the {room}]
- lights (off|out) [in the {room}]
- i don't need [the] (light|lights) in the {room} [any more]
- make the {room} dark
- {room} (light|lights) (off|out) [please]
- (kill|cut) the (lights|{light}) [in the {room}]
- no more light in the {room}
- nobody is in the {room} (lights|light) off
- (the|my) {light} should be off

@intent light_dim
- dim the {room} (light|lights) [to {level}]
- (dim|set) the {light} to {level} [in the {room}]
- set the {room} (light|lights) to {level}
- set the brightness [of the {light}] [in the {room}] to {level}
- (make|turn) the (light|lights) (brighter|darker|down|up) [in the {room}]
- (lower|reduce|increase|raise) the brightness [in the {room}] [to {level}]
- (bring|take) the {light} (down|up) to {level}
- {room} (light|lights) (at|to) {level}
- (less|more) bright in the {room} please
- the {light} is too (bright|weak)
- i want the {room} lights at {level}
- only {level} light in the {room}

@intent light_color
- (make|turn|change) the {room} (light|lights) {color}
- (set|change|switch) the {room} (light|lights) to {color}
- (set|change) the {light} to {color} [in the {room}]
- (make|turn) the {light} {color}
- set the color [of the {light}] [in the {room}] to {color}
- (give me|i want) {color} light in the {room}
- {room} (light|lights) (in|to) {color}
- can the {light} be {color}
- paint the {room} {color} [with the lights]
- i would like the {room} in {color}

@intent blinds_open
- (open|raise|lift|roll up|pull up) the {cover} [in the {room}]
- (open|raise) the {room} {cover}
- (open|raise) the {cover} (halfway|to {level}|a bit|a little) [in the {room}]
- (put|move) the {cover} up [in the {room}]
- {cover} up [in the {room}]
- get the {cover} open [in the {room}]
- let the (sun|light|daylight) in [in the {room}]
- i want to see outside [in the {room}]
- (can|could) the {room} {cover} go up

@intent blinds_close
- (close|lower|shut|roll down|pull down) the {cover} [in the {room}]
- (close|lower) the {room} {cover}
- (close|lower) the {cover} (halfway|to {level}|a bit|a little) [in the {room}]
- (put|move) the {cover} down [in the {room}]
- the sun is too bright (close|lower) the {cover}
- {cover} down [in the {room}]
- get the {cover} closed [in the {room}]
- keep the sun out [of the {room}]
- the neighbors can see me [in the {room}]
- (can|could) the {room} {cover} go down

@intent vacuum_start
- (start|run|turn on) the (vacuum|robot vacuum|vacuum cleaner) [in the {room}]
- vacuum the {room} [floor]
- (clean|sweep) the {room} floor
- (tell|send) the (vacuum|robot) to (clean|start) [in the {room}]
- have the (robot|vacuum) (clean|do) the {room}
- start cleaning [the {room}]
- the {room} (floor|carpet) is dirty
- (send|let) the robot (into|loose in) the {room}
- the {room} needs vacuuming

@intent vacuum_stop
- (stop|pause|turn off) the (vacuum|robot vacuum|vacuum cleaner)
- stop (vacuuming|cleaning) [the {room}]
- send the (vacuum|robot) (home|back|to its dock)
- the (vacuum|robot) (should|can) (stop|go home)
- end the cleaning [in the {room}]
- dock the (vacuum|robot)
- that's enough vacuuming [for today]
- the robot is too loud stop it
- get the (vacuum|robot) back to its dock

@intent door_lock
- lock [up] (the|my) {door} [door]
- lock (up|all doors|the house)
- (make sure|check that) the {door} door is (locked|closed and locked)
- is the {door} door (locked|secured)
- (bolt|secure|shut and lock) (the|my) {door} door
- keep the {door} door locked
- did i lock the {door} door
- close up the house [for the night]
- put the lock on the {door} door

@intent door_unlock
- unlock the {door} [door]
- (open|unlock) the {door} door [for {contact}]
- let {contact} in [through the {door} door]
- unlock the house
- take the lock off the {door} door
- {contact} is here open the {door} door
- {contact} is (at|waiting at) the {door} door let them in
- the {door} door should be unlocked
- buzz {contact} in

@intent garage_open
- open [up] (the|my) garage [door]
- (raise|lift|roll up|pull up) (the|my) garage door
- get (the|my) garage [door] open
- i want to (drive|get) into the garage
- garage [door] (open|up) please
- move the garage door up
- i am (almost|nearly) home open the garage
- i need to park inside [open up]
- (can|could) the garage door go up

@intent garage_close
- (close|shut) (the|my) garage [door]
- (lower|shut|roll down|pull down) (the|my) garage door
- get (the|my) garage [door] closed
- (is|did i leave) the garage [door] open [close it]
- garage [door] (closed|down) please
- move the garage door down
- i am (out|leaving) shut the garage
- i forgot to close the garage
- (can|could) the garage door go down

@intent camera_show
- show [me] the {door} [door] camera
- (show|who is) [me] (who is|) at the {door} door
- (open|check|pull up) the {room} camera
- (put|show) the {room} camera on (the screen|the display|tv)
- let me see the {door} camera
- what does the {room} camera see
- is (somebody|someone|anybody) at the {door} door
- what's going on in the {room}
- i heard a noise (at|near) the {door} door show me

@intent security_arm
- (arm|turn on|activate|switch on) the (security system|house alarm|burglar alarm)
- (set|arm) the house [alarm] to {mode}
- put the (security system|house alarm) on {mode} [mode]
- (we are|i'm|i am) leaving (arm|turn on) the security system
- security system on [please]
- switch the security to {mode} mode
- watch the house while (we are|i am) away
- nobody will be home secure the house
- (protect|guard) the house

@intent security_disarm
- (disarm|turn off|deactivate|switch off) the (security system|house alarm|burglar alarm)
- (we are|i'm|i am) (home|back) (disarm|turn off) the security system
- stop the (house alarm|burglar alarm)
- security system off [please]
- end the house alarm it is only me
- it is a false alarm (turn it off|stop it)
- i set off the burglar alarm by accident
- drop the security we are back

@intent appliance_start
- (start|turn on|run|switch on) the {appliance} [in the {room}]
- (turn|switch) the {appliance} on [at {time}]
- (start|run) the {appliance} (at {time}|in {duration}|for {duration})
- preheat the oven to {oven_temperature} [degrees]
- set the oven to {oven_temperature} [degrees]
- (heat|warm) up the oven [to {oven_temperature} degrees]
- get the {appliance} (going|running) [at {time}]
- have the {appliance} run (in {duration}|for {duration})
- i want the {appliance} to (begin|start) (at {time}|in {duration})
- the oven should be at {oven_temperature} [degrees]
- {appliance} on for {duration}
- it is time for the {appliance}

@intent appliance_stop
- (stop|turn off|switch off) the {appliance} [in the {room}]
- (turn|switch) the {appliance} off [at {time}|in {duration}]
- (is|did i leave) the {appliance} on [turn it off]
- i don't need the {appliance} any more
- {appliance} off [please]
- end the {appliance} [program]
- (kill|cut) the {appliance}
- the {appliance} can stop now
- make sure the {appliance} is off

@intent appliance_query
- (is|has) the {appliance} (done|finished|running|still on)
- how (long|much longer) (will|does) the {appliance} (take|run|need)
- when (is|will) the {appliance} (be|) (done|finished|ready)
- (what's|how is) the {appliance} doing
- how much time is left on the {appliance}
- check on the {appliance}
- did the {appliance} finish
- can i (empty|open) the {appliance} [already|yet]
- what is the {appliance} up to

@intent scene_set
- (start|activate|turn on|set) [the] {scene} (mode|scene)
- (set|switch|put) the house (to|in) {scene} mode
- (set|switch) the {room} to {scene} mode
- it is {scene} time
- {scene} (mode|scene) [in the {room}] please
- change to {scene} mode
- get (everything|the {room}) ready for {scene}
- i want {scene} mode (now|in the {room})
- (prepare|make) the {room} for {scene}
)";

}  // namespace hone::demo
