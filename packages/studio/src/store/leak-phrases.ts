// How an answer speaks of itself, in several languages. NAME is where a model's or a maker's name
// stands.

/** A sentence with a name in it. */
export interface SelfPhrase {
  /** Whether the name is what the answer calls itself, and not part of a longer statement. */
  isDirect: boolean;
  text: string;
}

/** Words between a phrase and a name in the same sentence. */
const nearby = '[^.!?。！？\\n]{0,80}?';
const start = '(?<![\\p{L}\\p{N}_])';
const end = '(?![\\p{L}\\p{N}_])';
/** "a language model", "Ihr Assistent": so much may stand before the noun. */
const short = '[^.!?,\\n]{0,40}?';

const direct = (text: string): SelfPhrase => ({ isDirect: true, text: `${start}${text}NAME` });
const stated = (text: string): SelfPhrase => ({ isDirect: false, text: `${start}${text}` });

const maker =
  '(?:based|powered|created|developed|trained|made|built|designed|released)\\s+(?:and\\s+\\w+\\s+)?' +
  `(?:on|by|at)${end}${nearby}`;
const program = '(?:model|assistant|ai|bot|chatbot|program|version)';
const english: SelfPhrase[] = [
  direct("i(?:\\s+am|['’]m)\\s+(?:(?:actually|just|really|called|named)\\s+)*"),
  stated(`i(?:\\s+am|['’]m)\\s+(?:(?:actually|just|really)\\s+)*${maker}NAME`),
  stated(`i(?:\\s+am|['’]m)\\s+(?:an?|the|your)\\s${short}${start}${program}${end}${nearby}NAME`),
  stated(`(?:i was|i(?:\\s+have|['’]ve) been)\\s+(?:\\w+\\s+)?${maker}NAME`),
  stated(`my (?:name|creators?|developers?|makers?) (?:is|are|was|were|at)${end}${nearby}NAME`),
  stated(
    `as an? (?:\\w+[\\s-]+){0,4}(?:model|assistant|ai)${end}\\s+(?:\\w+\\s+){0,2}${maker}NAME`,
  ),
  direct('call me\\s+'),
];

const germanMade = '(?:entwickelt|trainiert|erstellt|geschaffen|programmiert|gebaut|erschaffen)';
const german: SelfPhrase[] = [
  direct('ich (?:bin|heiße|heisse)\\s+(?:eigentlich\\s+|übrigens\\s+)?'),
  direct('mein name ist\\s+'),
  stated(
    `ich bin (?:ein|eine|der|die|das|dein|deine|ihr|ihre)\\s${short}(?:modell|assistent\\w*|ki|chatbot|bot|programm)${end}${nearby}${start}(?:von|namens|der firma)${end}${nearby}NAME`,
  ),
  stated(`ich (?:wurde|bin)\\s${short}(?:von|bei|durch)${end}${nearby}NAME${nearby}${germanMade}`),
  stated(`als (?:ein(?:e|es)?\\s+)?von\\s+NAME\\s+${germanMade}`),
  stated(`meine? (?:entwickler|schöpfer|hersteller)(?:in)? (?:ist|sind)${end}${nearby}NAME`),
];

const frenchMade = '(?:créée?|développée?|entraînée?|conçue?|formée?)';
const french: SelfPhrase[] = [
  direct("(?:je suis|je m['’]appelle|mon nom est)\\s+"),
  stated(
    `je suis (?:une?|le|la|votre)\\s${short}(?:modèle|assistante?|ia|chatbot|programme)${end}${nearby}${start}(?:de|par|d['’])\\s*${nearby}NAME`,
  ),
  stated(`j['’]ai été ${frenchMade}${end}${nearby}${start}par${end}${nearby}NAME`),
  stated(
    `en tant (?:que|qu['’])\\s*${short}(?:modèle|assistante?|ia)${end}${nearby}${start}par\\s+NAME`,
  ),
  stated(`mes (?:créateurs|développeurs|concepteurs) sont${end}${nearby}NAME`),
];

