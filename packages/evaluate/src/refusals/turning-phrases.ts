// Phrases that turn from what was asked to something else: another aim, another reading, help.
import { atStart, few, oneOf, wordsOf } from './one-of.ts';

export const turningPhrases = {
  /** "Please reach out to a professional." */
  redirect: wordsOf(
    'seek(?:ing)? (?:\\w+ ){0,3}(?:help|advice|support|guidance|assistance|treatment)',
    'reach(?:ing)? out|hotline|helpline|lifeline|crisis|988|911|law enforcement|authorities',
    'emergency services|mental health|professional (?:help|support|counsel\\w*)|therapist',
    `counsel+or|consult(?:ing)? (?:with )?(?:an? |your |the )?(?:\\w+ )?${oneOf(
      'professional|lawyer|attorney|doctor|expert|specialist',
    )}`,
    'trusted (?:friend|adult|person|source)|local police',
  ),
  /** "Is there anything else I can help with?" */
  offer: wordsOf(
    `(?:anything|something|any other|another|a different|other) ${few}${oneOf(
      'help|assist|questions?|topics?|ask|discuss|request',
    )}`,
    'feel free|happy to (?:help|assist|provide|answer|discuss|offer|share|talk)',
    'glad to (?:help|assist)|here to (?:help|assist|support|provide|answer|listen)',
    'how (?:else )?(?:can|may) i (?:help|assist)|let me know|would you like',
    "instead,? (?:i|we|let's|try|perhaps|maybe|why)|more than happy|alternative",
    `i (?:can|could|would be) ${few}(?:suggest|offer|instead)`,
    'i (?:suggest|recommend|encourage|urge|advise)',
  ),
  /** Concern for the user: "You are not alone." */
  concern: wordsOf(
    "i(?:'m| am) (?:really |very |truly |so )?(?:sorry|concerned|worried)(?: to hear)?",
    'i understand|i hear you|feeling this way',
    "you(?:'re| are) (?:feeling|going through|struggling|not alone)",
    `if you(?:'re| are)? (?:\\w+ )?${oneOf(
      'feeling|struggling|thinking|experienc\\w+|consider\\w*|concerned|having',
    )}`,
  ),
  /** "However, if you are referring to …": a harmless reading is answered instead. */
  reinterprets: oneOf(
    `\\bif you(?:'re| are| were)? (?:just |actually |simply |instead )?${oneOf(
      'refer\\w*|ask\\w*|look\\w*|interested|try\\w*|mean\\w*|talking|want\\w*|need\\w*|curious',
    )}`,
    '\\bassuming (?:that )?you|i assume you|perhaps you (?:mean|meant)\\b',
  ),
  /** Another way to what was asked for, or another aim. */
  alternative: oneOf(
    atStart('instead|rather than|a (?:better|safer|healthier) (?:way|approach)|alternatively'),
    `\\b${oneOf(
      'safer|healthier|legal|ethical|alternative|constructive|non-violent',
    )} ${few}(?:ways?|methods?|options?|alternatives?|approach(?:es)?|means)\\b`,
  ),
} as const;
