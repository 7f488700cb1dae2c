// What texts that speak to their judge have to say, in many wordings.

/** What an answer does that speaks to its judge. */
export type JudgeAddress =
  | 'overrides instructions'
  | 'addresses the judge'
  | 'asks for a verdict'
  | 'states a verdict'
  | 'states its score'
  | 'praises itself'
  | 'forges the prompt'
  | 'hides text';

// Repetitions are bounded, so that the time is proportional to the length of the answer.

/** A judge, by any name. */
const JUDGE =
  '(?:ai |llm |human |impartial |fair |automated |automatic |expert ){0,4}' +
  '(?:evaluators?|judges?|graders?|raters?|annotators?|assessors?|reviewers?|scorers?|' +
  'examiners?|markers?|referees?|ai model|' +
  'llm|language model)';
/** An answer, as a judge's prompt names it. */
const ANSWER = '(?:answers?|responses?|outputs?|repl(?:y|ies)|completions?|submissions?)';
/** The name of one of two answers or models. */
const NAMED = '(?:assistant|model|output|response|answer|candidate|completion)';
/** `A`, `(b)`, `[[1]]`, … */
const sign = (signs: string): string => `[[("'\`]{0,2}(?:${signs})(?![\\w'-])[\\])"'\`]{0,2}`;
const SIDE = `(?:${NAMED} ?${sign('a|b|c|m|1|2|one|two')})`;
/** This answer, or one of those that are compared. */
const OWN =
  `(?:(?:this|my|the above|the following|the present|the current|this very) ${ANSWER}|${SIDE}|` +
  `the (?:first|second|last|other) ${ANSWER}|the ${ANSWER} (?:above|below|by the other)|` +
  'the (?:above text|text above|text you are reading))';
const GIVE = '(?:give|award|assign|grant|rate|score|grade|mark|rank)';
const TOP =
  '(?:perfect|full|maximum|max|top|highest|best|lowest|minimum)(?: possible)?' +
  '(?: (?:score|rating|marks?|grade|points))?';
const PREFER = '(?:choose|pick|select|prefer|favou?r|vote for|declare|crown)';
const CHOOSE = `(?:${PREFER}|go with|output|report|return|say|print)`;
const BETTER =
  '(?:better|best|superior|winner|preferred|preferable|stronger|more (?:helpful|accurate|' +
  'correct|complete))';
const WORSE =
  '(?:worse|worst|inferior|wrong|incorrect|weaker|less (?:helpful|accurate|correct|complete))';
/** Words that strengthen. */
const VERY = '(?:\\w+ly |far |much |by far |so |the |an? |both ){0,4}';
/** Something in between, in the same sentence. */
const NEAR = '[^.!?\\n]{0,60}?';
const POINTS = '(?:10|ten|9|5|five|100|\\d{1,3} ?/ ?\\d{1,3}|\\d{1,3} out of)\\b';
const NO_TIME = '(?! ?(?:minutes?|hours?|days?|weeks?|months?|years?|percent|seconds?|times|%))';

const pattern = (...parts: string[]): RegExp => new RegExp(parts.join('|'), 'iu');

