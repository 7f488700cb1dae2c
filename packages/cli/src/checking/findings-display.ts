// What `keel data check` found, as text.
import {
  type Bin,
  counted,
  type DataFindings,
  type Distribution,
  type ErrorFacts,
  type ExaminedFacts,
  faultCount,
  formText,
  kindsText,
  type LabelProbabilities,
  pairOf,
  percent,
  probabilitiesText,
  type Repeats,
} from '@keel/align/checking';
import { cutMessage } from '../cut-message.ts';
import { say, styled } from '../terminal.ts';

export function showFindings(findings: DataFindings): void {
  showRows(findings);
  showLengths(findings);
  showDuplicates(findings);
  showPairs(findings);
  showErrors('Errors', findings.errors.training);
  if (findings.errors.heldOut !== null) {
    showErrors('Errors of the held-out rows', findings.errors.heldOut);
  }
  showVerdict(findings);
}

const heading = (text: string): void => say('\n', styled('bold', text));
const line = (text: string): void => say(`  ${cutMessage(text)}`);

function showRows(findings: DataFindings): void {
  const { training, heldOut, files, heldOutFiles, verb, guessed, otherVerbs } = findings;
  say(styled('bold', files.join(', ')));
  if (training.count > 0) line(`${kindsText(training)}, ${formText(training)}`);
  const how = guessed ? 'chosen by their fields; --for names another' : 'as asked';
  line(`read as keel ${verb} reads them (${how})`);
  for (const { verb: other, rows } of otherVerbs) {
    line(
      `${counted(rows, 'row')} ${rows === 1 ? 'has' : 'have'} the fields of rows for keel ${other}`,
    );
  }
  showFacts(training);
  if (heldOut === null) return;
  heading(`Held out: ${heldOutFiles!.join(', ')}`);
  if (heldOut.count > 0) line(`${kindsText(heldOut)}, ${formText(heldOut)}`);
  showFacts(heldOut);
}

const SHOWN_FIELDS = 12;

function showFacts(facts: ExaminedFacts): void {
  const { turns, system, tools, labels, probabilities } = facts;
  const { emptyPrompts, blankAnswers, unreadFields } = facts;
  if (turns !== null) {
    line(`messages in a chat: median ${turns.median}, from ${turns.min} to ${turns.max}`);
  }
  if (system.rows > 0) {
    line(
      `system messages in ${counted(system.rows, 'row')}, ${counted(system.texts, 'different one')}`,
    );
  }
  if (tools > 0) line(`tools in ${counted(tools, 'row')}`);
  if (labels !== null) {
    const all = labels.good + labels.bad;
    line(`labels: ${labels.good} true (${percent(labels.good / all)}) and ${labels.bad} false`);
  }
  if (probabilities !== undefined) showProbabilities(probabilities, facts.count);
  if (emptyPrompts > 0) line(`empty prompts: ${emptyPrompts}`);
  if (blankAnswers > 0) line(`answers of white space alone: ${blankAnswers}`);
  if (unreadFields.length === 0) return;
  const shown = unreadFields
    .slice(0, SHOWN_FIELDS)
    .map(({ field, rows }) =>
      rows === facts.count ? field : `${field} (${counted(rows, 'row')})`,
    );
  const more = unreadFields.length - shown.length;
  const left = more > 0 ? ` and ${more} more` : '';
  line(`columns that training does not read (rewards can): ${shown.join(', ')}${left}`);
}

function showProbabilities(found: LabelProbabilities, rows: number): void {
  line(probabilitiesText(found, rows));
  const { min, mean, max, bins } = found;
  const [least, usual, most] = [min, mean, max].map((value) => value.toFixed(2));
  line(`probabilities from ${least} to ${most}, mean ${usual}:`);
  const highest = Math.max(...bins.map(({ count }) => count));
  for (const { from, to, count } of bins) {
    line(`  ${from.toFixed(1)} to ${to.toFixed(1)}  ${bar(count, highest)}`);
  }
}

function showLengths({ lengths, heldOut, model, maxLength, use }: DataFindings): void {
  const { unit, prompts, answers, rows } = lengths.training;
  if (rows === null) return;
  heading(`Lengths in ${unit}${model === null ? '' : ` (${model})`}`);
  const named: [string, Distribution | null][] = [
    ['prompt', prompts],
    ['answer', answers],
    ['prompt and longest answer', answers === null ? null : rows],
    ['held out', heldOut === null ? null : lengths.heldOut!.rows],
  ];
  const table = named.flatMap(([name, found]) =>
    found === null ? [] : [[name, found.median, found.p90, found.p99, found.max].map(String)],
  );
  for (const cells of [['', 'median', '90%', '99%', 'max'], ...table]) {
    line([cells[0]!.padEnd(26), ...cells.slice(1).map((cell) => cell.padStart(7))].join(' '));
  }
  say('');
  for (const text of histogram(rows.bins)) line(text);
  if (use === null) return;
  const { cut, tooLong } = use.training;
  const limit = maxLength === null ? 'no --max-length' : `--max-length ${maxLength}`;
  line(`${limit}: ${counted(cut, 'row')} cut, ${counted(tooLong, 'row')} skipped as too long`);
}

/** Columns of the longest bar. */
const BAR = 40;