const iberianMade =
  '(?:cread[oa]|desarrollad[oa]|entrenad[oa]|diseñad[oa]|criad[oa]|desenvolvid[oa]|treinad[oa]|projetad[oa])';
const iberian: SelfPhrase[] = [
  direct(
    '(?:soy|me llamo|mi nombre es|sou|(?:eu )?me chamo|chamo-me|(?:o )?meu nome é)\\s+(?:o |a )?',
  ),
  stated(
    `(?:soy|sou) (?:una?|el|la|tu|su|um|uma|o|a|seu|sua)\\s${short}(?:modelo|asistente|assistente|ia|chatbot|programa)${end}${nearby}${start}(?:de|por|da|do|pela|pelo)${end}${nearby}NAME`,
  ),
  stated(
    `(?:fui|he sido|fui) ${iberianMade}${end}${nearby}${start}(?:por|pela|pelo)${end}${nearby}NAME`,
  ),
  stated(
    `como (?:una?|um|uma)?\\s?${short}(?:modelo|asistente|assistente|ia)${end}${nearby}${iberianMade}\\s+(?:por|pela|pelo)\\s+NAME`,
  ),
];

const italianMade = '(?:creat[oa]|sviluppat[oa]|addestrat[oa]|progettat[oa]|realizzat[oa])';
const italian: SelfPhrase[] = [
  direct('(?:io sono|sono|mi chiamo|il mio nome è)\\s+'),
  stated(
    `sono (?:un['’]?|uno|una|il|lo|la|un)\\s*${short}(?:modello|assistente|ia|chatbot|programma)${end}${nearby}${start}(?:di|da|dalla)${end}${nearby}NAME`,
  ),
  stated(`sono stat[oa] ${italianMade}${end}${nearby}${start}(?:da|dalla)${end}${nearby}NAME`),
];

const russian: SelfPhrase[] = [
  direct('(?:я\\s*[—–-]?\\s*|меня зовут\\s+|мо[её] имя\\s*[—–-]?\\s*)'),
  stated(
    `я\\s*[—–-]?\\s*${short}(?:модель|ассистент|помощник|ии|бот)${end}${nearby}(?:от|компани[ией]+|созданн\\p{L}+|разработанн\\p{L}+|обученн\\p{L}+)${end}${nearby}NAME`,
  ),
  stated(`меня (?:создал|разработал|обучил)\\p{L}*${end}${nearby}NAME`),
];

// Chinese and Japanese have no spaces, so that a name follows at once.
const eastern: SelfPhrase[] = [
  { isDirect: true, text: '我(?:是|叫|的名字(?:是|叫))(?:一个|一款)?\\s*NAME' },
  {
    isDirect: false,
    text: '我(?:是|由|是由)[^。！？\\n]{0,20}?(?:由|来自|基于|是)\\s*NAME[^。！？\\n]{0,12}?(?:开发|训练|研发|创建|推出|打造|的)',
  },
  { isDirect: false, text: '我由\\s*NAME[^。！？\\n]{0,12}?(?:开发|训练|研发|创建|推出|打造)' },
  { isDirect: true, text: '私の名前は\\s*NAME' },
  { isDirect: false, text: '(?:私|わたし|僕)は[、\\s]*NAME(?:です|という|と申|といい)' },
  {
    isDirect: false,
    text: '(?:私|わたし|僕)は[^。！？\\n]{0,12}?NAME(?:が|によって|により|に|の)[^。！？\\n]{0,8}?(?:開発|訓練|トレーニング|作成|作られ|モデル|アシスタント)',
  },
];

/** In the order in which they are searched. */
export const selfPhrases: readonly SelfPhrase[] = [
  ...[...english, ...german, ...french, ...iberian, ...italian, ...russian, ...eastern],
];