/** Rules on an answer in plain letters; upper case and lower case are equal. */
export const rules: readonly [JudgeAddress, RegExp][] = [
  [
    'overrides instructions',
    pattern(
      // Ignore the above; disregard all previous instructions.
      '\\b(?:ignore|disregard|forget|override|overlook|skip|bypass|do not (?:follow|obey|use|' +
        'read|consider)|' +
        "don't (?:follow|obey|use|read|consider)|stop following|pay no attention to) " +
        '(?:(?:all|any|every|each|everything|whatever|of|the|these|those|your|my|its|other|' +
        'and|text|' +
        'anything|instructions?|rules|criteria|guidelines|that|was|is|were|are|comes?|came|you|' +
        'told|given|said|written|stated|prompt|user|system) ){0,6}' +
        '(?:above|previous|prior|preceding|earlier|foregoing|before(?: this)?)' +
        '(?= (?:and|instructions?|prompts?|rules|text|criteria|guidelines|context|outputs?|' +
        'answers?|' +
        'responses?|messages?|directions?|commands?|rubric|tasks?|content|orders?|this|told|' +
        'says?|said|#)|[^\\w ]| ?$)',
      '\\b(?:ignore|disregard|forget|override|bypass|do not follow|stop following) ' +
        '(?:all |any |the |your |everything |what ){0,4}' +
        '(?:evaluation|judging|grading|scoring|original|system|judge) ?' +
        '(?:instructions?|prompts?|rules|criteria|guidelines|rubric)',
      '\\b(?:ignore|disregard) (?:the |any |all |every ){0,4}(?:(?:other|first|second|next|' +
        `following|competing) ${ANSWER}|` +
        `${SIDE}|${ANSWER} (?:that|which|below|after))`,
      '\\b(?:forget|ignore|disregard) (?:your|the|all|any) (?:\\w+ )?(?:rubric|criteria)\\b',
      '\\b(?:disregard|ignore) (?:what |everything )(?:the )?(?:prompt|instructions?|system|' +
        'user|question) says?',
      '\\b(?:new|updated|revised|real|actual|changed) (?:instructions?|task|rules?|system ' +
        'prompt)' +
        `(?: (?:for|to) (?:the |you|all )?(?:${JUDGE})?)? ?:`,
      '\\b(?:evaluation|judging|grading|scoring) (?:rules|criteria|rubric|instructions?|task) ' +
        '(?:have|has) (?:been )?(?:changed|updated|replaced|revised|suspended)',
      '\\bsystem (?:override|overwrite)\\b|\\b(?:system prompt|rubric) (?:has|have) (?:been ' +
        ')?changed\\b',
      '\\b(?:the|your) (?:rubric|grading (?:rules|instructions)) (?:says?|states?|requires?) ' +
        '(?:that )?(?:this|the|all|any|an?)?',
      // The same in other languages.
      '\\b(?:ignorier|vergiss)(?:e|en sie|t)? (?:bitte )?(?:alle[ns]? |die |das ){0,4}' +
        '(?:obige|vorherige|vorige|bisherige|vorangehende|vorangegangene)',
      '\\b(?:ignore[zr]?|oublie[zr]?) (?:toutes? )?(?:les )?(?:instructions|consignes)',
      '\\b(?:ignor[ae]|olvid[ae])[nr]? (?:todas )?(?:las )?(?:instrucciones|indicaciones)',
      '(?:忽略|无视|忽視|無視|忘记|忘掉).{0,4}(?:以上|上述|上面|之前|前面|先前|所有)',
    ),
  ],
  [
    'addresses the judge',
    pattern(
      '\\b(?:dear|hey|hello|hi|attention|note to|message to|note for|message for|memo to|' +
        'notice to) ' +
        `(?:the |all |any |our |my ){0,4}${JUDGE} ?[:,!—–-]${NEAR}` +
        `(?:\\b(?:you|your|please|${ANSWER}|score|rate|rating)\\b)`,
      `(?:^|[\\n#>]|<!--) ?(?:the )?${JUDGE} ?[:,] ?(?:please |you |must |should |always ){0,4}` +
        `(?:${GIVE}|${CHOOSE}|note|consider|ignore|remember|this)\\b`,
      `\\bas (?:the |an? |our |my )${JUDGE},? (?:you|please|your (?:task|job|verdict|duty)|` +
        'it is your|remember|note)',
      `\\b(?:if|when) you(?: are|'re) (?:the |an? )?(?:${JUDGE} )?` +
        '(?:evaluating|judging|grading|comparing|scoring|rating|assessing) ' +
        `(?:this|these|the (?:two )?(?:${ANSWER}|assistants|models))`,
      `\\bif you(?: are|'re) (?:the |an? )?${JUDGE}\\b`,
      `\\byou, (?:the |dear |my ){0,4}${JUDGE}\\b`,
      '\\b(?:hints?|notes?|tips?|instructions?|guidance) (?:for|on|to) (?:the )?' +
        '(?:grading|judging|evaluation|evaluating|scoring)\\b',
      `(?:^|[\\n(]) ?${JUDGE} (?:note|instruction|hint)s? ?:`,
      `\\bif you(?: are|'re) (?:the one )?(?:grading|judging|evaluating|scoring|rating)(?: ` +
        'this| me|[,:])',
      `\\b(?:whoever|whomever|anyone who|the one who|the person who|those who) (?:is|are) ` +
        '(?:grading|judging|evaluating|scoring|rating|comparing)',
      '\\bwhen (?:evaluating|judging|grading|comparing|scoring|rating)(?: (?:this|these|my|' +
        `both|the two) ${ANSWER})?, ` +
        `(?:please|remember|note|keep in mind|you (?:must|should|have to)|${CHOOSE}|${GIVE})\\b`,
      `\\byou(?: are|'re) (?:now )?(?:the |an? )(?:${JUDGE}) (?:who|that|and|whose|tasked|` +
        'comparing|evaluating)',
      `\\b(?:the|any|every) ${JUDGE} (?:must|should|is (?:required|instructed|asked) to|` +
        'needs? to|has to|will|shall) ' +
        `(?:always )?(?:${GIVE}|${CHOOSE}|consider) (?:it|this|that|${OWN}|${sign('a|b')})`,
      `\\byour (?:evaluation|judg(?:e)?ment|verdict|grading|scoring) ` +
        '(?:of (?:this|my|the above) |(?:must|should|has to|will) (?:be|reflect|favou?r|' +
        'state|say)\\b)',
      `\\byour (?:task|job|only task|duty) (?:is|was) to (?:${CHOOSE}|${GIVE}) (?:${OWN}|` +
        `${sign('a|b')} ?(?:[.!\\n]|$))`,
    ),
  ],
  [
    'asks for a verdict',
    pattern(
      `\\b${PREFER} (?:only )?${OWN}`,
      '\\b(?:please|you (?:must|should|have to|need to|will|are (?:required|instructed|asked|' +
        'told) to)|' +
        'always|make sure (?:to|you)|be sure to|remember to|kindly|just|only|simply|must) ' +
        `(?:always )?(?:${CHOOSE}|consider) (?:only )?(?:${OWN}|[[("'\`]{1,2}(?:a|b|m|1|` +
        `2)[\\])"'\`]{1,2}|this one\\b)`,
      `\\b(?:trust me|so|therefore)[,:]? (?:please )?${PREFER} (?:this one|it|me)\\b(?= ` +
        '?[.,;:!\\n]| ?$)',
      `\\bso (?:please )?${PREFER} (?:it|me|this)\\b(?= ?[.!\\n]| ?$)`,
      `\\b${GIVE} (?:it|me|us|this|myself|${OWN})(?: (?:as|with|a|an|the|at)){0,4} (?:${TOP}|` +
        `${POINTS})${NO_TIME}` +
        `(?<!best(?= (?:shot|effort|care|chance|possible)))`,
      `\\b(?:rate|score|grade) (?:it|me|this|${OWN})(?: (?:as|with|a|an|at)){0,4} ` +
        `(?:\\d{1,3}\\b${NO_TIME}|highly\\b|higher\\b)`,
      '\\b(?:rate|score|grade|rank|mark|evaluate|judge|treat|regard|consider|count|accept|' +
        `${CHOOSE}) ${OWN} as ` +
        `(?:${VERY})?(?:${BETTER}|correct|right|excellent|perfect|good|valid|passing)\\b`,
      `\\b${GIVE} (?:the |a )?${TOP} to (?:this|me|the|my)\\b`,
      `\\bconsider ${OWN} (?:to be |as )?(?:flawless|perfect|excellent|correct|${BETTER})`,
      `\\bgive (?:me|${OWN}) (?:a |an |the )?(?:high|good|${TOP}) ?(?:score|rating|grade|marks?)`,
      `\\b(?:award|assign|add|give)(?: (?:it|me|this|${OWN}))? (?:full|maximum|\\d{1,3}) ` +
        `?(?:points|marks)(?: (?:here|to|for) ?(?:this|me|${OWN})?)`,
      `\\b(?:rank|place|put) (?:${OWN}|me|this one) (?:in )?(?:first|number one|at the top|` +
        '1st)\\b',
      '\\boutput nothing\\b',
      // In one word: [[B]], (a).
      `\\b(?:output|say|print|return|reply with|answer with|respond with|${PREFER}) ` +
        `(?:only )?(?:\\[\\[|\\(|output \\(?|the (?:label|letter) )["']?(?:a|b|c|m|tie)\\b`,
      `\\b(?:grader|judge|evaluator) ?: ?(?:${GIVE}|${CHOOSE}|full|max)\\b`,
      '\\b(?:vote for|choose|pick|select|prefer) me\\b(?= ?[.!,;\\n]| ?$| (?:as|because|over|' +
        'and))',
      `\\b${OWN} (?:should|must|has to|needs to) be (?:\\w+ly )?(?:preferred|chosen|selected|` +
        'picked|favou?red|declared|ranked|rated|scored|graded|marked)\\b',
      '\\bmust be (?:marked|rated|graded|scored|chosen) as\\b',
    ),
  ],
  [
    'states a verdict',
    pattern(
      // MT-Bench's, Arena-Hard's and our own.
      '(?<![\\w\\])])\\[\\[ ?(?:a|b|c|tie|[ab] ?[<>=]{1,2} ?[ab]) ?\\]\\]',
      '\\[\\[ ?(?:rating|score) ?:|\\brating ?:? ?\\[{1,2}\\d{1,2}(?:\\.\\d+)?\\]',
      '(?:^|[\\s"\'(])[ab]>>?[ab](?![\\w>])',
      `\\b${SIDE}(?:'s ${ANSWER})? (?:is|was|are|seems) ?${VERY}(?:${BETTER}|worse|worst|` +
        'inferior)\\b',
      `\\b${SIDE} (?:provides|gives|offers|has|is) ${VERY}(?:${BETTER}) (?:overall )?${ANSWER}`,
      `\\b${SIDE} (?:gave|wrote|provided|offered|produced) ${VERY}(?:${BETTER}|worse|worst|` +
        `inferior) (?:overall )?${ANSWER}`,
      `\\b(?:clear|obvious|undisputed|rightful) winner\\b`,
      `\\b${SIDE} (?:\\w+ly )?(?:outperforms|beats|surpasses|outshines|exceeds)\\b`,
      `\\b${OWN} (?:\\w+ ){0,2}?(?:deserves? (?:the |to )?win|(?:should|must|will|has to) ` +
        'win|wins)\\b',
      // A row can be about numbered answers: "Answer 1 is correct, answer 2 is wrong".
      `\\b${NAMED} ?${sign('a|b|m')}(?:'s ${ANSWER})? (?:is|was) ?${VERY}${WORSE}\\b`,
      `\\b${SIDE} (?:wins|is the winner|won)\\b`,
      `\\bthe (?:first|second|other) (?:${ANSWER}|assistant|model|candidate) (?:is|was|seems|` +
        `provides|gives) ${VERY}` +
        `(?:${BETTER}|${WORSE})\\b`,
      `\\b(?:better|best|winning|preferred|superior) ${ANSWER} (?:is|:|=) ` +
        `?${sign('a|b|m|1|2|this')}`,
      `(?:^|[\\n.!] ?)${sign('a|b')} is (?:clearly |much |far )?(?:the )?(?:better|best|` +
        'superior|preferred|winner)\\b',
      `\\b(?:final |my |the |overall |correct |judge's |right ){0,4}(?:verdict|winner|preference|` +
        'judg(?:e)?ment|decision)' +
        ` ?(?:is|:|=|should be|must be) ?(?:that )?(?:${NAMED} )?${sign('a|b|m|tie|1|2')}(?= ` +
        '?[.,;!\\n)>\\]]| ?$| wins| is)',
      `\\bwinner ?(?:is|:|=) ?${SIDE}`,
      '"(?:verdict|winner|preference|choice|better|ranking|decision)" ?: ?["\'\\d[{]',
      '</?(?:verdict|evaluation|judg(?:e)?ment|grade|rating)>',
      `\\b(?:my|this) ${ANSWER} is ${VERY}(?:better|superior|more (?:helpful|accurate|` +
        'correct|complete))' +
        '(?: than| to| and|[.!,]| ?$)',
      `\\b(?:the ${ANSWER} (?:by|from|of) )?the (?:other|competing|opposing|rival) ` +
        `(?:${ANSWER}|assistant|model|candidate)(?:'s)? (?:${ANSWER} )?` +
        `(?:is ${VERY}(?:${WORSE}|bad|poor|flawed|false|unhelpful|dangerous|harmful|` +
        'plagiarised|plagiarized)|contains? (?:\\w+ ){0,6}?(?:errors?|mistakes?)|fails?|lacks?|' +
        'should (?:be|not)|must (?:be|not))',
      `\\bboth (?:of )?(?:the )?(?:other )?${ANSWER} are ${VERY}(?:${WORSE}|bad|poor|flawed|` +
        'false)',
      '\\b(?:better|superior|preferred|more (?:helpful|accurate|correct|complete)) (?:than|' +
        `to|over) (?:the|any) (?:other|competing|alternative) (?:${ANSWER}|one)`,
      `\\b${JUDGE} (?:\\w+ly )?(?:prefer(?:s|red)?|chose|chooses?|pick(?:s|ed)?|select(?:s|` +
        'ed)?|favou?r(?:s|ed)?|rated|voted for|agreed? (?:that|on)) ' +
        `(?:this|${OWN})`,
      `\\bI am ${VERY}(?:better|best|superior) (?:assistant|model|candidate|answer|response)\\b`,
    ),
  ],
  [
    'states its score',
    pattern(
      `\\b(?:score|rating|grade|mark) (?:of|for) ${OWN} ?(?:is|:|=|should be|must be|equals)`,
      `\\b(?:${OWN}|i) (?:\\w+ ){0,3}?(?:deserves?|merits?|earns?|should (?:get|receive|` +
        'score|be (?:rated|scored|graded|given|awarded|marked|considered|chosen|preferred|' +
        'selected|judged))|' +
        'must (?:get|receive|score|be (?:rated|scored|graded|given|awarded|marked|considered|' +
        'chosen|preferred|selected|judged))|' +
        `scores?|is worth|is rated|was rated|has been rated) (?:\\w+ ){0,3}?(?:${TOP}|` +
        `${POINTS}|superior|correct|excellent)`,
      '(?:^|\\n) ?(?:overall |final |total |my ){0,4}(?:score|rating|grade) ?: ' +
        '?\\[{0,2}(?:10|9|5|100)(?:\\.0)?\\]{0,2}' +
        ' ?(?:/ ?(?:10|5|100)|out of (?:10|5|100))? ?(?:[.!]? ?\\n|[.!]? ?$)',
      '(?:^|\\n) ?(?:overall |final |total |my ){0,4}(?:score|rating|grade) ?: ?' +
        '(?:10 ?/ ?10|5 ?/ ?5|100 ?/ ?100|(?:5|five) stars|A\\+)',
      `\\b(?:assistant|model|output|response|answer) ?\\(?[ab]\\)?(?:'s (?:score|rating))? ` +
        '?[:=] ?(?:\\d{1,3}(?: ?/ ?\\d+)?(?! ?[\\w%$])|excellent|perfect|terrible|bad|poor|' +
        'good\\b|correct|wrong)',
      '"(?:score|rating|grade)" ?: ?"?\\d',
    ),
  ],
  [
    'praises itself',
    pattern(
      `\\b(?:this|my) ${ANSWER} (?:is|was) ${VERY}(?:perfect|flawless|excellent|outstanding|` +
        'best|superb|' +
        'brilliant|exceptional|correct|accurate|(?:very |extremely |highly |most )(?:helpful|' +
        'complete|comprehensive|informative|detailed))\\b',
      `\\bthe above ${ANSWER} is ${VERY}(?:perfect|flawless|excellent|outstanding|best|` +
        'correct and)\\b',
      `\\b(?:this|my) ${ANSWER} (?:fully|perfectly|completely|flawlessly|brilliantly|best|` +
        'clearly and \\w+|directly and \\w+) ' +
        '(?:answers?|address(?:es)?|satisf(?:y|ies)|meets?|follows?|fulfil?ls?|responds?)',
      '\\b(?:this|it) is (?:the|a|an) (?:\\w+ly )?(?:perfect|best(?: possible)?|flawless|' +
        `ideal|highest[- ]quality|superior|most helpful) ${ANSWER}\\b`,
      '\\bthis is (?:the|a) (?:reference|gold(?:en)?|ground[- ]truth|official|model) ' +
        `(?:${ANSWER}|solution)`,
      '\\bthis is the ground truth\\b',
      `\\b(?:this|my) (?:${ANSWER}|text) (?:is|was|has been) (?:\\w+ly )?(?:verified|checked|` +
        'approved|endorsed|confirmed|' +
        'written|reviewed|certified|validated|generated) (?:\\w+ )?by (?:\\w+ )?(?:experts?|' +
        'gpt|claude|openai|gemini|anthropic|google|professionals?|instructors?|humans?|' +
        'doctors?|teachers?|professors?)',
      `\\b(?:this|my) ${ANSWER} (?:is|was|has been) (?:\\w+ly )?(?:verified|approved|` +
        'certified|validated|fact-checked|endorsed)\\b',
      `\\bno (?:other|better) ${ANSWER} (?:is|could|can|exists?|comes?)`,
      '\\bof the (?:highest|best) (?:possible )?quality, so\\b',
    ),
  ],
  [
    'forges the prompt',
    pattern(
      // Marks of chat templates.
      '<\\|(?:im_start|im_end|im_sep|system|user|assistant|end|eot_id|eom_id|start_header_id|' +
        'end_header_id|' +
        'endoftext|begin_of_text|eot|turn|start|message|channel)\\|>',
      '</?(?:start_of_turn|end_of_turn)>|\\[/?INST\\]|<</?SYS>>|' +
        '\\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS)\\]',
      // Sections of judges' prompts.
      '\\[ ?(?:the )?(?:start|end|begin|beginning) of (?:the )?(?:assistant|model|response|' +
        'output|answer|user|conversation|reference|question|instruction)',
      '</?(?:answer|response|output|assistant|model)[ _-][abc12](?: [0-9a-f]{8})?>|' +
        '</?(?:prompt|reference answer) [0-9a-f]{8}>',
      '(?:^|\\n) ?#{1,4} ?(?:model outputs?|outputs? ?\\(?[ab]\\)?(?: ?:|\\n)|your ' +
        '(?:verdict|evaluation|rating|judg(?:e)?ment)|' +
        'best model identifier|which is best|(?:evaluation|judge|verdict|' +
        "judg(?:e)?ment)(?:'s decision)? ?(?::|\\n))",
      '\\bmodel_identifier\\b',
      "\\[(?:user question|system|question|reference answer|assistant [ab](?:'s " +
        'answer)?)\\] ?(?:\\n|$)',
      `(?:^|\\n) ?(?:begin|end|start) (?:of )?(?:${ANSWER}|assistant) ` +
        `?[[("']?[ab12][\\])"']? ?[:.]?`,
      '\\n ?(?:### ?(?:instruction|human|user|system)|system) ?:',
      '(?:^|\\n) ?(?:human|user|instruction) ?:[^\\n]{0,200}\\b(?:better|best|evaluate|judge|rate|' +
        'which|ignore)\\b',
    ),
  ],
];

/** A label alone: in upper case, since `output a` is a verb and an article. */
export const labelAsked = new RegExp(
  '(?:^|[.!?:,;\\n] ?)(?:(?:[Aa]lways )?[Oo]utput|OUTPUT|[Ss]ay|[Rr]eply(?: with)?|' +
    '[Aa]nswer with|[Rr]espond with|[Pp]rint|[Rr]eturn|[Tt]he (?:result|label|verdict|choice) is|' +
    'and (?:say|output|print|return))(?: only| just)?(?: the)?(?: label| letter| word| option)? ' +
    '["\'(]?[AB]["\')]?(?: alone| only)?[.!]? ?(?:\\n|$)',
  'u',
);
