"""Words of everyday English that footage can show, for the lexicons.

Chosen by hand, so that common queries have their own dimension even where the training captions
never use the word: things, people, places, looks and moods, and what can be seen to happen.
Only data, in base forms: `unify.encoders.wordlist` folds and merges it.
"""

GENERAL_WORDS = {
    "colours and looks": """
        black white red green blue yellow orange purple pink brown grey gray gold golden silver
        beige turquoise violet maroon bright dark colorful shiny striped spotted transparent wooden
        metal plastic glass leather stone brick round square triangular tall short long big small
        tiny huge old young new broken dirty clean empty full wet dry hot cold frozen muddy sandy
        snowy rainy sunny cloudy foggy blurry rusty fluffy hairy bald bearded blonde naked amber
        aqua aquamarine auburn azure bronze burgundy caramel charcoal copper coral crimson cyan
        ebony emerald fuchsia indigo ivory jade khaki lavender lilac magenta mauve mustard navy
        ochre olive peach pastel platinum rosy ruby rust salmon sapphire scarlet tan teal terracotta
        topaz ultramarine vermilion monochrome multicolored neon iridescent pearly silvery reddish
        bluish greenish yellowish pinkish brownish grayish whitish blackened tinted dyed bleached
        faded vivid pale translucent opaque glossy matte metallic shimmering sparkling glowing
        luminous fluorescent gleaming dazzling reflective mirrored polished gilded checkered plaid
        tartan paisley floral polka pinstripe zigzag herringbone camouflage mottled speckled
        freckled dotted patterned embroidered quilted ruffled pleated frayed tattered ragged ripped
        torn patched worn stained crumpled wrinkled creased cracked chipped dented scratched bent
        twisted crooked warped shattered smashed splintered crumbling decaying rotten moldy rusted
        dilapidated derelict ruined deserted abandoned vacant overgrown lush barren bare leafy
        thorny spiky prickly woolly furry feathery scaly slimy sticky gooey greasy oily soapy bubbly
        frothy foamy creamy crunchy crispy crusty crumbly chewy juicy tender silky velvety satiny
        smooth rough coarse grainy gritty bumpy jagged serrated pointed sharp blunt dull curved wavy
        spiral coiled tangled knotted braided woven curly frizzy straight shaggy bushy unshaven
        shaved tanned wrinkly chubby plump obese skinny slender slim muscular stocky lanky petite
        gigantic enormous massive colossal miniature microscopic narrow wide broad thick thin flat
        steep shallow deep hollow solid dense sparse crowded packed cluttered messy tidy neat
        spotless filthy grimy dusty soggy damp moist soaked drenched dripping parched arid icy
        frosty slushy misty hazy smoky stormy windy breezy overcast humid sunlit moonlit candlelit
        starry shady gloomy dim murky shadowy backlit silhouetted pixelated distorted upside left
        right sideways diagonal vertical horizontal parallel symmetrical asymmetrical oval circular
        spherical cylindrical conical rectangular hexagonal octagonal crescent ornate elaborate
        decorative fancy plain simple elegant glamorous luxurious lavish shabby rustic vintage
        antique retro modern futuristic ancient medieval gothic baroque victorian tribal oriental
        exotic quaint picturesque scenic majestic panoramic aerial underwater underground indoor
        outdoor inflatable foldable portable electric wireless handmade homemade marble granite
        concrete ceramic porcelain stainless""",
    "people": """
        man woman boy girl child baby toddler teenager adult guy kid couple family crowd group
        mother father parent grandmother grandfather brother sister twin friend bride groom
        bridesmaid doctor nurse dentist surgeon teacher student professor policeman police soldier
        officer fireman firefighter pilot astronaut sailor captain driver chef cook waiter waitress
        baker butcher farmer fisherman hunter gardener carpenter plumber electrician mechanic
        engineer worker scientist painter artist sculptor photographer musician singer rapper
        drummer guitarist pianist violinist dancer ballerina actor actress comedian magician clown
        juggler model reporter journalist anchor host politician president judge lawyer king queen
        prince princess knight pirate ninja samurai cowboy wizard witch vampire zombie ghost robot
        alien angel superhero monster referee coach athlete runner swimmer cyclist surfer skater
        skier climber boxer wrestler gymnast cheerleader goalkeeper pitcher batter hiker tourist
        shopper pedestrian prisoner thief monk priest nun santa audience player""",
    "body": """
        face head hair eye eyebrow eyelash nose mouth lip tooth tongue ear chin cheek neck beard
        mustache shoulder arm elbow wrist hand finger thumb nail chest back belly stomach waist hip
        leg knee ankle foot toe skin muscle bone skeleton skull brain heart blood tattoo scar
        wrinkle smile frown tear wing tail paw claw fur feather beak horn fin abdomen anatomy armpit
        artery backbone biceps bicep bladder body bosom bottom bowel brow bun buttock butt calf
        cartilage cheekbone cleavage collarbone complexion cornea cranium crotch dimple eardrum
        earlobe embryo esophagus eyeball eyelid fang fingernail fingertip fist flesh footprint
        forearm forehead foreleg freckle fringe gland goatee gut hairline hairstyle handprint heel
        hoof hump intestine iris jaw jawline kidney knuckle lap ligament limb liver lung mane
        midriff moustache molar mole nape navel nipple nostril palate palm pancreas pelvis pimple
        pupil rib ribcage rump scalp shin sideburns sinew snout sole spine stubble talon tendon
        tentacle testicle thigh throat thumbnail tiptoe toenail tonsil torso trunk tusk udder uterus
        vein vertebra vocal whisker womb antenna antler flipper gill hide pouch quill scale spike
        stinger webbing wingspan crest plumage comb afro bangs bob braid buzzcut dreadlock mohawk
        mullet perm pigtail ponytail highlights haircut hairdo updo toupee sweat sweaty saliva drool
        pus acne blister bruise burn bump rash wart birthmark piercing manicure pedicure posture
        silhouette physique""",
    "animals": """
        dog puppy cat kitten horse pony foal donkey mule zebra cow bull buffalo bison ox sheep lamb
        goat pig piglet boar deer moose elk reindeer antelope gazelle giraffe camel llama alpaca
        elephant rhinoceros rhino hippopotamus hippo lion lioness tiger leopard jaguar cheetah
        panther puma lynx wolf fox coyote hyena bear panda koala kangaroo wallaby platypus wombat
        sloth monkey ape gorilla chimpanzee orangutan baboon lemur rabbit bunny hare squirrel
        chipmunk hamster mouse rat beaver otter hedgehog porcupine raccoon skunk badger weasel
        ferret bat bird eagle hawk falcon owl vulture crow raven parrot parakeet pigeon dove sparrow
        robin swallow hummingbird woodpecker kingfisher peacock flamingo stork heron crane swan
        goose duck duckling chicken hen rooster chick turkey ostrich emu penguin seagull pelican
        fish shark whale dolphin seal walrus octopus squid jellyfish starfish crab lobster shrimp
        prawn snail slug clam oyster tuna trout goldfish eel ray seahorse turtle tortoise frog toad
        newt snake python cobra lizard gecko iguana chameleon crocodile alligator dinosaur dragon
        unicorn insect bee wasp hornet butterfly moth caterpillar ant fly mosquito dragonfly ladybug
        beetle cockroach grasshopper cricket spider scorpion worm centipede pet herd flock nest cage
        aquarium""",
    "vehicles": """
        car truck lorry van bus minibus taxi ambulance limousine convertible jeep pickup suv sedan
        motorcycle motorbike scooter moped bicycle bike tricycle unicycle skateboard rollerblade
        wheelchair stroller cart wagon carriage train locomotive subway tram trolley railway plane
        airplane jet helicopter glider drone balloon blimp rocket spaceship spacecraft satellite
        parachute ship boat sailboat yacht ferry canoe kayak raft submarine cruise tanker speedboat
        tractor bulldozer excavator forklift harvester tank trailer caravan snowmobile sled sleigh
        wheel tire engine steering dashboard seat windshield helmet""",
    "sports and games": """
        football soccer basketball baseball softball volleyball tennis badminton squash golf hockey
        rugby lacrosse handball polo bowling billiards snooker pool darts archery fencing boxing
        wrestling judo karate taekwondo kickboxing gymnastics athletics marathon sprint hurdle
        javelin discus swimming diving snorkeling surfing windsurfing kitesurfing sailing rowing
        canoeing kayaking rafting waterskiing wakeboarding skiing snowboarding skating sledding
        climbing bouldering hiking camping fishing hunting cycling racing skateboarding parkour
        skydiving paragliding bungee yoga pilates aerobics weightlifting pushup squat treadmill
        trampoline dodgeball frisbee kite chess checkers cards poker dice domino puzzle videogame
        minecraft goal score match tournament trophy medal racket ball net court stadium gym ring
        race track rink slope""",
    "music": """
        music song concert band orchestra choir guitar ukulele banjo violin viola cello bass harp
        piano keyboard organ accordion harmonica flute clarinet oboe saxophone trumpet trombone tuba
        bagpipes drum drums cymbal tambourine xylophone bell microphone speaker headphones turntable
        dj rap rock jazz opera karaoke singing dancing ballet breakdance salsa tango waltz""",
    "food and drink": """
        food meal breakfast lunch dinner dessert snack bread toast bagel croissant cake cupcake pie
        cookie biscuit brownie muffin doughnut donut pancake waffle pastry pizza pasta spaghetti
        noodle macaroni lasagna rice sushi soup stew curry salad sandwich burger hamburger hotdog
        fries taco burrito nacho steak beef pork bacon ham sausage meat meatball seafood egg
        omelette cheese butter milk cream yogurt chocolate candy lollipop honey syrup sugar salt
        pepper spice sauce ketchup mayonnaise oil vinegar garlic onion tomato potato carrot cucumber
        lettuce cabbage broccoli cauliflower spinach celery corn pea bean mushroom eggplant pumpkin
        zucchini avocado chili ginger basil herb fruit apple banana lemon lime grape strawberry
        blueberry raspberry cherry pear plum pineapple mango melon watermelon coconut kiwi
        pomegranate fig nut peanut almond walnut popcorn chips icecream jelly jam dough flour water
        juice soda cola coffee tea wine beer whiskey vodka cocktail champagne smoothie milkshake
        lemonade""",
    "kitchen and home": """
        kitchen oven stove microwave fridge refrigerator freezer dishwasher sink faucet toaster
        blender mixer kettle pot pan wok grill barbecue bowl plate cup mug bottle jar spoon fork
        knife spatula whisk ladle chopsticks tray napkin table chair couch sofa armchair bench stool
        bed pillow blanket mattress crib wardrobe closet drawer shelf cabinet desk lamp candle
        chandelier mirror curtain carpet rug door window wall floor ceiling stairs staircase
        elevator fireplace chimney roof balcony porch garage basement attic bathroom bathtub shower
        toilet towel soap toothbrush toothpaste hairbrush hairdryer razor makeup lipstick perfume
        bedroom house apartment cabin hut tent garden yard lawn fence gate mailbox vacuum broom mop
        bucket iron laundry television tv remote radio clock watch telephone phone cellphone
        smartphone computer laptop tablet screen monitor printer camera tripod projector battery
        bulb toy doll teddy lego puppet""",
    "clothing": """
        shirt tshirt blouse sweater sweatshirt hoodie jacket coat vest suit tuxedo tie bowtie dress
        gown skirt pants trousers jeans shorts leggings underwear bra bikini swimsuit pajamas robe
        kimono sari uniform costume apron scarf glove mitten sock shoe boot sneaker sandal slipper
        hat cap beanie crown hood mask veil glasses sunglasses goggles earring necklace bracelet
        jewelry belt bag backpack purse handbag suitcase wallet umbrella wig armband ascot balaclava
        bandana bandanna bathrobe beret bib blazer boa bodysuit bolero bonnet boxers briefs brim
        buckle burka burqa button cape capri cardigan cloak cleat clog clogs clothes collar corset
        corduroy crop cuff cufflink denim derby dungarees earmuffs earmuff fedora flannel fleece
        flipflop flipflops footwear galoshes garment garter grass hairnet halter hanky handkerchief
        headband headdress headgear headscarf headwear hem hijab jersey jockstrap jumper jumpsuit
        keffiyeh kilt knickers lace lapel latex leotard lingerie loincloth mantle miniskirt moccasin
        muffler necktie neckline nightdress nightgown nightie nylon onesie outfit overalls overcoat
        parka petticoat pocket poncho pullover pump pyjamas raincoat rags romper ruffle runway
        sarong sash scrubs sequin shawl shoelace shoestring singlet skullcap slacks sleeve
        sleeveless slip smock snorkel sombrero spandex sportswear stiletto stocking stockings stole
        strap streetwear stripes suede sundress sunhat suspenders swimwear tanktop tassel thong
        tiara tights toga tracksuit trench trunks turban turtleneck tutu tweed undergarment
        undershirt velcro vneck waders waistband waistcoat wedding wellingtons wetsuit windbreaker
        wool zipper catwalk fashion mannequin hanger tailor thimble rucksack satchel tote clutch
        fanny duffel knapsack briefcase luggage badge""",
    "tools and things": """
        hammer screwdriver wrench pliers saw chainsaw drill axe shovel rake ladder rope chain screw
        paint brush paintbrush pencil pen marker crayon paper notebook book newspaper magazine map
        letter envelope stamp card box basket barrel scissors tape glue needle thread yarn fabric
        gun rifle pistol sword bow arrow shield bomb grenade cannon money coin bill gift present
        flag sign poster billboard banner statue sculpture painting drawing photo picture cartoon
        animation logo chart diagram graph key lock pipe wire cable machine microscope telescope
        syringe pill bandage stethoscope flashlight lantern torch lighter cigarette cigar fireworks
        firework confetti ribbon origami""",
    "places": """
        city town village street road highway bridge tunnel intersection sidewalk crosswalk alley
        building skyscraper tower castle palace church cathedral mosque temple pyramid monument
        museum library school classroom university office hospital prison courtroom factory
        warehouse shop store supermarket market mall restaurant cafe bar nightclub hotel airport
        station platform harbor port dock pier lighthouse farm barn field meadow vineyard greenhouse
        forest jungle desert mountain hill cliff canyon cave volcano valley glacier island beach
        coast ocean sea lake river stream waterfall pond swamp park playground zoo circus carnival
        fountain cemetery theater cinema stage studio laboratory construction parking space moon
        earth planet room""",
    "nature and weather": """
        sun sunset sunrise star sky cloud rain snow ice hail storm thunder lightning tornado
        hurricane wind fog rainbow fire flame smoke explosion lava flood wave tide earthquake
        avalanche tree leaf branch root bush flower rose tulip sunflower daisy lily orchid cactus
        pine oak bamboo moss seed sand mud dirt soil dust bubble puddle icicle shell night day
        winter summer spring autumn""",
    "moods and manner": """
        happy sad angry scared afraid frightened terrified horrified shocked stunned surprised
        astonished amazed confused puzzled bewildered worried anxious nervous tense stressed calm
        relaxed peaceful serene tranquil bored sleepy tired exhausted weary drowsy dizzy drunk sober
        sick ill unwell injured wounded hurt dead dying alive unconscious awake asleep hungry
        thirsty lonely alone heartbroken depressed grieving mournful tearful joyful cheerful merry
        jolly gleeful delighted ecstatic thrilled excited enthusiastic playful mischievous cheeky
        silly goofy funny hilarious humorous amusing witty serious solemn stern grumpy moody sulky
        annoyed irritated furious enraged aggressive violent hostile fierce ferocious menacing
        threatening sinister creepy eerie spooky scary haunted ghostly gruesome gory bloody
        disgusting ugly hideous grotesque weird strange bizarre peculiar mysterious magical
        enchanted dreamy romantic loving affectionate gentle caring friendly kind polite shy timid
        embarrassed ashamed guilty jealous proud arrogant smug confident brave heroic courageous
        fearless bold daring reckless careless clumsy awkward graceful agile nimble swift speedy
        rapid slow sluggish lazy idle busy energetic lively hectic chaotic frantic wild rowdy noisy
        loud quiet silent hushed festive formal casual sporty athletic fit strong weak frail elderly
        youthful childish adorable cute pretty beautiful gorgeous handsome attractive sexy stylish
        trendy fashionable chic cool nerdy geeky famous rich poor homeless pregnant blind deaf
        disabled barefoot shirtless topless nude masked hooded veiled armed armored uniformed
        dressed costumed blindfolded handcuffed curious attentive thoughtful pensive focused
        determined impatient patient suspicious sneaky secretive stealthy hypnotic surreal abstract
        realistic lifelike dramatic intense suspenseful epic inspiring inspirational emotional
        touching sentimental nostalgic melancholy bleak desolate lonesome cozy homely inviting
        welcoming spacious cramped claustrophobic dangerous hazardous toxic poisonous venomous
        deadly lethal explosive flammable radioactive slippery wobbly unstable shaky steady
        motionless floating airborne submerged sunken stranded trapped lost hidden camouflaged
        invisible delicious tasty yummy appetizing mouthwatering spicy sweet sour bitter salty
        savory raw ripe unripe fresh stale burnt toasted roasted fried boiled steamed baked grilled
        smoked pickled salted glazed frosted iced chilled melted stuffed sliced diced chopped minced
        shredded grated mashed peeled whipped""",
    "people and family": """
        male female human person people individual lass lad gentleman newborn infant tot preschooler
        schoolboy schoolgirl youngster teen tween adolescent grownup senior pensioner elder granny
        grandma grandpa granddad grandparent grandson granddaughter grandchild stepmother stepfather
        uncle aunt auntie nephew niece cousin husband wife spouse fiance bachelor bachelorette
        newlywed widow widower orphan triplet sibling daughter son mom mum mommy dad daddy
        stepbrother ancestor descendant neighbor roommate classmate teammate playmate pal buddy
        girlfriend boyfriend lover sweetheart stranger passerby bystander onlooker spectator fan
        supporter guest visitor hostess celebrity idol superstar influencer blogger vlogger youtuber
        streamer tiktoker gamer nerd geek hippie hipster punk goth biker rocker skinhead rebel
        hermit nomad refugee immigrant migrant villager peasant citizen local native tribesman
        caveman gladiator viking warrior crusader outlaw bandit gangster mobster mafia hitman
        villain hero heroine sidekick leader follower member loser winner champion contestant
        competitor participant opponent rival partner duo trio quartet quintet ensemble squad troop
        gang mob congregation procession bearer redhead brunette blond albino giant dwarf""",
    "jobs and roles": """
        accountant acrobat admiral advertiser alchemist ambassador analyst animator announcer
        anthropologist archaeologist archbishop archer architect assassin assistant astrologer
        astronomer attendant attorney auctioneer author babysitter bagpiper ballplayer banker barber
        bard barista bartender beautician beekeeper beggar bellboy biologist bishop blacksmith
        bodybuilder bodyguard bookkeeper botanist bouncer bowler bricklayer broadcaster broker
        bullfighter busker businessman businesswoman butler buyer caddie cameraman cameraperson
        cardinal caregiver caretaker cartographer cartoonist cashier caterer cellist ceo chancellor
        chaplain chauffeur chemist chieftain choreographer cleaner clergyman clerk cobbler coder
        colonel columnist commander commando commentator commissioner commuter composer concierge
        conductor constable consultant contortionist contractor cop coroner corporal counselor
        courier cowgirl craftsman critic curator custodian customer daredevil dealer decorator
        defendant delegate deputy dermatologist designer detective developer dictator diplomat
        director dispatcher diver donor doorman dressmaker druid duchess duke editor educator
        embroiderer emperor empress entertainer entrepreneur escort executive executioner exorcist
        explorer exterminator falconer fairy farmhand fencer fiddler fighter filmmaker firewoman
        fishmonger fisherwoman flutist florist footballer foreman gambler gamekeeper geisha general
        genie geologist glassblower goalie golfer governor graduate gravedigger grocer guard
        guardian guide gunman gunner guru gynecologist hairdresser hairstylist handyman hangman
        harpist headmaster herder historian horseman horsewoman hostage housekeeper housemaid
        housewife hypnotist illusionist illustrator imam impersonator innkeeper inspector instructor
        intern interviewer inventor investigator investor janitor jester jeweler jockey juror jury
        keeper keyboardist kickboxer landlady landlord landscaper lecturer librarian lieutenant
        lifeguard linguist lineman locksmith logger lookout lord lumberjack machinist maestro
        magistrate maid mailman major manager manufacturer marathoner mariner marine marionette
        marshal mascot masseuse matador mayor medic medium mercenary merchant messenger
        meteorologist midwife milkman miller mime miner minister missionary moderator monarch
        mountaineer mover mummy nanny navigator neurosurgeon newscaster newsreader nobleman
        noblewoman novelist nutritionist official operator optometrist organist outfielder
        paleontologist paparazzi paramedic paratrooper pastor patrolman pediatrician percussionist
        performer pharmacist philosopher photojournalist physician physicist pickpocket pilgrim
        playwright plowman poacher poet pope porter postman potter preacher presenter principal
        producer programmer promoter prophet prosecutor protester psychiatrist psychologist
        publisher puppeteer rabbi racer radiologist rancher ranger receptionist recruit recruiter
        reverend rider ringmaster rioter robber roofer rower sage salesman saleswoman salesperson
        saint scholar scout screenwriter scribe secretary senator sergeant server shaman
        sharpshooter shepherd sheriff shipbuilder shoemaker shoplifter shopkeeper showgirl
        skateboarder skydiver slave smith smuggler sniper snorkeler snowboarder songwriter sorcerer
        sorceress soloist specialist spokesman spokeswoman sportscaster sportsman sportswoman spy
        squire steward stewardess storyteller strategist stripper strongman stuntman stuntwoman
        stylist sultan sumo superintendent supermodel supervisor swordsman tamer tattooist
        technician teller tenor terrorist therapist tightrope tinker tracker trader trainee trainer
        translator trapper traveler treasurer tribe trombonist trooper trucker trumpeter tutor
        typist umpire undertaker usher vagabond valet vendor ventriloquist veteran veterinarian vet
        vicar vigilante virtuoso vocalist volunteer warden warlock watchman weatherman weatherwoman
        weaver welder whaler winemaker woodcarver woodcutter woodsman workman writer yogi yodeler
        zookeeper zoologist""",
    "fantasy, myth and story": """
        avatar banshee bigfoot centaur cupid cyborg cyclops deity demon devil djinn elf fairytale
        gargoyle ghoul gnome goblin goddess godzilla golem gremlin grim griffin hobbit hydra imp
        kraken leprechaun mermaid merman minotaur mutant nymph ogre orc pegasus phantom phoenix
        pixie poltergeist reaper serpent siren specter sphinx spirit sprite superheroine superman
        batman spiderman titan troll undead valkyrie werewolf yeti android humanoid extraterrestrial
        invader ufo teleport hologram lightsaber wand spell potion cauldron broomstick curse amulet
        talisman treasure quest legend myth fable zeus medusa dracula frankenstein cinderella
        pinocchio rapunzel aladdin gandalf hogwarts pokemon pikachu mickey muppet smurf transformer
        decepticon jedi stormtrooper""",
    "health and medicine": """
        allergy amputee anesthesia antibiotic antibody antidote aspirin asthma autism autopsy
        bacteria biopsy birth bleeding blindness braces brace cancer capsule cast catheter chemo
        chemotherapy childbirth cholesterol clinic clot concussion condom contraceptive corpse
        coronavirus covid cough cpr crutch cyst defibrillator dementia dental dentures diabetes
        diagnosis diaper disease disinfectant dissection dna dose dressing drip drug ebola
        electrocardiogram embalm emergency epidemic fever flu forceps fracture gauze germ gurney
        headache hearing heartbeat hospice hygiene incubator infection inhaler inject injection
        injury insulin itch laser leprosy lump malaria measles medical medication medicine microbe
        migraine morgue mri nausea nursing ointment operation oxygen pacemaker pain painkiller
        pandemic paralysis paraplegic penicillin pharmacy physiotherapy placenta plague plaster
        poison pregnancy prescription prosthetic quarantine rehab rehabilitation respirator
        resuscitation sanitizer scalpel scan scanner seizure shot sickness sling smallpox sneeze
        specimen sperm splint stitch stretcher stroke sunburn surgery surgical suture swab symptom
        therapy thermometer tourniquet transfusion transplant trauma tuberculosis tumor ultrasound
        urine vaccine vaccination ventilator virus vitamin vomit walker ward wound xray""",
    "mammals": """
        aardvark anteater armadillo bobcat buck bullock bullfrog canine capybara caracal caribou
        chinchilla colt critter cub doe dormouse ewe fawn feline filly gerbil gibbon gnu groundhog
        heifer hog ibex impala jackal jackrabbit joey livestock macaque mammal mammoth manatee mare
        marmoset marmot marsupial mastodon meerkat mink mongoose mustang narwhal ocelot okapi
        opossum pangolin porpoise possum predator primate ram rodent sealion serval sheepdog shrew
        sow stag stallion steed steer thoroughbred vixen warthog wildcat wildebeest wolverine yak
        orca beluga grizzly polar hound mutt stray beagle bulldog chihuahua collie corgi dachshund
        dalmatian doberman greyhound husky labrador mastiff pitbull pointer pomeranian poodle pug
        retriever rottweiler schnauzer setter spaniel terrier whippet kitty tabby siamese calico
        dingo tigress carnivore prey burrow den hive kennel lair litter mammalian pack paddock
        pasture pride stable trough wildlife leash muzzle saddle bridle reins harness horseshoe
        stirrup hoofprint rein manger hutch""",
    "birds": """
        albatross bluebird bluejay budgie bunting buzzard canary cockatiel cockatoo cockerel condor
        cormorant cuckoo drake eaglet egret finch fowl goldfinch gosling gull hornbill ibis jay
        kestrel kookaburra lark lovebird macaw magpie mallard martin mockingbird nightingale osprey
        owlet partridge pheasant plover puffin quail raptor roadrunner rook sandpiper skylark snipe
        songbird starling tern thrush toucan warbler waterfowl wren hatchling nestling fledgling
        eggshell birdcage birdhouse birdfeeder birdbath aviary coop perch roost""",
    "fish and sea life": """
        abalone anchovy anemone angelfish barnacle barracuda carp catfish clownfish cod conch
        crayfish crawfish cuttlefish dugong flounder fry grouper guppy haddock halibut herring koi
        krill lionfish mackerel manta marlin minnow mollusk monkfish mussel pike piranha plankton
        pollock pufferfish sardine scallop seabird seashell seaweed shellfish skate sponge stingray
        sturgeon sunfish swordfish tadpole tilapia triggerfish urchin algae kelp reef""",
    "reptiles, amphibians and prehistoric animals": """
        amphibian anaconda caiman brontosaurus fossil komodo mamba pterodactyl rattlesnake reptile
        salamander stegosaurus terrapin treefrog triceratops tyrannosaurus velociraptor viper""",
    "insects and other small animals": """
        aphid beehive bug bumblebee cicada cobweb cocoon earthworm firefly flea gnat honeybee
        honeycomb horsefly housefly hoverfly larva leech locust lice louse maggot mantis millipede
        mite parasite scarab silkworm swarm tarantula thorax tick weevil web anthill spiderweb
        chrysalis""",
    "trees, plants and flowers": """
        acacia acorn aloe amaryllis apricot arboretum ash aspen azalea bark baobab begonia beech
        birch blossom bluebell bonsai bouquet bud buttercup camellia carnation cattail cedar
        chestnut chrysanthemum clematis clover conifer cornflower cosmos crocus cypress daffodil
        dahlia dandelion dogwood driftwood elm eucalyptus evergreen fern fir flora foliage foxglove
        freesia fungus gardenia geranium gladiolus greenery grove hawthorn hazel heather hedge
        hibiscus hickory holly honeysuckle hyacinth hydrangea ivy jasmine juniper larch laurel
        lichen lotus magnolia mahogany mangrove maple marigold mistletoe mulberry nettle oleander
        orchard pansy peony petal petunia pinecone plant plantation pollen poplar poppy redwood reed
        sapling seedling sequoia shrub shrubbery shoot snapdragon snowdrop spruce stalk stem stump
        succulent sycamore teak thicket thistle thorn toadstool topiary treetop twig undergrowth
        vegetation vine weed wheat wheatgrass wildflower willow wisteria wreath yucca bloom blooming
        sprout wilt garland hay straw haystack firewood log lumber timber resin sap""",
    "fruit, vegetables, nuts and grains": """
        acai artichoke arugula asparagus aubergine barley beet beetroot berry blackberry buckwheat
        cashew cassava chickpea citrus clementine cornmeal couscous cranberry currant date
        dragonfruit durian edamame elderberry endive fennel flax gooseberry gourd granola grapefruit
        guava habanero hazelnut honeydew horseradish huckleberry jackfruit jalapeno kale kernel
        kumquat leek legume lentil lychee mandarin millet mint muesli nectarine nutmeg oat oatmeal
        okra papaya paprika parsley parsnip passionfruit pecan pepperoni persimmon pickle pistachio
        plantain produce prune quince quinoa radish raisin rhubarb rosemary rye saffron scallion
        sesame shallot soybean sprouts starfruit tamarind tangerine thyme tofu tomatillo truffle
        turmeric turnip vanilla wasabi watercress yam clove cardamom cumin cilantro coriander
        cinnamon bay oregano dill anise peppermint spearmint lemongrass""",
    "meat, fish and dishes": """
        appetizer baguette baklava bolognese borscht bratwurst breadcrumb breadstick brisket broth
        bruschetta buffet calamari calzone canape cannelloni carbonara casserole caviar ceviche
        cheeseburger chimichanga chop chorizo chowder chutney coleslaw cordon corndog cracker crepe
        croquette crouton cutlet delicacy dimsum dip dish drumstick dumpling empanada enchilada
        entree escargot fajita falafel feast fillet flatbread fondue frankfurter fritter garnish
        gazpacho gelatin gnocchi gravy gumbo gyro gyoza haggis hashbrown hummus jambalaya jerky
        kebab kimchi leftovers linguine loin lunchbox marinade marinara meatloaf minestrone miso
        moussaka mozzarella mutton naan nachos nugget paella panini pancetta patty pate penne pesto
        pita platter polenta porridge poutine prosciutto pudding quesadilla quiche ramen ravioli
        relish ribs ricotta risotto roll salami sashimi sauerkraut schnitzel scone scramble
        seasoning shawarma sirloin skewer slaw souffle sourdough spareribs stir stuffing sub sundae
        tabbouleh tamale tandoori tapas tapenade tempura tenderloin teriyaki topping tortellini
        tortilla udon veal vegan vegetarian venison vinaigrette wonton wrap takeout takeaway picnic
        potluck banquet brunch supper teatime serving portion helping mouthful bite leftover recipe
        ingredient cuisine""",
    "sweets and bakery": """
        bonbon brittle buttercream cannoli cheesecake cone crumb crumble crust custard eclair
        espresso fondant frosting fudge ganache gelato gingerbread gum gumdrop icing jawbreaker
        jello jellybean licorice lolly macaron macaroon marmalade marshmallow marzipan meringue
        mousse nougat nutella oreo popsicle praline pretzel puff sherbet shortbread shortcake sorbet
        sprinkles strudel sweets tart tiramisu toffee treat trifle wafer bubblegum snickers snowcone
        birthday teacake loaf bakery""",
    "drinks": """
        ale alcohol beverage bourbon brandy brew cappuccino cider cocoa cognac cordial daiquiri
        decaf drink eggnog gin irish kombucha latte lager liquor macchiato margarita martini mead
        mojito moonshine nectar pepsi pint prosecco punch rum sake sangria schnapps scotch sherry
        slush spirits stout sweetener tequila tonic vermouth whisky teabag icecube coaster goblet
        tumbler wineglass winery brewery distillery keg flask thermos cork corkscrew barstool
        hangover carafe decanter teapot teacup saucer shaker""",
    "kitchen and cooking": """
        blowtorch breadboard burner canister carton chopstick cleaver coffeepot colander cookbook
        cooker cookware countertop crockery cupboard cutlery cutting dishcloth dishrag dishware
        fryer funnel grater griddle grinder jug juicer lid mitt mold mortar opener pantry parchment
        peeler pestle plunger pots potholder pressure ramekin rolling rotisserie saucepan scoop
        sieve silverware skillet slicer spork steamer stockpot stovetop strainer tablecloth
        tablespoon teaspoon tin tinfoil tongs toothpick tupperware urn utensil wrapper zester foil
        cling sachet yeast baking powder cornstarch margarine mayo shortening stock brine""",
    "house and furniture": """
        airbed alarm ashtray banister basin bassinet bathmat beam bedding bedside bedspread bidet
        bin blinds bookcase bookshelf breaker bunk bunkbed bureau candlestick canopy cellar chaise
        clothesline cot counter cubicle cushion deckchair divan doorbell doorframe doorknob doormat
        doorstep doorway drain drainpipe drapes drape dresser dryer dustbin dustpan duvet eiderdown
        facade fixture footstool foyer frame furnace furniture futon garbage glassware hallway
        hammock handle handrail headboard hearth heater hinge hook household humidifier interior
        jacuzzi keyhole kitchenette knob lampshade landing latch lattice lawnmower lightbulb linen
        linoleum living lobby lodge loft lounge lounger loveseat mantelpiece mat nightlight
        nightstand nursery ornament ottoman outlet pail paneling parlor patio peg pillowcase
        placemat playpen playroom plug pottery quilt radiator rack railing recliner remodel
        renovation rubbish sauna shade sheet showerhead shutter sideboard sill skylight socket
        solarium squeegee stairway stairwell stereo study sunroom switch tabletop tapestry tap tarp
        terrace thermostat throne tile tissue toiletries trapdoor trash trashcan trellis tub
        upholstery urinal utility vase veranda wallpaper washbasin washcloth washer washroom
        wastebasket waterbed windowpane windowsill workbench backyard courtyard driveway flowerbed
        flowerpot gazebo planter sprinkler hose shed doghouse treehouse playhouse dollhouse barbed
        gutter shingle thatch weathervane""",
    "jewellery and beauty": """
        anklet bangle bauble bead bling blush brooch charm choker clasp cologne compact concealer
        conditioner cosmetic cosmetics crystal curler curlers diamond exfoliate eyeliner eyeshadow
        facial foundation gem gemstone glitter hairband hairclip hairpin hairspray highlighter jewel
        jewellery lipgloss locket lotion makeover mascara medallion moisturizer monocle opal pearl
        pendant pin rhinestone rouge salon scrunchie serum shampoo spa straightener sunblock
        sunscreen trinket tweezers tweezer wax waxing wristband wristwatch eyeglasses spectacles
        deodorant loofah shaving extension weave""",
    "road vehicles and their parts": """
        accelerator airbag alternator automobile axle brake bumper buggy cab camper campervan
        carburetor chariot chassis chopper convoy coupe cycle dealership digger dragster dumptruck
        exhaust fender firetruck flatbed gearbox gearstick gokart grille handbrake handlebar
        hatchback headlight headlamp hearse hotrod hovercraft hubcap hummer hybrid ignition kart
        landrover license limo lowrider minivan motor motorcade motorhome odometer offroad pedal
        piston plow quadbike racecar rearview rickshaw rim roadster rover rv saddlebag seatbelt
        segway semi shifter sidecar snowplow speedometer spoiler sportscar stagecoach steamroller
        streetcar sunroof tailgate taillight tailpipe taxicab towtruck traffic transmission tread
        tuktuk tyre wheelbarrow wheelie windscreen wiper dirtbike wheelhouse hitchhiker hitchhike
        carpool carwash pothole gasoline petrol diesel fuel ferrari lamborghini porsche toyota honda
        ford chevrolet chevy cadillac bentley bugatti maserati volvo volkswagen nissan mazda hyundai
        kia subaru tesla audi bmw chrysler dodge harley ducati yamaha""",
    "rail, ships and aircraft": """
        airbus aerobatics aeronautics airfield airlift airliner airship airspace airstrip aviation
        aviator biplane boeing bomber cargo cockpit concorde control copilot ejection flight
        fuselage gyrocopter hangar helipad jetliner jetpack jumbo paraglider paramotor propeller
        quadcopter seaplane stunt takeoff tarmac taxiway touchdown turbine turboprop ultralight
        zeppelin boxcar caboose freight funicular junction maglev monorail railroad signal sleeper
        steam terminal ticket tramway tube turnstile underpass armada ballast barge battleship
        boathouse buoy canal carrier catamaran clipper container corvette cruiser cutter deck
        destroyer dinghy dockyard ferryboat fleet flagship flotilla freighter frigate galleon galley
        gangplank gangway gondola harpoon helm houseboat hull iceberg icebreaker jetski jetty junk
        keel lifeboat lifebuoy lifejacket liner longship mast mooring motorboat oar paddle porthole
        powerboat regatta riverboat rowboat rudder sail schooner shipwreck shipyard sloop starboard
        steamboat trawler tugboat vessel wake warship watercraft wharf marina moorings titanic""",
    "sports": """
        abseil abseiling acrobatics aikido arena ballgame baton biathlon bmx bobsled bobsleigh
        bodyboard bowls bullfighting bullring bunt capoeira championship cheerleading coliseum
        contest croquet crossbow crossfit curling deadlift decathlon dressage dojo duel equestrian
        extreme fitness foosball freestyle futsal gokarting goalpost gymnasium halftime handspring
        handstand headstand hoop huddle iceskate inning jiujitsu jousting joust jujitsu kendo
        kettlebell kitesurf kiteboarding kickball kickoff knockout kungfu league longboard martial
        melee motocross motorsport mountaineering nascar netball nunchucks olympics olympic obstacle
        outfield paintball parachuting paddleboarding paddleboard pentathlon pickleball pingpong
        pitch playoff pommel puck quarterback quidditch racquetball racquet racecourse racetrack
        rally rapids rappel ringside rodeo rollerskate rollerskating rollerblading scoreboard
        scoring scrimmage scuba shotput shuttlecock skatepark skijump skydive slalom slackline
        sledge snowball snowshoe somersault spar sparring spearfishing sprinter stopwatch striker
        superbike surfboard swordfight synchronized tackle taichi target tee throwing tobogganing
        toboggan triathlon triathlete trapeze tug tumble tumbling ultimate uppercut vault velodrome
        volley wakeboard waterslide waterski windsurf windsurfer wingsuit workout wrestle yachting
        zipline barbell dumbbell pushups pullup situp situps sitting plank crunches lunge stretching
        warmup cartwheel backflip flip halfpipe ramp bleachers bleacher grandstand locker sideline
        endzone dugout mound homerun slapshot penalty offside corner header freekick layup rebound
        backboard birdie putter putting fairway bunker caddy bullseye quiver arrowhead saber
        goalkeeping mouthguard kneepad cleats relay finish podium medalist defeat victory
        celebration messi ronaldo superbowl nba nfl fifa wimbledon""",
    "games and toys": """
        arcade backgammon ballpit barbie bingo blackjack blocks boardgame boardwalk bouncy carousel
        casino checkerboard chessboard cluedo craps crossword dominoes dartboard dreidel fidget
        ferris gambling game gameboy gamepad gameplay hopscotch hula jackpot jack jigsaw joker
        joystick juggling kaleidoscope lottery magnet mahjong marbles maze minigolf monopoly
        nintendo nerf pawn piggyback pinball pinata pinwheel playdough playstation playing plush
        plushie pogo rattle rollercoaster roulette rubik sandbox sandcastle scrabble sega seesaw
        skittles slingshot slinky slots snakes snowman solitaire squirt stilts sudoku swings tag
        teeter tetris trick trivia trump wii xbox yoyo boss console controller fortnite gta halo
        lara mario pacman sims sonic roblox zelda zombies walkthrough speedrun""",
    "music and instruments": """
        alto acoustic album amplifier anthem applause aria audition bagpipe ballad bandleader
        bandstand baritone bassist bassoon beat beatbox blues bluegrass bongo brass bugle cadence
        carol castanet castanets chant choral chord chorus clarinetist concerto conga country
        cowbell cymbals diva didgeridoo discotheque duet dulcimer encore euphonium fiddle folk funk
        glockenspiel gong gospel gramophone harmony harmonium harpsichord hiphop hymn instrumental
        jukebox kazoo lullaby lute lyre lyrics mandolin maraca maracas marching marimba medley
        melody metronome mixtape musical octave orchestral overture panpipes percussion phonograph
        piccolo pluck pop reggae rhythm recital recorder remix saxophonist serenade sitar solo
        soprano soundcheck soundtrack spoons strum strumming subwoofer symphony synth synthesizer
        tempo timpani tune tuner vinyl vocals vuvuzela whistle woodwind yodel zither headphone
        earbuds earbud earphones earphone boombox loudspeaker megaphone metallica beyonce beatles
        elvis madonna mozart beethoven eminem rihanna bieber""",
    "dance, theatre and circus": """
        backstage ballroom bachata bellydance bollywood bop boogie burlesque cabaret cancan
        charleston charade choreography clogging comedy dancefloor dancehall disco drag drama
        fandango flamenco flashmob foxtrot gig grind headspin jig jitterbug jive limbo lindy
        line macarena mambo maypole moonwalk moshpit pantomime pirouette play pole puppetry
        quickstep rehearsal rumba samba shuffle skit spotlight standup step striptease swing
        tapdance theatrical tragedy troupe twerk twerking twist vaudeville ventriloquism vogue
        wings zumba""",
    "arts and crafts": """
        acrylic airbrush art artwork basketry batik beadwork bobbin bookbinding brushstroke bust
        calligraphy canvas caricature carving casting ceramics chalk chisel clay collage colouring
        comic craft crochet cubism doodle easel embossing embroidery enamel engraving etching
        exhibit exhibition felt fingerpaint fresco gallery glassblowing glaze graffiti gouache
        handicraft illustration ink kiln knitting knot landscape lathe linocut loom macrame
        masterpiece monolith mosaic motif mural needlepoint needlework palette papercraft pattern
        patchwork photography portrait portraiture print quilting relief replica scrapbook
        scrapbooking sculpt sculpting sewing silkscreen sketch sketchbook spinning spool spraycan
        stencil stitching taxidermy tiedye totem varnish watercolor weaving whittling woodcarving
        woodworking workshop cardstock cardboard pompom sequins googly""",
    "tools and building work": """
        adhesive allen anvil backhoe bolt bracket brickwork caliper caulk cement clamp compressor
        crowbar dowel drywall excavation file filler generator girder grout hacksaw hardhat hardware
        hatchet hoe hoist insulation jackhammer joint level lever machete mallet masonry multimeter
        nailgun padlock pickaxe pincers pitchfork plumbing plywood primer protractor pulley putty
        rafter ratchet razorblade rivet roller roofing ruler sander sanding sandpaper sawdust
        sawmill scaffold scaffolding scraper scythe sealant shears sickle sledgehammer solder spade
        spanner sprayer staple stapler steel stepladder stud switchblade tarpaulin toolbox toolkit
        trowel weld welding wiring wood worksite wrecking""",
    "machines, industry and energy": """
        acid alloy assembly automation biogas boiler boring chemical circuit coil coal combine
        combustion conveyor crank crate crusher cylinder dam drilling dynamo electricity electrode
        electromagnet filter forge foundry fracking fuse gauge gear grid hydraulic hydroelectric
        incinerator industrial industry ingot landfill machinery manufacture manufacturing mechanism
        metalworking mill mine mining molten nozzle nuclear oilfield packaging pallet pendulum
        petroleum pipeline pollution powerline powerplant press production pylon quarry reactor
        recycling refinery reservoir rig robotics rotor scrap scrapyard sewage shaft shipment
        smelting smokestack smog solar spindle sprocket stack steelworks textile transistor uranium
        valve vat ventilation waste waterwheel windmill""",
    "electronics, screens and software": """
        adapter app application barcode bluetooth browser calculator camcorder cassette cd charger
        chatbot chip click clipboard code coding command computing connector cursor database desktop
        digital diode disc diskette display dongle download dvd dial earpiece ebook electronics
        email emoji emoticon excel facebook fax firewall flashdrive floppy folder font gadget gif
        google gps graphic hacker hacking hashtag headset homepage html icon inbox instagram
        installation interface internet ipad iphone ipod javascript keypad keystroke lcd link linux
        login mac macbook malware matrix meme menu microchip microprocessor microsoft modem
        motherboard multimedia network notification password pager payphone pc photoshop pixel
        podcast popup powerpoint printout processor programming prompt qr radar reboot receiver
        router screencast screenshot scroll scrollbar scrolling sensor sidebar sim simulation
        simulator siri skype slideshow smartwatch software spreadsheet streaming switchboard tab
        taskbar telegraph teleprompter template texting timer toolbar touchpad touchscreen
        transmitter tutorial tweet twitter typewriter typing unlock upload usb username video
        virtual voicemail vr walkietalkie webcam webpage website whatsapp wifi wikipedia windows
        youtube zoom tiktok netflix snapchat spotify""",
    "camera, film and broadcast": """
        action adaptation advert advertisement animated anime aperture archive backdrop backlight
        bloopers blooper bokeh boom broadcast cameo caption cgi cinematic cinematography
        cinematographer clapperboard clapboard claymation cliffhanger clip closeup closing
        commercial composite compilation countdown credits cutaway cutscene darkroom debate diorama
        directing documentary dolly dub episode exposure fade feature fictional film filmstrip
        fisheye flash flashback focus footage framing gameshow genre glitch gopro graphics
        greenscreen handheld highlight hollywood horror hyperlapse infographic infomercial infrared
        interview intro lens letterbox lighting livestream lyric macro montage motion movie
        narration negative newsreel newsroom opening outro outtake overexposed overlay panning
        parody photobooth photoshoot photograph polaroid premiere prequel preview prologue prop reel
        reenactment remake replay review scene scenery screenplay screening script selfie sepia
        sequel series serial set sitcom slate snapshot softbox soundstage spoof steadicam stopmotion
        storyboard subtitle subtitles superimposed talkshow teaser telecast telephoto thriller tilt
        timelapse titles title tracking transition underexposed unboxing uncut vhs videographer
        videography videotape viewfinder viewer vignette vlog vlogging voiceover watermark webinar
        western widescreen sportscast newscast talent oscar emmy grammy""",
    "light, shapes and textures": """
        arc beacon bend blaze blob bulge candlelight checker circle cluster contour crack crease
        crisscross cross cube curve dash daylight dent dot drop droplet edge ellipse fiber firelight
        flare flicker fold fractal fragment gleam glimmer glint glow gradient groove heap helix
        hemisphere hexagon hole illumination illusion imprint lamplight layer light limelight loop
        mesh moonlight notch octagon orb outline patch parallelogram pentagon peak pile pillar
        pinpoint point polygon prism rectangle reflection ridge ripple row scratch shadow shape
        shard shimmer slab slot smear smudge spark sparkle spectrum speck sphere splash splatter
        spot squiggle stain starburst starlight streak stripe strobe sunbeam sunburst sunlight swirl
        symbol symmetry tangle texture torchlight triangle trapezoid twinkle twirl twilight vortex
        wedge whirl wisp""",
    "materials": """
        aluminum asbestos asphalt burlap carbon cashmere cellophane chiffon chrome cloth cobalt
        cotton fiberglass foam gingham graphite gravel hemp lead limestone lycra magnesium mercury
        microfiber muslin nickel papyrus polyester polystyrene polythene pvc quartz rattan rayon
        rubber sandstone satin shale silk string styrofoam sulfur tar tinsel titanium tulle tungsten
        twine velvet wicker zinc""",
    "buildings and their parts": """
        abbey acropolis adobe aisle alcove altar amphitheater annex aqueduct arch archway atrium
        awning balustrade barbershop barracks basilica battlement bazaar belfry block boutique
        brothel bungalow canteen catacomb chalet chapel chateau citadel clocktower cloister
        clubhouse college colosseum column condominium condo convent convention corridor cottage
        courthouse crematorium crypt deli dome dormitory drawbridge dungeon duplex embassy entrance
        entryway escalator estate exterior farmhouse firehouse fort fortress gable gateway grotto
        guesthouse gurdwara hall headquarters hostel hovel igloo inn jail jailhouse keep kiosk
        launderette laundromat manor mansion mausoleum minaret moat monastery motel nave niche
        obelisk observatory orphanage outhouse pagoda parapet parliament pavilion pawnshop
        penitentiary penthouse plaza portal postoffice powerhouse pub pulpit ranch rampart rectory
        residence resort rooftop ruin ruins sanctuary shack shanty shelter shrine silo slum
        smokehouse spire stall steeple storehouse storefront stupa suite synagogue tavern teahouse
        tomb townhouse turret viaduct villa watchtower watermill workhouse yurt bank bookshop
        bookstore cafeteria delicatessen diner dispensary drugstore grocery pizzeria bistro saloon
        showroom steakhouse stockroom superstore tearoom""",
    "streets and places": """
        alleyway avenue blockade boulevard borough bypass byway campground campsite campus capital
        checkpoint chinatown colony countryside crossing crossroads curb district ditch downtown
        embankment enclosure esplanade expressway fairground flyover footbridge footpath freeway
        ghetto graveyard hamlet hometown hydrant interchange junkyard kerb lane lamppost landmark
        mainland manhole marketplace metro metropolis milestone motorway neighborhood newsstand
        overpass outback outpost outskirts parade path pathway pavement plot promenade riverbank
        riverside roadblock roadside roadway roadworks roundabout route rural seafront settlement
        shortcut signpost skyline stoplight streetlight streetlamp suburb suburban tollbooth
        township trail trailhead turnpike urban walkway waterfront watering zone amusement themepark
        waterpark disneyland legoland""",
    "landscapes, water and geology": """
        abyss alps antarctic arctic archipelago atoll badlands bayou beachfront bedrock bluff bog
        boulder brook butte cascade cataract cavern cavity chasm clearing coastline cobblestone
        continent cove crag crater creek crevasse crevice current delta downstream dune ebb estuary
        fault fjord foothill frontier geode geology geyser glade glen gorge grassland ground gulch
        gulf gully heath highland hillside hilltop horizon inlet isle islet lagoon landslide
        landform lakeside lakeshore ledge lowland magma marsh marshland mesa mineral moor moorland
        mountainside mountaintop mudslide oasis obsidian outcrop overlook paddy pass pebble
        peninsula permafrost pinnacle plateau plains prairie precipice quicksand rainforest ravine
        riverbed rockface rubble sandbar savanna savannah scrubland seabed seascape seaside seashore
        sediment shallows shore shoreline sinkhole snowfield springs stalactite stalagmite steppe
        strait strand strata summit surf terrain territory tributary tropics tundra upland upstream
        vista volcanic wasteland waterhole waterway wetland whirlpool whitewater wilderness woodland
        woods""",
    "weather, sky and space": """
        afternoon asteroid astronomy atmosphere aurora blizzard breeze clear comet condensation
        constellation corona cyclone dawn daybreak daytime dew downpour drizzle drought dusk eclipse
        equinox evening flurry forecast fireball frost freeze galaxy gale gust hailstone hailstorm
        haze heatwave heavens humidity jupiter launch launchpad lunar mars meteor meteorite
        meteorology midday midnight mist monsoon moonrise morning nasa nebula neptune nighttime noon
        nightfall nova orbit ozone planetarium pluto probe rainfall raindrop rainstorm rainwater
        sandstorm saturn season shuttle sleet snowbank snowdrift snowfall snowflake snowstorm
        solstice spacesuit spacewalk stardust stargazing starfield sundown sunshine sunspot
        supernova temperature thaw thermal thunderbolt thunderstorm tropical tsunami twister typhoon
        uranus universe venus waterspout weather weightless whirlwind windstorm zenith spaceport""",
    "school, office and paper": """
        abacus alphabet appointment article assignment atlas auditorium award ballpoint binder
        biology blackboard blueprint board booklet bookmark bookworm brochure bulletin calendar
        catalog certificate chalkboard chapter chemistry colleague compass conference daycare
        detention dictionary diploma document encyclopedia equation eraser essay exam examination
        flipchart flowchart form formula geography geometry globe graduation grammar handbook
        handout handwriting homework index invoice journal kindergarten lecture leaflet lesson
        logbook manual manuscript math mathematics meeting memo multiplication notepad number page
        pamphlet paperback paperclip paperwork parcel passport photocopier photocopy physics plan
        planner playtime poem postcard postage presentation quiz recess report resume rulers
        scholarship schoolbag schoolbook schoolhouse schoolyard science seminar sharpener slide
        stationery sticker storybook test textbook thumbtack timetable tutoring vocabulary
        whiteboard workbook worksheet writing yearbook""",
    "business and money": """
        advertising atm auction banknote bargain bitcoin bond brand budget business cash cent
        checkout cheque company corporate coupon credit currency deal discount dollar economy
        employee euro export finance franchise handshake income insurance invest investment labor
        ledger marketing merchandise package payment penny pound price profit property purchase
        receipt refund rent retail retailer rupee safe salary sale savings sell shareholder shopping
        signature startup strike supply survey tax teamwork tip trade wage wealth wholesale
        workplace yen yuan""",
    "science": """
        aerodynamics archaeology artifact atom beaker botany bunsen cell centrifuge chromosome
        cloning compound culture dissect ecosystem electron energy evaporation experiment
        fermentation gas gene gravity helium hydrogen lab liquid magnetic magnifier molecule
        molecular nanotechnology nitrogen optics organism particle petri periodic photosynthesis
        pipette plasma pollination radiation reaction sample solution species toxin vapor
        wavelength""",
    "religion and festivals": """
        amen anniversary baptism baptist bible buddha buddhism buddhist catholic ceremony chanting
        christ christian christianity christening christmas clergy communion confession coronation
        cremation crucifix crucifixion diwali easter exorcism fair fasting festival festivity
        funeral god grave gravestone halloween hanukkah headstone heaven hell hindu hinduism holi
        holiday holy honeymoon incense islam islamic jesus jew jewish judaism koran krishna kwanzaa
        lent mardi marriage mass mecca memorial menorah mitzvah muslim nativity offering pagan party
        passover pilgrimage prayer preaching quran ramadan religion reunion rite ritual rosary
        sabbath sacrament sacrifice sacred sermon shiva sikh thanksgiving tombstone torah tradition
        tribute valentine vigil virgin worship worshipper xmas zen corsage bridal engagement
        groomsman centerpiece rudolph""",
    "police, crime and law": """
        alibi ambush arrest arson assault assassination beating burglar burglary captive captivity
        carjacking chase clue cocaine cops crime criminal crook cuffs cult escape evidence execution
        fingerprint forensic forgery fugitive gallows gavel guillotine gunfight gunpoint handcuff
        handcuffs heist heroin hijack hijacker homicide inmate interrogation investigation jailbreak
        kidnap kidnapper kidnapping killer law lineup loot looting manhunt marijuana mugger mugging
        mugshot murder murderer noose offender piracy poaching policewoman protest punishment
        pursuit raid ransom riot robbery scam search shackle shooting shoplifting slavery smuggling
        stabbing stolen surveillance suspect swat taser testimony theft thug torture trafficking
        trial vandal vandalism vandalize verdict victim violence witness cannabis""",
    "military and weapons": """
        airstrike aircraft ammo ammunition armor armory army arsenal artillery atomic barrage
        barricade battalion battle battlefield bayonet bazooka blade blast boomerang bombing
        bombardment bullet camp cannonball catapult cavalry ceasefire club combat conquest dagger
        detonate detonation detonator dogfight enemy frontline guerrilla gunboat gunfire gunpowder
        gunship holster humvee infantry invasion katana lance landmine machinegun marines militant
        military militia minefield missile musket napalm nuke patrol platoon rank regiment
        revolution revolver salute sabre sandbag scope shotgun shrapnel siege spear squadron staff
        surrender terrorism tomahawk torpedo trigger trident troops truce war warfare warhead
        warplane weapon whip wreckage""",
    "disasters and accidents": """
        accident aftershock blackout bushfire capsize casualty collapse collision crash damage
        danger debris demolition derailment disaster drowning dustbowl erosion eruption evacuation
        famine firefighting flooding hazard implosion inferno leak meltdown outage pileup rescue
        rescuer spill stampede survivor survival warning wildfire wreck""",
    "farm and countryside": """
        acre agriculture apiary barnyard cattle cornfield cultivate dairy dung farmland farming
        farmyard feed fertilizer fishery furrow gardening grain granary grazing hayfield hayloft
        henhouse husk irrigation irrigate manure milking mulch pesticide pigpen pigsty plowing
        pollinate poultry scarecrow shearing sheepfold slaughter slaughterhouse sugarcane tobacco
        vegetable wheatfield yoke compost""",
    "outdoors and travel": """
        adventure backpacker backpacking bait binoculars bonfire campfire carabiner cooler departure
        destination excursion expedition fishnet fishhook fishbowl guidebook hike hitchhiking
        itinerary journey lure outing overboard parasol passenger rod safari sightseeing souvenir
        sunbathe sunbathing sunbed tour tourism trek trekking trip vacation visa voyage wander
        windsock""",
    "things at hand": """
        aerosol beachball belonging bottlecap cane case clothespin cord decoration die doily duct
        eyepatch figurine firecracker flagpole flint flyer flyswatter footlocker glowstick hourglass
        keychain kindling label lint matchbox matchstick memento mousetrap notice packet paperweight
        piggybank placard plaque prize rag sack snowglobe statuette stick stopper stub sundial token
        vial windchime dumpster bandaid sparkler pacifier pram pushchair highchair""",
    "countries and nationalities": """
        afghan afghanistan africa african albania algeria america american antarctica arab arabia
        arabic argentina argentinian armenia asia asian australia australian austria austrian aztec
        bahamas bali bangladesh bavarian belarus belgian belgium bolivia bosnia brazil brazilian
        britain british bulgaria burma cambodia cameroon canada canadian caribbean caucasian celtic
        chilean china chinese colombia colombian congo croatia cuba cuban cypriot cyprus czech
        denmark danish dutch ecuador egypt egyptian england english estonia ethiopia ethiopian
        europe european fiji filipino finland finnish france french german germany ghana greece
        greek greenland guatemala haiti haitian hawaii hawaiian hindi hispanic holland honduras
        hungarian hungary iceland icelandic inca india indian indonesia indonesian iran iranian iraq
        iraqi ireland israel israeli italian italy jamaica jamaican japan japanese jordan kazakhstan
        kenya kenyan korea korean kuwait laos latin latino latvia lebanese lebanon libya lithuania
        luxembourg madagascar malaysia malaysian maldives maltese maori masai mauritius maya mayan
        mediterranean mexican mexico mongolia mongolian moroccan morocco mozambique myanmar namibia
        nepal nepalese netherlands nigeria nigerian nordic norway norwegian pakistan pakistani
        palestine palestinian panama paraguay persian peru peruvian philippines poland polish
        polynesian portugal portuguese roman romania romanian russia russian rwanda samoa saudi
        scandinavian scotland scottish senegal serbia serbian siberia siberian singapore slovakia
        slovenia somalia spain spanish sudan sweden swedish swiss switzerland syria syrian taiwan
        taiwanese tanzania thai thailand tibet tibetan tunisia turkish uganda ukraine ukrainian
        uruguay usa uzbekistan venezuela vietnam vietnamese wales welsh yemen zambia zealand
        zimbabwe zulu""",
    "cities and landmarks": """
        acapulco amazon amsterdam andes angkor athens atlanta atlantic auckland baghdad bangkok
        barcelona beijing beirut berlin bombay boston broadway brooklyn brussels budapest cairo
        calcutta california cambridge cancun cannes capitol chernobyl chicago copenhagen dallas
        damascus delhi denver detroit dubai dublin edinburgh eiffel everest florence florida
        gibraltar guangzhou hanoi harlem havana helsinki himalaya himalayas hiroshima houston
        hyderabad istanbul jakarta jerusalem kabul karachi kilimanjaro kremlin kyoto lagos lima
        lisbon liverpool london louvre madrid manchester manhattan manila marrakech matterhorn
        melbourne miami milan montreal moscow mumbai munich nairobi naples niagara nile oslo oxford
        pacific patagonia petra philadelphia pisa pompeii prague quebec reykjavik rio rome rushmore
        sahara seattle seoul seychelles shanghai sicily stockholm stonehenge sydney taipei tehran
        tokyo toronto tuscany vancouver vatican venice versailles vesuvius vienna vegas warsaw
        washington yellowstone yosemite zurich alaska texas arizona utah nevada colorado montana
        louisiana kentucky tennessee alcatraz""",
    "public life and events": """
        activist address ballot candidate charity coalition commemoration congress congressman
        consulate council coup delegation democracy democrat demonstration demonstrator dignitary
        election expo eulogy fundraiser gala government inauguration monarchy petition picket poll
        presidency republican reception royal royalty senate slogan speech symposium obama clinton
        putin biden merkel vote voter kennedy churchill hitler gandhi mandela napoleon lincoln
        einstein shakespeare picasso""",
    "time and numbers": """
        annual april august century daily december decade eighth eleven fifteen fifty fifth first
        five forty four fourth friday half hundred january july june march million minute monday
        month nine ninth november october quarter saturday second september seven seventh six sixth
        sixty sunday ten tenth third thirteen thirty thousand three thursday tonight tuesday twelve
        twenty twice two wednesday weekday weekend year yesterday zero""",
    "baby, home life and chores": """
        babble babysit bath bathe bedtime breastfeed breastfeeding burp changing chore cradle crawl
        cuddle dishwashing dusting feeding giggle grooming hatch housework housewarming housekeeping
        ironing kiss mopping nap peekaboo playdate potty scrub snuggle swaddle sweeping tickle
        toddle toothbrushing tuck vacuuming""",
    "kinds of scenes and shows": """
        agility amateur ambience anthology beauty biography bullfight challenge competition
        conversation cookery dating discussion fail fantasy gossip haul hobby instructional
        lifestyle meditation mystery nature news nightlife performance prank recap reality romance
        satire sport talk tasting testimonial travel travelogue""",
}

