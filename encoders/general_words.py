"""Words of everyday English that a picture can show, for the lexicon of `mini`.

Chosen by hand, so that common queries have their own dimension even where the training captions
never use the word. Only data: `unify.encoders.wordlist` folds and merges it.
"""

GENERAL_WORDS = {
    "colours and looks": """
        black white red green blue yellow orange purple pink brown grey gray gold golden
        silver beige turquoise violet maroon bright dark colorful shiny striped spotted
        transparent wooden metal plastic glass leather stone brick round square triangular
        tall short long big small tiny huge old young new broken dirty clean empty full wet
        dry hot cold frozen muddy sandy snowy rainy sunny cloudy foggy blurry rusty fluffy
        hairy bald bearded blonde naked""",
    "people": """
        man woman boy girl child baby toddler teenager adult lady guy kid couple family
        crowd group mother father parent grandmother grandfather brother sister twin friend
        bride groom bridesmaid doctor nurse dentist surgeon teacher student professor
        policeman police soldier officer fireman firefighter pilot astronaut sailor captain
        driver chef cook waiter waitress baker butcher farmer fisherman hunter gardener
        carpenter plumber electrician mechanic engineer worker scientist painter artist
        sculptor photographer musician singer rapper drummer guitarist pianist violinist
        dancer ballerina actor actress comedian magician clown juggler model reporter
        journalist anchor host politician president judge lawyer king queen prince princess
        knight pirate ninja samurai cowboy wizard witch vampire zombie ghost robot alien
        angel superhero monster referee coach athlete runner swimmer cyclist surfer skater
        skier climber boxer wrestler gymnast cheerleader goalkeeper pitcher batter hiker
        tourist shopper pedestrian prisoner thief monk priest nun santa audience player""",
    "body": """
        face head hair eye eyebrow eyelash nose mouth lip tooth tongue ear chin cheek neck
        beard mustache shoulder arm elbow wrist hand finger thumb nail chest back belly
        stomach waist hip leg knee ankle foot toe skin muscle bone skeleton skull brain
        heart blood tattoo scar wrinkle smile frown tear wing tail paw claw fur feather beak
        horn fin""",
    "animals": """
        dog puppy cat kitten horse pony foal donkey mule zebra cow bull calf buffalo bison
        ox sheep lamb goat pig piglet boar deer moose elk reindeer antelope gazelle giraffe
        camel llama alpaca elephant rhinoceros rhino hippopotamus hippo lion lioness tiger
        leopard jaguar cheetah panther puma lynx wolf fox coyote hyena bear panda koala
        kangaroo wallaby platypus wombat sloth monkey ape gorilla chimpanzee orangutan
        baboon lemur rabbit bunny hare squirrel chipmunk hamster mouse rat beaver otter
        hedgehog porcupine raccoon skunk badger weasel ferret mole bat bird eagle hawk
        falcon owl vulture crow raven parrot parakeet pigeon dove sparrow robin swallow
        hummingbird woodpecker kingfisher peacock flamingo stork heron crane swan goose duck
        duckling chicken hen rooster chick turkey ostrich emu penguin seagull pelican fish
        shark whale dolphin seal walrus octopus squid jellyfish starfish crab lobster shrimp
        prawn snail slug clam oyster salmon tuna trout goldfish eel ray seahorse turtle
        tortoise frog toad newt snake python cobra lizard gecko iguana chameleon crocodile
        alligator dinosaur dragon unicorn insect bee wasp hornet butterfly moth caterpillar
        ant fly mosquito dragonfly ladybug beetle cockroach grasshopper cricket spider
        scorpion worm centipede pet herd flock nest cage aquarium""",
    "vehicles": """
        car truck lorry van bus minibus taxi ambulance limousine convertible jeep pickup suv
        sedan motorcycle motorbike scooter moped bicycle bike tricycle unicycle skateboard
        rollerblade wheelchair stroller cart wagon carriage train locomotive subway tram
        trolley railway plane airplane jet helicopter glider drone balloon blimp rocket
        spaceship spacecraft satellite parachute ship boat sailboat yacht ferry canoe kayak
        raft submarine cruise tanker speedboat tractor bulldozer excavator forklift
        harvester tank trailer caravan snowmobile sled sleigh wheel tire engine steering
        dashboard seat windshield helmet""",
    "sports and games": """
        football soccer basketball baseball softball volleyball tennis badminton squash golf
        hockey rugby cricket lacrosse handball polo bowling billiards snooker pool darts
        archery fencing boxing wrestling judo karate taekwondo kickboxing gymnastics
        athletics marathon sprint hurdle javelin discus swimming diving snorkeling surfing
        windsurfing kitesurfing sailing rowing canoeing kayaking rafting waterskiing
        wakeboarding skiing snowboarding skating sledding climbing bouldering hiking camping
        fishing hunting cycling racing skateboarding parkour skydiving paragliding bungee
        yoga pilates aerobics weightlifting pushup squat treadmill trampoline dodgeball
        frisbee kite chess checkers cards poker dice domino puzzle videogame minecraft goal
        score match tournament trophy medal racket bat ball net court stadium gym ring
        referee race track rink slope""",
    "music": """
        music song concert band orchestra choir guitar ukulele banjo violin viola cello bass
        harp piano keyboard organ accordion harmonica flute clarinet oboe saxophone trumpet
        trombone tuba horn bagpipes drum drums cymbal tambourine xylophone bell microphone
        speaker headphones turntable dj rap rock jazz opera karaoke singing dancing ballet
        breakdance salsa tango waltz""",
    "food and drink": """
        food meal breakfast lunch dinner dessert snack bread toast bagel croissant bun cake
        cupcake pie cookie biscuit brownie muffin doughnut donut pancake waffle pastry pizza
        pasta spaghetti noodle macaroni lasagna rice sushi soup stew curry salad sandwich
        burger hamburger hotdog fries taco burrito nacho steak beef pork bacon ham sausage
        meat meatball chicken turkey fish seafood egg omelette cheese butter milk cream
        yogurt chocolate candy lollipop honey syrup sugar salt pepper spice sauce ketchup
        mustard mayonnaise oil vinegar garlic onion tomato potato carrot cucumber lettuce
        cabbage broccoli cauliflower spinach celery corn pea bean mushroom eggplant pumpkin
        zucchini avocado olive chili ginger basil herb fruit apple banana orange lemon lime
        grape strawberry blueberry raspberry cherry peach pear plum pineapple mango melon
        watermelon coconut kiwi pomegranate fig nut peanut almond walnut popcorn chips
        icecream jelly jam dough flour batter water juice soda cola coffee tea wine beer
        whiskey vodka cocktail champagne smoothie milkshake lemonade""",
    "kitchen and home": """
        kitchen oven stove microwave fridge refrigerator freezer dishwasher sink faucet
        toaster blender mixer kettle pot pan wok grill barbecue bowl plate cup mug glass
        bottle jar can spoon fork knife spatula whisk ladle chopsticks tray napkin table
        chair couch sofa armchair bench stool bed pillow blanket mattress crib wardrobe
        closet drawer shelf cabinet desk lamp candle chandelier mirror curtain carpet rug
        door window wall floor ceiling stairs staircase elevator fireplace chimney roof
        balcony porch garage basement attic bathroom bathtub shower toilet towel soap
        toothbrush toothpaste comb hairbrush hairdryer razor makeup lipstick perfume bedroom
        house apartment cabin hut tent garden yard lawn fence gate mailbox vacuum broom mop
        bucket iron laundry television tv remote radio clock watch telephone phone cellphone
        smartphone computer laptop tablet screen monitor mouse printer camera tripod
        projector robot battery bulb toy doll teddy lego puppet balloon""",
    "clothing": """
        shirt tshirt blouse sweater sweatshirt hoodie jacket coat vest suit tuxedo tie
        bowtie dress gown skirt pants trousers jeans shorts leggings underwear bra bikini
        swimsuit pajamas robe kimono sari uniform costume apron scarf glove mitten sock shoe
        boot sneaker sandal slipper heel hat cap beanie helmet crown hood mask veil glasses
        sunglasses goggles earring necklace bracelet ring jewelry belt bag backpack purse
        handbag suitcase wallet umbrella wig""",
    "tools and things": """
        hammer screwdriver wrench pliers saw chainsaw drill axe shovel rake ladder rope
        chain nail screw paint brush paintbrush pencil pen marker crayon paper notebook book
        newspaper magazine map letter envelope stamp card box basket barrel scissors tape
        glue needle thread yarn fabric gun rifle pistol sword knife bow arrow shield bomb
        grenade cannon money coin bill gift present flag sign poster billboard banner statue
        sculpture painting drawing photo picture cartoon animation logo chart diagram graph
        key lock pipe wire cable machine microscope telescope syringe pill bandage
        stethoscope flashlight lantern torch match lighter cigarette cigar fireworks
        firework confetti ribbon origami""",
    "places": """
        city town village street road highway bridge tunnel intersection sidewalk crosswalk
        alley building skyscraper tower castle palace church cathedral mosque temple pyramid
        monument museum library school classroom university office hospital prison courtroom
        factory warehouse shop store supermarket market mall restaurant cafe bar nightclub
        hotel airport runway station platform harbor port dock pier lighthouse farm barn
        field meadow vineyard greenhouse forest jungle desert mountain hill cliff canyon
        cave volcano valley glacier island beach coast ocean sea lake river stream waterfall
        pond swamp park playground zoo circus carnival fountain cemetery theater cinema
        stage studio laboratory construction parking pool space moon earth planet kitchen
        room""",
    "nature and weather": """
        sun sunset sunrise moon star sky cloud rain snow ice hail storm thunder lightning
        tornado hurricane wind fog rainbow fire flame smoke explosion lava flood wave tide
        earthquake avalanche tree leaf branch trunk root bush flower rose tulip sunflower
        daisy lily orchid cactus palm pine oak bamboo grass moss seed rock stone sand mud
        dirt soil dust water bubble puddle icicle shell coral night day winter summer spring
        autumn""",
    "actions": """
        walk run jog sprint jump hop skip leap climb crawl slide fall trip roll spin flip
        swing kick punch throw catch pass hit dribble shoot dunk serve swim dive float surf
        sail row paddle ski skate ride drive race fly land park crash explode burn melt boil
        fry bake grill roast cook cut chop slice peel stir mix pour whisk knead spread eat
        drink bite chew lick swallow taste smell smoke feed sit stand lie kneel bend stretch
        lift carry push pull drag hold grab pick drop put open close shut lock pack wrap
        fold tie knit sew iron wash clean wipe sweep mop scrub brush comb shave dry dress
        undress paint draw write read type study teach learn explain talk speak say whisper
        shout yell scream cry laugh smile kiss hug dance sing clap cheer wave point bow
        salute pray meditate sleep wake yawn dream sneeze cough breathe play perform act
        pose film record photograph watch look stare listen hear search dig plant water mow
        harvest build construct repair fix weld hammer saw drill measure weigh operate fight
        wrestle box stab chase hunt fish escape hide attack defend march parade celebrate
        marry propose graduate vote buy sell pay shop deliver interview present demonstrate
        unbox review bark meow howl roar hatch graze gallop drip splash spray erupt snow
        rain juggle skateboard snowboard cycle camp hike""",
}
