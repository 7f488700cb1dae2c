// Phrases with which an assistant declines: written from general knowledge of how assistants
// refuse, not mined from labelled answers.
import { atStart, few, oneOf, wordsOf } from './one-of.ts';

/** "I", "we", "this assistant". */
const speaker = oneOf("i|we|this (?:assistant|model)|i'm|i am|we're|we are");

const cannot = oneOf(
  "can't|cannot|can not|couldn't|could not|won't|will not|wouldn't|would not|shouldn't|should not",
  "don't|do not|never|must not|unable to|not able to|not going to|not comfortable|not here to",
  'not willing to|unwilling to|not allowed to|not permitted to|not programmed to|not designed to',
  'not capable of|incapable of|not in a position to|refuse to|decline to|refrain from',
  'must (?:respectfully |politely )?(?:decline|refuse)|prohibited from',
  '(?:have|need) to (?:respectfully |politely )?(?:decline|refuse|pass)',
);

/** What an assistant that declines does not do. */
const serve = oneOf(
  'assist|help|provid\\w*|fulfil\\w*|satisfy|answer|respond|compl(?:y|ies|ying)|give|giving',
  'offer\\w*|creat(?:e|ing)|writ(?:e|ing)|generat(?:e|ing)|produc(?:e|ing)|engag(?:e|ing)',
  'participat(?:e|ing)|discuss\\w*|shar(?:e|ing)|tell|teach|explain|do that|do this',
  'facilitat(?:e|ing)|continu(?:e|ing)|advis(?:e|ing)|accommodat(?:e|ing)|carry out|perform|guide',
  'be able to|be (?:a )?part|suggest|recommend\\w*|speculate',
  'make (?:any )?(?:judgments?|judgements?|jokes?|statements?|comments?)',
);

/** What it does not stand for. */
const condone = oneOf(
  'condon\\w*|promot\\w*|endors\\w*|encourag\\w*|support\\w*|advocat\\w*|tolerat\\w*|justif\\w*',
  'contribut\\w*|perpetuat\\w*|glorif\\w*',
);

const rule = oneOf(
  'polic\\w+|guidelines?|programming|principles|values|capabilit\\w+|scope|terms|safety|boundaries',
);
const conflict = oneOf(
  'against|violat\\w+|conflict\\w* with|contrary to|within|outside|beyond|goes? beyond',
  'comply with|adhere to|not align\\w* with',
);

export const decliningPhrases = {
  /** "I cannot help with that." */
  cannotServe: `\\b${speaker} ${few}${cannot} ${few}${serve}\\b`,
  /** "I do not condone violence." */
  cannotCondone: `\\b${speaker} ${few}${cannot} ${few}${condone}\\b`,
  /** "I can't", whatever it is. */
  cannotAnything: `\\b${speaker} ${few}${wordsOf(
    "can't|cannot|can not|won't|will not|unable|not able|must decline",
  )}`,
  /** "I will not write that", whatever it is: it could. */
  willNot: `\\b${oneOf('i|we')} ${oneOf(
    'absolutely |simply |respectfully |certainly |definitely |politely |really |just |and |cannot ',
    "can't |can not ",
  )}*${wordsOf(
    "won't|will not|must (?:respectfully |politely )?(?:decline|refuse)|refuse to|decline to",
    "have to (?:decline|refuse|pass)|don't feel (?:right|comfortable)|do not feel (?:right|comfortable)",
    "am not (?:comfortable|willing|going to)|'m not (?:comfortable|willing|going to)",
  )}|\\bnot something (?:that )?i (?:can|will|could|would|am)\\b|^no\\.$`,
  /** A sentence without a subject: "Unable to assist with this request." */
  barely: `^${cannot} ${few}${serve}\\b|^no[,.!]? i (?:can't|cannot|won't|will not)`,
  /** "Your request violates my guidelines." */
  policy: `\\b${oneOf(
    `${conflict} ${few}${rule}`,
    '(?:my|our|ethical|safety|community) (?:programming|guidelines|policies|policy|ethical)',
  )}`,
  /** "I'd rather not." */
  preferNot: oneOf(
    "\\b(?:i'd|i would) (?:rather|prefer) not|let's (?:talk about|discuss|change|focus on|keep)",
    '(?:talk|chat) about something else|rather not\\b',
  ),
  /** "I don't hold personal opinions." */
  noOpinion: `\\b(?:don't|do not|cannot|can't|not able to|unable to) ${few}${oneOf(
    'have|hold|take|express|form|offer|share|give',
  )} ${few}(?:opinions?|beliefs?|views?|feelings|preferences|sides|stance)\\b`,
  /** "I don't have access to that." */
  noAccess: `\\b(?:i|we) (?:don't|do not|cannot|can't|am unable to|am not able to) ${few}${wordsOf(
    'have|access|possess|know|browse|retrieve|see|feel|hold',
  )} |${oneOf('i|we')} (?:was|were|am|are) not (?:built|designed|made|trained|programmed)\\b|${'have no (?:way|access|means)'}`,
  apology: wordsOf(
    'sorry(?! to hear| for your| that you|,? you| about)|apologi[sz]e\\w*|apolog(?:y|ies)|my apologies|regret|unfortunately',
    "i'm afraid|i am afraid|forgive me",
  ),
  asAi: `\\b(?:as|i'm|i am)(?: just| only| merely| simply)? (?:an?|your) ${oneOf(
    '[\\w,-]+ (?:and )?',
  )}{0,4}?${oneOf(
    'ai|a\\.i\\.|artificial intelligence|language model|assistant|chatbot|bot|machine',
    'computer program',
  )}\\b`,
  /** The request itself: "such information", "what you are asking". */
  aboutRequest: wordsOf(
    'your (?:question|request|query|prompt|message|statement)',
    'the (?:question|request|prompt|statement|information you)',
    'this (?:question|request|prompt|type of|kind of)|that (?:request|question)',
    'such (?:\\w+ )?(?:requests?|questions?|information|content|actions?|activit\\w+)',
    "such (?:\\w+ )?(?:behaviou?rs?|instructions?|acts?)|what you(?:'re| are) asking",
    "you(?:'ve| have)? (?:asked|requested|mentioned|described)",
  ),
  /** Starts to do what was asked. */
  willing: oneOf(
    atStart(
      'sure|certainly|of course|absolutely|yes|great|okay|ok|alright|definitely',
      "here(?:'s| is| are)|i'd be happy|i would be happy|happy to",
    ),
    "\\bhere(?:'s| are| is) (?:an?|some|the|how|what|my|your|\\d+)\\b",
    wordsOf('follow these|these steps|step[- ]by[- ]step|the following'),
  ),
} as const;