# What can be seen to happen: these take -ing and -ed as well as -s.
GENERAL_VERBS = {
    "actions": """
        walk run jog sprint jump hop skip leap climb crawl slide fall trip roll spin flip swing kick
        punch throw catch pass hit dribble shoot dunk serve swim dive float surf sail row paddle ski
        skate ride drive race fly land park crash explode burn melt boil fry bake grill roast cook
        cut chop slice peel stir mix pour whisk knead spread eat drink bite chew lick swallow taste
        smell smoke feed sit stand lie kneel bend stretch lift carry push pull drag hold grab pick
        drop put open close shut lock pack wrap fold tie knit sew iron wash clean wipe sweep mop
        scrub brush comb shave dry dress undress paint draw write read type study teach learn
        explain talk speak say whisper shout yell scream cry laugh smile kiss hug dance sing clap
        cheer wave point bow salute pray meditate sleep wake yawn dream sneeze cough breathe play
        perform act pose film record photograph watch look stare listen hear search dig plant water
        mow harvest build construct repair fix weld hammer saw drill measure weigh operate fight
        wrestle box stab chase hunt fish escape hide attack defend march parade celebrate marry
        propose graduate vote buy sell pay shop deliver interview present demonstrate unbox review
        bark meow howl roar hatch graze gallop drip splash spray erupt snow rain juggle skateboard
        snowboard cycle camp hike""",
    "actions of the body": """
        bleed chill browse approach arch arrive ascend awaken back balance bash bathe beckon belch
        blink blow blush bob bounce brace brawl breakdance bruise bump burp cackle caress cartwheel
        charge chat chatter choke chuckle clasp clench cling collapse collide confront console creep
        cross crouch cuddle curl dangle dart dash descend dodge doze drool drown duck embrace emerge
        enter exit faint fidget fist flail flap flee flex flinch flop follow frolic frown gasp gawk
        gaze gesture giggle glance glare glide gnaw grapple grimace grin grip groan growl grunt gulp
        hang headbang headbutt hesitate hiccup hover huddle hum hunch hurry jab jiggle jostle knock
        lash lean leave limp linger loiter lounge lunge lurk massage meander meet mingle moan
        moonwalk mumble munch nap nibble nod nudge nuzzle pace pant pat peck peek peep peer perch
        pet piggyback pinch pivot poke pounce pout prance press prowl puff queue rampage reach rear
        recline recoil relax rest retreat return roam rock romp rub rush sag saunter scamper scold
        scowl scramble scratch screech scurry shake shiver shove shrug shudder shuffle sidestep sigh
        sip slap slip slither slouch slump slurp smack smirk snarl sneak sneer sniff sniffle snore
        snort snuggle sob spank spar spit sprawl spring squat squeal squeeze squint squirm squirt
        stagger stalk stamp stampede startle step sting stomp stoop straddle straighten stride
        stroll strut stumble sunbathe swagger swat sway sweat swerve swoon swoop tackle tap thrash
        thrust tickle tiptoe toss touch trample tread tremble trot trudge tug tumble twerk twirl
        twist twitch vomit waddle wade wag wait wander weep whimper whine whirl whistle wiggle wince
        wink wobble wriggle writhe yank yap yodel zoom""",
    "actions with things and people": """
        abandon accept add adjust admire aim align announce answer apologize apply applaud appear
        argue arrange arrest ask assemble assist attach attempt attend award bandage baste bat
        batter beat beg bind blend bless block bolt bombard boost bottle bowl braid brake break brew
        bring broadcast bronze bundle bury bust button call calm capsize capture caramelize carve
        cast catapult chain cheat check chisel choose churn clamp classify click clip coach coat
        collect color combine comfort command compare compete compose conceal conduct congratulate
        connect conquer control converse cool copy count cover crack craft crank create crochet crop
        crumble crumple crush cuff cultivate deal debate decorate deep defeat defuse deflate defrost
        delete demolish depart design destroy detonate devour dial dice dine dip direct disappear
        disassemble discover discuss dismantle dismount display dissolve distribute divide donate
        dock doodle download drain drape drift drizzle drum dump dust dye edit eject email embroider
        empty encourage engrave entertain erase erect escort etch evacuate evaporate examine
        excavate exchange exercise exhibit expand experiment explore extinguish extract fasten fetch
        file fill fillet find filter finish fire flatten flick flirt flood flush focus forage forge
        frame freeze frost gamble garnish gather gift glaze glue grate grease greet grind groom grow
        guard guide gut hail handcuff hand handshake haul heal heat herd highlight hijack hitchhike
        hoist hose hurl identify ignite illustrate imitate immerse impersonate improvise inflate
        inject inspect install instruct insert interact interrogate interrupt introduce invade
        invent inscribe invite isolate jam juice kidnap kill label ladle laminate lasso launch
        lather lead leak lecture level light link load loot lower machine maneuver marinate mark
        mash match mill mime mine mince miss model mold monitor moor mount mug murder narrate
        navigate net notice nurse observe offer ooze order organize orbit overcook overflow overtake
        package panic paste patch patrol pave pedal pierce pile pin pipe pit place plait plaster
        plow pluck plug plunge poach polish pollute pop poison portray post pound preach preheat
        prepare pretend print produce program promote protect protest prune pump punish puree pursue
        puzzle quarrel quilt raise rake ram rappel rate rattle react rebuild receive recycle refill
        refuel rehearse reject release rescue remove renovate repaint repeat replace report restore
        restrain resuscitate retrieve reverse rewind rinse rip rob rotate ruin sabotage saddle
        salvage sand saute scan scare scatter scoop scorch score scour scrape screw scribble sculpt
        seal sear season seize separate serenade settle shampoo shape share sharpen shatter shear
        shell shelter shield shift shine ship shorten shovel shred shriek shrink sift sign signal
        simmer sink siphon sizzle sketch skewer skin slam slash slaughter slay sled sling slit smash
        smear smother smuggle snap snatch snip snowplow soak soar sort sow spark sparkle spill spike
        spiral splatter splice split spool spot sprain sprinkle sprout squash squish stack stain
        staple start stash steal steam steer stitch stock stop store storm strain strangle strap
        stream strike string strip struggle strum stuff style submerge suck sue supervise surrender
        surround survey survive suspend swirl switch swipe tangle tape tattoo taunt tease telephone
        teleport text thatch thaw thread threaten tighten tilt tinker tip toast torch torture tour
        tow trace track trade train transform translate transport trap travel treat trek trick trim
        trumpet tune turn tutor twinkle uncork uncover unfold unload unlock unmask unpack unplug
        unravel unroll unscrew unveil unwind unwrap unzip upload uproot vanish vacuum vandalize
        vault vibrate videotape visit volley warm warp wax weave wed welcome whip whittle win wind
        wire wither worship wreck wring yield zap zip zigzag""",
    "noises and things that happen": """
        babble backfire bang beep blare blast bleat blaze bloom blossom boom bray bubble buzz caw
        chime chirp clank clash clatter cluck coo crackle creak croak crow crunch decay decompose
        echo fizz flash flicker flourish flow flutter foam fog germinate glimmer glisten glitter
        glow gush hiss honk hoot jingle migrate moo neigh oink peal pollinate purr quack quake
        ricochet ring ripen ripple rise rot rumble rustle set shimmer shrivel smolder squawk squeak
        swell thud thunder tick tinkle topple trickle tweet whir whoosh wilt""",
}
