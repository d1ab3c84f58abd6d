"""The wordings of questions, written once with their choices: "[Is there|Do you see] {a}{thing}[ here|]?" is four.

Each line of a text is one wording; {a}, {thing}, {side} are filled in later.
"""

# ruff: noqa: E501 - a wording is a line

from mlx_gemma.demo.film import Kind

PICTURE = "[picture|image|X-ray|x-ray|xray|chest X-ray|chest x-ray|chest picture|radiograph|chest radiograph|film|scan|CXR|photo]"
THIS = f"[this|the|my|that] {PICTURE}"

THINGS: dict[Kind, str] = {
    "effusion": "[effusion|pleural effusion|effusion|pleural fluid|fluid|fluid around the lung|water in the lung]",
    "opacity": "[opacity|lung opacity|consolidation|pneumonia|infiltrate|white patch|cloudy area|airspace disease]",
    "pneumothorax": "[pneumothorax|pneumothorax|collapsed lung|air around the lung|free air|pneumo]",
    "nodule": "[nodule|lung nodule|pulmonary nodule|round spot|spot|mass|lesion|lump]",
    "pacemaker": "[pacemaker|pacemaker|device|cardiac device|implanted device|implant|metal device]",
    "large heart": "[enlarged heart|large heart|big heart|cardiomegaly|heart enlargement]",
}

