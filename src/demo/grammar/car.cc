// Driving: the way, the car, its climate.
#include "demo/grammar/texts.h"

namespace hone::demo {

const char kCarGrammar[] = R"(
@intent navigate_to
- (navigate|take me|drive me|get me) to {place}
- (i want|i need|i would like) to (go|get|drive) to {place}
- (give me|start|find) [the] directions to {place}
- set (a|the|my) (destination|course) to {place}
- (start|begin) navigation to {place}
- (what's|what is) the (best|fastest|shortest) (way|route) to {place}
- {place} (is where i want to go|is my destination)
- (bring me|guide me) to {place}
- let's (go|drive) to {place}
- i have to be at {place} [show me the way]
- how do i get to {place} from here
- (plot|plan|calculate) a route to {place}
- (lead|guide) the way to {place}

@intent navigate_home
- (navigate|take me|drive me|get me) home
- (let's|i want to) (go|drive) home
- start (navigation|directions) (home|to my house)
- (what's|what is) the (best|fastest) (way|route) home
- (show|find) me the way (home|to my house)
- set my home as the destination
- home please (take the fastest route|i am tired)
- bring me back home
- how do i get home from here
- plan a route back to my (place|house)
- i (have|need) to get back to my house

@intent stop_add
- add [a] stop at {place}
- (stop|pull over) at {place} on the way
- i (want|need) to (stop|make a stop) at {place} first
- (add|put in) a stop at [a] {poi}
- go (by|via|through) {place} [on the way]
- (include|insert) {place} as a (stop|waypoint)
- can we (stop|go by) {place} [first]
- let's make a stop at a {poi}
- (on the way|before we arrive) i want to stop at {place}
- put {place} between here and the destination
- we should (stop|pull in) at a {poi} before we get there
- add {place} to (the|my|our) route

@intent route_cancel
- (cancel|stop|end|quit) [the] navigation
- (cancel|delete|clear) (the|my|this) route
- stop (guiding|navigating|giving me directions)
- i know the way (stop|end) the directions
- turn off [the] (navigation|route guidance)
- i don't need [the] directions any more
- end [the] route guidance
- forget (about|) the route
- no more directions [please]
- (you can|) stop telling me where to (drive|turn|go)
- (i will|i'll) find the way myself from here

@intent route_eta
- when (will|do|are) we (arrive|get there)
- how (long|much longer) (until|till|before) (we arrive|we get there|we are there)
- (what's|what is) (my|our|the) (arrival time|e t a)
- how (far|many miles|many kilometers) (is it|to go|is {place})
- how long (does it take|will it take) to [get to] {place}
- tell me the arrival time
- how much time until the destination
- (at what time|what time) (will i be|do i get) there
- will (i|we) be at {place} before {time}
- how much (further|longer) is it [to {place}]
- how many minutes until we reach {place}

@intent traffic_query
- (how is|how's|what's) the traffic [to {place}]
- (is there|are there) (any|a lot of|much) traffic (on|to|near) {place}
- (is there|are there) (a traffic jam|any jams|any delays) [on {road}]
- (give me|tell me) [the|a] traffic (report|update|news)
- (how is|what's) the traffic on {road}
- (show|check) [the] traffic (on the way|on my route|ahead)
- traffic (update|report) for {road}
- are there any (accidents|delays) ahead
- (is|will) {road} (be|) (blocked|busy|jammed)
- any (jams|accidents) on the way to {place}
- what does the road look like (ahead|on {road})
- how bad is the traffic (today|right now|on {road})

@intent find_nearby
- (find|show|search) [me] [the] (nearest|closest|next) {poi}
- where is the (nearest|closest|next) {poi}
- (find|search for|look for) a {poi} (nearby|near me|around here|close by)
- (is there|are there) (a|any) {poi} (nearby|near here|around here|on the way)
- i (need|am looking for) a {poi}
- show [me] [all] {poi} (in the area|near {place}|near me)
- which {poi} is (the closest|nearby)
- (look up|find) a {poi} near {place}
- how far is the (next|nearest) {poi}
- i would like to find a {poi} not far from here
- can you see a {poi} (around|on the map)
- what {poi} (do they have|are there) near {place}

@intent road_avoid
- avoid {road} [on this route]
- (find|take) a route without {road}
- (don't|do not) (use|take) {road}
- i (want|would like) to avoid {road}
- (stay|keep) off {road}
- choose a way without {road}
- skip {road} (this time|today)
- no {road} [on this trip] please
- is there a way around {road}
- i would rather not drive on {road}
- go around {road} if you can

@intent fuel_query
- how much (gas|fuel|petrol|battery|charge) (is left|do i have|do we have) [left]
- (what's|what is) (my|the) (fuel level|gas level|range|battery level)
- how (far|many miles) can (i|we|it) (go|drive) [with this tank|on this charge]
- (do i|do we) need to (refuel|get gas|fill up|charge [the car])
- (check|show) [me] the (fuel|battery|charge|gas) [level]
- tell me the remaining (range|fuel)
- is the tank (full|empty|half full)
- (do i have|is there) enough (fuel|gas|charge) to get to {place}
- when (do i|will i) have to (refuel|charge) [again]
- how full is the (tank|battery)
- will the (gas|charge|battery) last

@intent tire_query
- (check|show [me]) the (tire|tyre) pressure
- (what's|what is|how is) the (tire|tyre) pressure
- (are|is) [all] (my|the) (tires|tyres|tire pressure) (okay|fine|low)
- (is|does) (my|the) {seat} (tire|tyre) (flat|low|need air)
- do the (tires|tyres) need air
- how are (my|the) (tires|tyres) [doing]
- tell me the pressure of the (tires|tyres)
- (is there|do we have) enough air in the (tires|tyres)
- how much pressure is in the {seat} (tire|tyre)
- look at the (tires|tyres) for me

@intent car_lock
- lock (the|my) (car|vehicle)
- lock [all] the car doors
- (is|make sure) (my|the) car (is locked|locked)
- (secure|lock up) (the|my) (car|vehicle)
- please lock the car [for me]
- lock up my car
- did i lock the car [if not do it]
- close and lock the vehicle
- i (left|forgot) the car open lock it

@intent car_unlock
- unlock (the|my) (car|vehicle)
- unlock [all] the car doors
- open (up|) (the|my) car
- (let me in|open up) the car
- please unlock (the|my) car [for me]
- open the doors of the car
- the car is locked (open it|let me in)
- can you get the car doors open
- make the car open

@intent trunk_open
- open (the|my) (trunk|boot|tailgate)
- (pop|unlock) the (trunk|boot|tailgate)
- (can you|please) open the (trunk|boot) [for me]
- i need to (get to|open) the (trunk|boot)
- (trunk|boot|tailgate) open [please]
- get the (trunk|boot) open
- i have (bags|boxes) to put in the (trunk|boot)
- let me into the (trunk|boot)
- could the tailgate go up

@intent window_open
- (open|roll down|lower) (the|my) {seat} window
- (open|roll down|lower) (the|all|all the) (window|windows)
- (open|roll down) the {seat} window (a bit|a little|{level}|halfway)
- i want the {seat} window (open|down)
- let (some|in some) fresh air in
- put (my|the) {seat} window down
- window down on the {seat} side
- (crack|open up) the {seat} window
- (can|could) the {seat} window go down
- i need (some|) fresh air (in here|)
- it is stuffy open (something|a window)
- {seat} window (down|open) please

@intent window_close
- (close|roll up|raise|shut) (the|my) {seat} window
- (close|roll up|shut) (the|all|all the) (window|windows)
- put (the|my) {seat} window up
- i want the {seat} window (closed|up|shut)
- (it's|it is) (windy|loud) (close|shut) the (window|windows)
- window up on the {seat} side
- get the {seat} window closed
- (can|could) the {seat} window go up
- no more wind [in here] please
- {seat} window (up|shut) please
- it is raining in shut everything

@intent seat_heat_on
- (turn|switch) on [the] {seat} seat (heating|heater|warmer)
- (heat|warm) [up] (my|the) {seat} seat
- (heat|warm) [up] my seat
- (turn|switch) the seat (heating|heater|warmer) on
- set [the] {seat} seat (heating|heater) to {level}
- my seat is cold (warm|heat) it [up]
- start [the] seat heating [for the {seat}]
- i want the {seat} seat (warm|heated)
- my (back|bum) is (cold|freezing)
- make the {seat} seat (warm|hot|cozy)
- could you get the {seat} seat warm
- seat warmer on [for the {seat}]

@intent seat_heat_off
- (turn|switch) off [the] {seat} seat (heating|heater|warmer)
- (turn|switch) the seat (heating|heater|warmer) off
- stop (heating|warming) (my|the) {seat} seat
- my seat is too (hot|warm) [turn it off]
- i don't need the seat (heating|heater) any more
- seat (heating|heater) off [for the {seat}]
- end the {seat} seat heating
- no more heat in (my|the {seat}) seat
- my back is (burning|too hot)
- cut the seat warmer [on the {seat}]

@intent wipers_on
- (turn|switch) on the [windshield] wipers
- (turn|switch) the [windshield] wipers on
- start the [windshield] wipers
- set the wipers to {level}
- wipe the (windshield|windscreen)
- it is raining start the wipers
- (wipers|windshield wipers) on
- (i can't|i cannot) see [anything] through the (rain|windshield)
- clear the rain off the (windshield|windscreen)
- get the wipers going

@intent cruise_set
- set [the] cruise control to {speed}
- (turn|switch) on [the] cruise control [at {speed}]
- (keep|hold) [a] [speed of] {speed}
- cruise at {speed}
- set (the|my) speed to {speed}
- drive at {speed}
- cruise control {speed} [please]
- (stay|remain) at {speed}
- don't go faster than {speed}
- (hold|maintain) this speed
- fix the speed at {speed}

@intent defrost_on
- (turn|switch) on the {seat} (defroster|defrost|defogger)
- (defrost|defog|clear) the {seat} (windshield|windscreen|window)
- (turn|switch) the (defroster|defrost) on
- the (windshield|windscreen|window) is (foggy|frozen|fogged up|icy)
- start (the defroster|defrosting)
- get the (fog|ice) off the (windshield|windscreen|{seat} window)
- i (can't|cannot) see through the fogged (window|windshield)
- remove the (ice|fog) from the {seat} window
- everything is fogged up in here

@intent temperature_set
- set [the] (temperature|heat|heating|thermostat) to {temperature} [degrees]
- set [the] (temperature|heating) in the {room} to {temperature} [degrees]
- (make|keep) it {temperature} degrees [in the {room}]
- (turn|put) the (heating|thermostat|temperature) to {temperature} [degrees] [in the {room}]
- i want (it|the {room}) (at|to be) {temperature} degrees
- {temperature} degrees (in the {room}|on the {seat} side) please
- heat the {room} to {temperature} [degrees]
- change the {room} (temperature|thermostat) to {temperature}
- adjust the {room} (temperature|heating) to {temperature}
- (bring|get) the {room} to {temperature} degrees
- the {room} should be {temperature} degrees
- (warm|cool) the {room} (up|down|) to {temperature} [degrees]
- i would like {temperature} degrees in the {room} [by {time}]
- {room} thermostat to {temperature}
- can we have {temperature} degrees in here

@intent temperature_up
- (make it|i want it) (warmer|hotter) [in the {room}]
- (turn|put) (up the|the) (heat|heating|temperature) [up] [in the {room}]
- (raise|increase) the temperature [by {temperature_change} degrees]
- (raise|increase) the {room} (temperature|heating) [by {temperature_change} degrees]
- (it's|it is|i'm|i am) (too|so) cold [in here|in the {room}]
- warm it up [a bit|a little] [in the {room}]
- (a bit|a little) (warmer|more heat) [in the {room}] please
- {temperature_change} degrees (warmer|hotter) [in the {room}]
- (i am|i'm|we are) freezing [in here|in the {room}]
- (it could be|could it be) (warmer|less cold) in the {room}
- heat things up [in the {room}]
- more (heat|warmth) (in|for) the {room}

@intent temperature_down
- (make it|i want it) (cooler|colder) [in the {room}]
- turn (down the|the) (heat|heating|temperature) down [in the {room}]
- (lower|reduce|decrease) the temperature [by {temperature_change} degrees]
- (lower|reduce) the {room} (temperature|heating) [by {temperature_change} degrees]
- (it's|it is|i'm|i am) (too|so) (hot|warm) [in here|in the {room}]
- cool it down [a bit|a little] [in the {room}]
- (a bit|a little) (cooler|less heat) [in the {room}] please
- {temperature_change} degrees (cooler|colder) [in the {room}]
- (i am|i'm|we are) (sweating|boiling|melting) [in here|in the {room}]
- (it could be|could it be) (cooler|less warm) in the {room}
- cool things down [in the {room}]
- less (heat|warmth) (in|for) the {room}

@intent temperature_query
- (what's|what is) the temperature [in the {room}]
- how (warm|cold|hot) is it (in the {room}|in here|inside)
- (tell me|show me|check) the {room} temperature
- what is the (thermostat|heating) set to [in the {room}]
- how many degrees (are there|is it) in the {room}
- is it (warm|cold) in the {room}
- (read|give) me the {room} thermostat
- do you know how (warm|hot) the {room} is
- inside temperature [please]

@intent fan_set
- set the fan [speed] to {level}
- (turn|put) the fan (up|down) [to {level}]
- (turn|switch) (on|off) the [{room}] fan
- (increase|reduce|lower|raise) the fan speed [to {level}]
- (more|less) air [from the fan] [on the {seat} side]
- fan [speed] {level} [please]
- change the fan to {level}
- the fan is too (loud|strong|weak)
- (blow|give me) (more|less) air
- run the fan at {level}

@intent cooling_on
- (turn|switch) on the (a c|air conditioning|air con|air conditioner) [in the {room}]
- (turn|switch) the (a c|air conditioning|air con) on [in the {room}]
- start the (a c|air conditioning|air con) [in the {room}]
- i want the (a c|air conditioning) on
- (a c|air conditioning|air con) on [in the {room}]
- run the air (conditioning|conditioner) in the {room}
- get the (a c|air con) (going|running) [in the {room}]
- can we have air conditioning [in the {room}]
- (activate|enable) the air conditioner

@intent cooling_off
- (turn|switch) off the (a c|air conditioning|air con|air conditioner) [in the {room}]
- (turn|switch) the (a c|air conditioning|air con) off [in the {room}]
- stop the (a c|air conditioning|air con) [in the {room}]
- i don't (want|need) the (a c|air conditioning) [any more]
- (a c|air conditioning|air con) off [in the {room}]
- end the air conditioning [in the {room}]
- (shut|cut) the (a c|air con) [in the {room}]
- no more air conditioning [in the {room}] please
- (deactivate|disable) the air conditioner
)";

}  // namespace hone::demo