function histogram(bins: readonly Bin[]): string[] {
  const most = Math.max(...bins.map(({ count }) => count));
  const width = Math.max(...bins.map(({ to }) => String(to).length));
  return bins.map(({ from, to, count }) => {
    const [low, high] = [from, to].map((edge) => String(edge).padStart(width));
    const range = from === to ? low! : `${low} to ${high}`;
    return `${range.padEnd(2 * width + 4)}  ${bar(count, most)}`;
  });
}

/** A bar and its number; one of a single row is still visible. */
function bar(count: number, most: number): string {
  const drawn = '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round((BAR * count) / most)));
  return `${drawn}${drawn === '' ? '' : ' '}${count}`;
}

function showDuplicates({ training, duplicates, overlap, heldOut }: DataFindings): void {
  if (training.count === 0) return;
  heading('Duplicates');
  const { rows, prompts, contradictions, judgedBothWays, near } = duplicates;
  showRepeats('rows that repeat an earlier row', rows);
  if (training.kinds.some(({ kind }) => kind !== 'prompt')) {
    showRepeats('rows with the prompt of an earlier row and other answers', prompts);
  }
  if (near !== null) {
    const share = `${percent(near.threshold)} of five-character sequences in common`;
    showRepeats(`rows nearly the same as an earlier one (${share})`, near.rows);
    showRepeats('prompts nearly the same as an earlier one', near.prompts);
  }
  if (contradictions.count > 0) showRepeats('rows that contradict an earlier row', contradictions);
  if (judgedBothWays.count > 0) {
    showRepeats(
      'rows with an answer that is chosen in one and rejected in another',
      judgedBothWays,
    );
  }
  if (overlap === null) return;
  heading(`Held-out rows that training sees (of ${heldOut!.count})`);
  showRepeats('training rows', overlap.rows);
  showRepeats('others with the prompt of a training row', overlap.prompts);
  showRepeats('others with nearly the prompt of a training row', overlap.near);
}

const SHOWN_EXAMPLES = 3;

function showRepeats(name: string, { count, examples }: Repeats): void {
  const shown = examples.slice(0, SHOWN_EXAMPLES).map(pairOf);
  const more = count > shown.length && shown.length > 0 ? ', …' : '';
  line(`${name}: ${count}${count === 0 ? '' : ` (${shown.join(', ')}${more})`}`);
}

function showPairs({ pairs, errors }: DataFindings): void {
  const { identicalAnswers } = errors.training;
  if (pairs === null) return;
  const { unit, count, chosenLonger, chosenShorter, sameLength } = pairs;
  const { longerWins, lengthRule, onHeldOut } = pairs;
  heading('Pairs');
  line(
    `the chosen answer is longer in ${percent(chosenLonger / count)}, shorter in ` +
      `${percent(chosenShorter / count)} and as long in ${percent(sameLength / count)} of ${counted(count, 'pair')} (in ${unit})`,
  );
  const [low, high] = longerWins.interval.map(percent);
  line(
    `"the longer answer wins" is right in ${percent(longerWins.value)} (95% interval: ${low} to ${high})`,
  );
  line(`best rule on length alone: the ${lengthRule.prefers} one, ${percent(lengthRule.accuracy)}`);
  if (onHeldOut !== null) {
    line(
      `rules fitted to lengths, on held-out pairs: ${percent(onHeldOut.threshold)} (threshold), ${percent(onHeldOut.logistic)} (logistic)`,
    );
  }
  line(`identical chosen and rejected answers: ${identicalAnswers}`);
}

function showErrors(name: string, { count, groups, rows }: ErrorFacts): void {
  if (count === 0) return;
  heading(`${name}: ${counted(count, 'row')} that training would refuse`);
  for (const group of groups) {
    const field = group.field === null ? '' : `field "${group.field}": `;
    const advice = group.advice === null ? '' : `. ${group.advice}`;
    line(`${counted(group.count, 'row')}, first ${group.first}: ${field}${group.cause}${advice}`);
  }
  if (count === groups.length) return;
  say('');
  for (const [fault, places] of placesByFault(rows)) line(`${placesText(places)}: ${fault}`);
  if (rows.length < count) {
    line(`… and ${count - rows.length} more: --max-errors none and --json list all`);
  }
}

/** Places of rows with the same fault, in the order of the first ones. */
function placesByFault(rows: ErrorFacts['rows']): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { place, field, cause } of rows) {
    const fault = `${field === null ? '' : `field "${field}": `}${cause}`;
    const places = found.get(fault);
    if (places === undefined) found.set(fault, [place]);
    else places.push(place);
  }
  return found;
}

/** `a.jsonl:1, 2, 5, b.jsonl:7`: a file is named once, until another one follows. */
function placesText(places: readonly string[]): string {
  let file = '';
  const shown = places.map((place) => {
    const [, own = place, number = ''] = /^(.*?)(\d+)$/.exec(place) ?? [];
    if (own === file) return number;
    file = own;
    return place;
  });
  return shown.join(', ');
}

function showVerdict(findings: DataFindings): void {
  const { warnings, refusals } = findings;
  if (refusals.length > 0) heading('Training would refuse this data');
  for (const text of refusals) line(text);
  if (warnings.length > 0) heading('Warnings');
  for (const { text } of warnings) line(text);
  const faults = faultCount(findings);
  say('');
  if (findings.training.count === 0 && faults > 0) {
    say('Every row is bad. If another tool wrote them, keel data convert may read them.');
  }
  if (faults + warnings.length === 0) say('No errors and no warnings.');
  else say(`${counted(faults, 'error')}, ${counted(warnings.length, 'warning')}.`);
}