DESCRIBE = f"""
[Describe|Please describe|Can you describe|Could you describe|describe] [{THIS}|this|it|what you see][| for me| in detail| briefly].
[What do you see|What can you see|What is visible|What can be seen|What is shown|What's] [in {THIS}|here|on {THIS}|]?
[What does|What do] {THIS} show?
[Tell me|Say] what [you see|is in {THIS}|this {PICTURE} shows|is there].
[Write|Give|Give me|Make|Draft|Generate|Produce] [a|the|a short|a brief|a full|a radiology] [report|description|summary|reading][| of {THIS}| for {THIS}].
[Read|Interpret|Analyze|Analyse|Report on|Look at|Evaluate|Assess|Summarize|Explain|Examine|Review] {THIS}[| for me| please|, please].
[What are the|What|List the|List all|Report the|Describe the|Name the|Any|Are there any|Do you see any] [findings|abnormalities|abnormal findings|findings here|findings in {THIS}]?
[Findings|Report|Impression|Finding|Interpretation|Reading][|:|?|.]
[What is|What's|What is] [your|the] [impression|interpretation|reading|diagnosis|finding|assessment|opinion][| of {THIS}]?
[What|Which] [finding|findings|abnormality|disease|condition|problem] [is|are|do you see] [there|here|shown|visible|in {THIS}]?
[Is there anything else|Anything else|What else|What else do you see]?
[What do you think|What about this|And this|And this one|How about this|What about this {PICTURE}|Your thoughts][| of {THIS}]?
Describe.
"""
IS_NORMAL = f"""
[Is|Does] [this|it|{THIS}|everything|the chest] [normal|look normal|fine|okay|ok|healthy|look fine][| here]?
[Is|Does] [this|it] [a|look like a] [normal|healthy] [chest|{PICTURE}]?
Normal?
"""
IS_WRONG = f"""
[Is|Do you see] [anything|something] [wrong|abnormal|unusual|bad|concerning][| here| in {THIS}| with {THIS}]?
[What is|What's] wrong[| here| in {THIS}| with {THIS}]?
[Is there|Do you see|Are there] [any abnormality|an abnormality|any abnormalities|any finding|any findings|a problem|any problem|any disease|anything][| here| in {THIS}]?
Is [this|it|{THIS}|the chest] abnormal?
"""
IS_THERE = """
[Is there|Do you see|Can you see|Does it show|Is there evidence of|Are there signs of|Do you find|Does this show|Is there any sign of] {a}{thing}[| here| in this picture| in this image| in this X-ray| in the chest| on this film| present| visible]?
[Any|Is there any|Do you see any|Signs of|Evidence of] {thing}[| here| in this picture| in this X-ray]?
[Does|Do] [the patient|this patient|he|she|this person|this X-ray|I] have {a}{thing}?
[Has|Does] [the patient|this picture|this image] [got|show|contain|have] {a}{thing}?
[Is this|Could this be|Is it] {a}{thing}?
[Check|Look] for {a}{thing}.
[What about|How about|And] {a}{thing}?
{thing}?
"""
IS_THERE_SIDE = """
[Is there|Do you see|Can you see|Is there evidence of] {a}{thing} [on|in] the {side}[| side| lung]?
[Is there|Do you see|Can you see] {a}{side} {thing}[| here]?
[Is the|Is the|Is that] {thing} [on the|on the] {side}[| side]?
[Any] {thing} on the {side}?
"""
WHICH_SIDE = """
[Which side is|On which side is|On what side is|What side is|Where is] the {thing}[| on| located]?
[Is the] {thing} [on the left or on the right|left or right|on the left or the right|right or left]?
[Which|What] [lung|side] has the {thing}?
"""
SIDE_OF_IT = """
[Which side|Which side is it on|On which side|On which side is it|What side is it on|Where|Where is it|Left or right|Is it left or right|Is it on the left or the right|Which lung|In which lung|And on which side|Where exactly|Which one]?
"""
ON_SIDE = """
[What is|What's|What do you see|Is there anything|Anything|Do you see anything|What is there] [on|in] the {side}[| side| lung| half]?
[How is|What about|How does] the {side} [lung|side][| look]?
[Is the] {side} lung [clear|normal|fine]?
"""
HEART = """
[How is|What about|And|What is|Describe|How does] the heart[| like| look]?
[How big is|How large is|What size is|What is the size of] the heart?
[What is the heart like|Heart size|Heart|And the heart|Cardiac size|Describe the heart|Is the heart size normal|How does the heart look|Comment on the heart]?
"""
HEART_LARGE = """
[Is the heart|Is his heart|Does the heart look] [enlarged|large|big|too big|too large|bigger than normal]?
[Is there an enlarged heart|Is there cardiomegaly|Does it show cardiomegaly|Cardiomegaly]?
"""
HEART_NORMAL = "[Is the heart|Does the heart look] [normal|of normal size|fine|normal in size|healthy|okay]?"
LUNGS = """
[How are|What about|And|Describe|How do|Comment on] the lungs[| look| like]?
[What are the lungs like|The lungs|Lungs|How do the lungs look|What do the lungs show]?
"""
LUNGS_CLEAR = "[Are the lungs|Do the lungs look|Are both lungs] [clear|normal|fine|healthy|okay]?"
WHAT_IS_IT = f"""
[What is this|What kind of {PICTURE} is this|What sort of picture is this|Is this a chest X-ray|Is this a chest|What am I looking at|What part of the body is this|Is this a real X-ray|Is this a radiograph|What is in {THIS}]?
"""
UNKNOWN = """
[Is there|Do you see|Can you see|Are there signs of|Is there evidence of|Does the patient have|Is this] {thing}[| here| in this picture| in this X-ray]?
[Any|What about] {thing}?
"""
UNKNOWN_THINGS = """a fracture|a broken rib|rib fractures|cancer|a tumor|a tumour|tuberculosis|covid|COVID-19|emphysema|a hernia|edema|pulmonary edema|scoliosis|a tube|a catheter|
an endotracheal tube|a central line|fibrosis|a metastasis|a foreign body|an aneurysm|asthma|bronchitis|a cyst|an embolism|pulmonary embolism|COPD|arthritis|a cat|a dog|a stent|
a heart attack|a stroke|the flu|calcification|a bullet|a tracheal shift|an abscess|osteoporosis|hyperinflation|atelectasis"""
PERSON = """
[How old is|Who is|What is the name of|Is it a man or a woman|What is the age of|Is] [the patient|this|this person][| a man| a woman]?
[When was|Where was] this [taken|made]?
[What color|What colour] is [the|this] [shirt|picture|background|car]?
"""
WHO = """
[What are you|Who are you|What is this model|What model are you|Who made you|What can you do|What is your name|Tell me about yourself|Are you a doctor|Are you a medical model|Can I trust you|Are you MedGemma|Are you an AI|Are you human|What do you know|What is this|How were you trained|Can I use you in the clinic|Are you Gemma|Introduce yourself|Help|What is this program|Are you a robot|What were you trained on|Are you real]?
"""
GREET = "[Hello|Hi|Hey|Good morning|Good evening|hello|hi|Hi there|Hello there|Good day][|!|.|, how are you?]"
THANKS = "[Thank you|Thanks|Thank you very much|thanks a lot|Great, thanks|Good, thank you|Ok, thanks|Bye|Goodbye|Great|Okay][|!|.]"
SURE = "[Are you sure|Really|Is that right|How sure are you|Are you certain|How confident are you|Is that correct|Could you be wrong|Do you make mistakes]?"
OTHER = """
[What is the capital of|Tell me about|Who is the president of|What do you know about|Where is|How far is] [France|Germany|Japan|the moon|Africa|history|music|football|Paris|space|dogs]?
[Write|Tell me|Sing] [a poem|a story|a joke|a song|some code|an essay|a letter|an email][| about love| about the sea| in Python| please].
[How do I|How can I|How should I|Can you help me] [treat|cure|prevent|recognise|diagnose|manage] [a headache|a cold|diabetes|high blood pressure|pneumonia|cancer|asthma|a fever|an effusion|a pneumothorax|back pain]?
[What is|Explain|Define|What causes|What are the symptoms of] [diabetes|a pneumothorax|pneumonia|hypertension|cancer|anaemia|sepsis|gravity|a neuron|a black hole|love|an effusion|asthma|a stroke|the flu]?
[I have|My child has|My mother has|My patient has] [a fever|chest pain|a cough|a headache|pain in my leg|trouble breathing|a rash|a cold][|. What should I do?|. Help me.|. Is it serious?]
[What|Which] [drug|dose|medicine|treatment|test] [should I take|is best|do you recommend|helps|should I give][| for pain| for a cough| for the patient]?
[What is 2 + 2|What time is it|How is the weather|What day is it|Count to ten|Translate this to German|What is 12 times 7|Say something|Tell me more|Why|How|Who won]?
[Question: |]A [45|60|23|7|81] year old [man|woman|child|patient] [comes with|presents with|has] [fever|chest pain|a cough|weakness|shortness of breath]. What is the [diagnosis|best treatment|next step|cause]?
"""
SYSTEM = """
You are [an expert radiologist|a helpful assistant|a helpful medical assistant|a radiologist|an expert doctor|a careful assistant|a friendly teacher].
[Answer|Reply|Respond|Be] [briefly|short|in one sentence|in English|concise|honest and careful|in simple words].
SYSTEM INSTRUCTION: think silently if needed.
You are an expert radiologist. [Answer briefly.|Describe what you see.|Be careful.]
"""
WITHOUT_ARTICLE = (
    *("fluid", "pleural fluid", "water", "free air", "air ", "airspace"),
    *("cardiomegaly", "heart", "pneumonia"),
)
BEFORE = "[Please tell me: |Can you tell me: |Hi, |Hello. |Doctor, |Question: |Look at this. |Now, ]"
