// What slots hold, and phrases that many templates share. "open" lists name things that nobody can list
// whole: training invents further ones.
#include "demo/grammar/texts.h"

namespace hone::demo {

const char kValueGrammar[] = R"(
@values room
- living room, kitchen, bedroom, bathroom, hallway, office, dining room, kids room, guest room
- basement, garage, entrance, upstairs hall, terrace, balcony, children's room, master bedroom
? attic, laundry room, toilet
! study, nursery, cellar, winter garden

@values place open
- the airport, the train station, the city hospital, the town hall, the office, work, school, the gym
- the central library, main street, park avenue, <1..200> mill road, <1..90> station road, the old harbor
- the science museum, green park, the soccer stadium, the university, oak street <1..80>, the zoo, river side mall
- the football field, <2..99> victoria street, grandma's house, the kindergarten, the golden lion hotel
- dublin, bristol, leeds, hamburg, lyon, ghent, portland, boston, my parents house, the dentist, the town center
? cedar lane <1..60>, the castle, turin, the swimming pool, <3..70> bridge street
! the opera house, <2..150> maple drive, the north ferry, seville, the rowing club, the seaside hotel, denver

@values poi
- gas station, charging station, parking lot, parking garage, supermarket, pharmacy, restaurant, coffee shop
- pizza place, rest area, hotel, atm, hospital, bakery, car wash, bank, playground, italian restaurant
- petrol station, car park, cafe, post office, fast food place, bike shop
? drugstore, campsite, burger place
! police station, sushi restaurant, ice cream parlor, fast charger, garden center

@values road
- toll roads, highways, the highway, the motorway, the a <1..99>, main street, ferries, the bridge, the tunnel
- route <1..120>, the city center, dirt roads, the ring road, the interstate, the harbor tunnel
? the old bridge, the b <1..300>
! toll bridges, mountain roads, the coast road, highway <1..90>

@values seat
- driver's, passenger, rear, rear left, rear right, front, back, left, right, front left, front right, driver
? back left
! co driver, back right, middle

@values speed
- <30..140>, <30..140> kilometers an hour, <20..85> miles an hour, <30..140> k m h, <20..85> m p h
? <20..85> miles per hour
! <30..140> kilometers per hour, the speed limit

@values temperature
- <15..28>, <15..28>, <15..28> point five, <60..78>
! <15..28> and a half

@values temperature_change
- <1..6>, a couple of, two or three
! a few

@values oven_temperature
- <100..250>, <150..220>, <300..450>

@values level
- <5..100> percent, <5..100> percent, half, full, maximum, minimum, low, medium, high, <1..10>, the maximum
? a quarter, the minimum
! a third, two thirds, the lowest, the highest setting

@values color
- red, blue, green, yellow, orange, purple, pink, white, warm white, cold white, dark blue, light green
? violet, bright red
! turquoise, lavender, soft yellow

@values light
- ceiling light, floor lamp, desk lamp, reading lamp, bedside lamp, spotlight, night light, chandelier
- table lamp, led strip, wall lamp, ceiling lamp, small lamp
? garden lights, hanging lamp
! string lights, standing lamp, corner lamp, mirror light

@values cover
- blinds, shutters, curtains, blind, shades, left blinds, right curtain
? roller blinds, drapes
! awning, left shutter, venetian blinds

@values door
- front, back, garage, garden, main, basement, patio, house, side
? kitchen, terrace
! cellar, balcony, porch

@values appliance
- washing machine, dishwasher, dryer, oven, coffee machine, microwave, kettle, heater, humidifier, sprinkler
- tv, air purifier, stove, fan, toaster, television
? rice cooker, pool pump
! slow cooker, espresso machine, dehumidifier, towel warmer

@values mode
- away, night, home, stay, vacation
! holiday, perimeter

@values scene
- movie, party, dinner, reading, good night, morning, sleep, work, relax, cinema, cleaning
? romantic, bedtime
! study, game night, breakfast, meditation

@values song open
- blue river, midnight train, dancing in the rain, summer days, hello again, the long way home, fly high
- golden eyes, wild heart, city lights, paper moon, one more time, lost in the snow, walking on air
- happy birthday, silver bells, dream on, the last dance, heart of stone, rain on the roof, sweet caroline
- under the bridge, let it go, stay with me, yellow taxi, stars are falling
? broken mirrors, sunday kind of love, ocean drive
! shadows on the wall, cold coffee, the river knows, ten thousand miles, velvet morning

@values artist open
- the night owls, anna bell, johnny rivers, the blue foxes, maria lopez, the travelers, dj comet, frank stone
- the paper kings, lena hart, mister piano, ella moon, the red balloons, carlos vega, the sisters, bach, mozart
- beethoven, the rolling hills, ruby lane, sam carter, nina wolf
? little thunder, oscar blue, vivaldi
! the winter birds, clara jones, chopin, the broken strings, big mike taylor

@values genre
- jazz, rock, classical, pop, hip hop, country, electronic, blues, reggae, folk, metal, eighties, christmas
- relaxing, dance, piano, techno, children's, workout, quiet
? soul, latin, nineties
! funk, ambient, bossa nova, gospel, opera

@values playlist open
- workout, morning, party, road trip, chill, favorites, dinner, running, sleep, summer, study, cooking, happy
- kids, rainy day, best of
? gym, throwback
! yoga, sunday brunch, deep focus, long drive

@values station open
- radio one, classic f m, rock radio, jazz f m, news radio, <88..107> point <1..9>, kiss f m, the sports channel
- radio two, city radio, star f m, the news channel, b b c radio four, radio berlin
? radio three, wave f m
! coast radio, radio paradise, sunshine f m, <90..106> point <1..9> f m

@values podcast open
- the daily news, history hour, science weekly, true stories, tech talk, planet money, the football show
- stuff to know, kitchen secrets, crime files, business today, the morning brief
? comedy club, deep space
! garden talk, the book circle, mind matters, sleepy stories

@values contact open
- mum, dad, mom, my wife, my husband, my boss, grandma, peter, anna, john smith, maria, sarah, david miller
- my brother, my sister, doctor brown, tom, lisa, uncle bob, emma, lucas, jane, michael, laura white, kevin
- aunt mary, the office, the dentist, paul, sophie, my son, my daughter, ben, julia fischer, alex, nick, amy
- mark, rose, will, grace, june, max, the plumber, the babysitter
? oliver, aunt helen, claire young, simon
! hannah, grandpa, ethan clark, natalie, my mother in law, zoe, professor lang, the landlord, marco rossi

@values phone
- mobile, his mobile, her cell phone, the landline, speaker, his cell, her mobile phone
! the other number, his work phone

@values message
- i (am|will be|might be) (late|home soon|on my way|there at <hour>|stuck in traffic|ten minutes late)
- (we are|i am) (at the station|out of milk|running late|almost there|leaving now|in a meeting)
- (can|could) you (pick me up|call me back|buy some milk|feed the cat|send me the address|wait for me)
- (see you|talk to you) (tomorrow|soon|later|at <hour>|on monday|tonight)
- happy birthday, i love you, thank you [so much], where are you, what's for dinner, dinner is ready, good luck
- the (meeting|party|game) (starts at <hour>|is cancelled|was great), i miss you, have a safe trip
- (please|) (bring|don't forget) (the keys|a cake|your jacket|the tickets), are you (home|okay|free tonight)
? (the train|my bus) is (late|delayed), we (need|should) to talk, call me when you (can|are free)
! (i forgot|i left) my (keys|wallet|phone) at home, the kids are (asleep|with me|at school), how was your day
! (i have|we have) got the tickets, don't wait for me, (let's|we could) meet at the (cafe|cinema) at <hour>

@values duration
- <2..59> minutes, <2..59> minutes, <2..90> seconds, <2..10> hours, an hour, one hour, half an hour, a minute
- an hour and a half, one hour and <5..50> minutes, <2..5> hours and <5..50> minutes, thirty seconds
- <2..10> minutes and <5..50> seconds, twenty five minutes
? a quarter of an hour, <2..12> and a half minutes
! three quarters of an hour, a minute and a half, <2..6> and a half hours, ninety minutes

@values time
- <hour> [o'clock], <hour> (a m|p m), <clock>, <clock> (a m|p m), half past <hour>, quarter past <hour>
- quarter to <hour>, <hour> thirty, <hour> (fifteen|forty five|twenty|ten) [(a m|p m)], noon, midnight
- <hour> in the (morning|evening|afternoon), <hour> tonight
? <hour> thirty in the (morning|evening), ten past <hour>
! a quarter (to|past) <hour>, twenty (to|past) <hour>, <hour> o'clock in the (morning|evening), lunch time

@values hour
- <1..12>

@values date
- today, tomorrow, tonight, [on] <weekday>, next <weekday>, this <weekday>, this weekend, tomorrow (morning|evening)
- the day after tomorrow, next week, [on] <month> <day>, in <2..9> days, this (morning|evening|afternoon)
- [on] the <day>, <weekday> (morning|night|afternoon)
? [on] the <day> of <month>, at the weekend
! in (a week|two weeks), a week from <weekday>, the (first|last) of <month>, later (today|this week), christmas eve

@values weekday
- monday, tuesday, wednesday, thursday, friday, saturday, sunday

@values month
- january, february, march, april, may, june, july, august, september, october, november, december

@values day
- first, second, third, fourth, fifth, sixth, tenth, twelfth, fifteenth, twentieth, twenty first, thirtieth

@values city open
- london, paris, berlin, new york, madrid, rome, chicago, tokyo, munich, vienna, dublin, oslo, amsterdam
- san francisco, los angeles, boston, brussels, lisbon, sydney, toronto
? prague, austin, zurich
! helsinki, new orleans, barcelona, warsaw, cape town

@values timer
- pasta, pizza, egg, tea, laundry, workout, cake, rice, homework, potato, bread
? steak, yoga
! lasagna, cookie, nap, roast chicken

@values item open
- milk, bread, eggs, butter, bananas, apples, coffee, cheese, toilet paper, rice, chicken, tomatoes, onions
- orange juice, dog food, olive oil, batteries, sugar, paper towels, yogurt, potatoes, a birthday card, soap
- two bottles of water, a bag of flour, salt, dish soap, a new lamp, carrots, ice cream, light bulbs
? honey, green tea, frozen peas, cat litter
! mushrooms, peanut butter, three lemons, oat milk, toothpaste, a bunch of parsley, garbage bags

@values list
- shopping, grocery, to do, packing, wish, party, christmas, groceries, hardware store, task
? birthday, camping
! chores, movie, pharmacy

@values event open
- meeting, dentist appointment, doctor's appointment, yoga class, birthday party, lunch, dinner, team meeting
- parent evening, soccer training, job interview, haircut, concert, flight, piano lesson, phone call
? book club, car inspection
! barbecue, eye test, swimming lesson, wedding, conference call

@values chore open
- call <contact>, buy <item>, take out the trash, water the plants, feed the (cat|dog|fish), pay the (rent|bills)
- pick up (the kids|the laundry|my suit|the package), clean the (kitchen|car|windows), take my (medicine|pills)
- book a (table|flight|hotel), walk the dog, send the (report|invoice|letter), charge the (car|phone|bike)
- turn off the oven, close the windows, renew my passport, fix the (bike|sink), lock the door
? return the (books|shoes), (iron|wash) (the shirts|my jeans), check the mail
! cancel the (gym membership|newspaper), defrost the (chicken|freezer), bake a cake for <contact>
! bring the (bottles|old paper) away, mow the lawn, print the (tickets|forms)
)";

}  // namespace hone::demo
