// @keel/evaluate/rating: ratings of models from battles. Loads no model.

export { type AnswerStyle, styleNames, styleOf } from '../rating/battles/answer-style.ts';
export type { BattleFormat, RowBattle } from '../rating/battles/row-battle.ts';
export { detectBattles } from '../rating/formats/formats.ts';
export {
  type RatingOptions,
  type RatingResults,
  rateBattles,
} from '../rating/rate-battles.ts';
export { checkRatingFiles, writeRatingFiles } from '../rating/ratings-files.ts';
export { type RatingJsonInput, ratingsJson } from '../rating/ratings-json.ts';
export {
  battlesText,
  intervalText,
  nextText,
  readSentences,
  styleText,
  whole,
} from '../rating/ratings-text.ts';
export { type BattleReading, type ReadBattles, readBattles } from '../rating/read-battles.ts';
