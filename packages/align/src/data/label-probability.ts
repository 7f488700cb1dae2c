// The probability of a label, in the field `label_probability`: of a pair, that `chosen` is the
// better answer; of one answer, that the label `true` is right. Without the field, a label is
// certain.

export const LABEL_PROBABILITY = 'label_probability';

/**
 * Which answer of a pair is the more probable one: 1 for chosen, -1 for rejected, 0 if both are
 * equally probable.
 */
export const likelier = (probability = 1): 1 | 0 | -1 =>
  probability > 0.5 ? 1 : probability < 0.5 ? -1 : 0;

/** Ranks of chosen and rejected: 1 for the more probable answer, both 1 if neither is. */
export const pairRanks = (probability?: number): [chosen: number, rejected: number] => {
  const direction = likelier(probability);
  return direction === 0 ? [1, 1] : direction > 0 ? [1, 2] : [2, 1];
};

/** Whether one answer is more probably desirable than not; its label decides at one half. */
export const isDesirable = ({
  label,
  label_probability: probability,
}: {
  label: boolean;
  label_probability?: number;
}): boolean => {
  const direction = likelier(probability ?? Number(label));
  return direction === 0 ? label : direction > 0;
};

/** Whether a probability makes the label of a pair less than certain. */
export const isSoft = (probability = 1): boolean => probability !== 1;

/**
 * The labels of a pair's answers as single answers: each is desirable with the probability that it
 * is the better one.
 */
export function answerLabels(probability?: number): [chosen: AnswerLabel, rejected: AnswerLabel] {
  if (probability === undefined) return [{ label: true }, { label: false }];
  const label = probability >= 0.5;
  return [
    { label, label_probability: probability },
    { label: !label, label_probability: 1 - probability },
  ];
}

interface AnswerLabel {
  label: boolean;
  label_probability?: number;
}
