/**
 * Expands Slurm's compressed list of nodes: "n[01-03,7],login" -> n01, n02, n03, n7, login.
 * Brackets can occur several times in a name.
 * @throws Error where it is not such a list
 */
export function expandNodeList(text: string): string[] {
  return namesIn(text).flatMap((name) => expandName(name, text));
}

/** Splits at the commas outside brackets. */
function namesIn(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let name = '';
  for (const character of text) {
    if (character === '[') depth += 1;
    if (character === ']') depth -= 1;
    if (character === ',' && depth === 0) {
      names.push(name);
      name = '';
    } else name += character;
  }
  return [...names, name].map((one) => one.trim()).filter((one) => one !== '');
}

function expandName(name: string, list: string): string[] {
  const open = name.indexOf('[');
  if (open === -1) {
    if (name.includes(']')) throw notAList(list);
    return [name];
  }
  const close = name.indexOf(']', open);
  if (close === -1) throw notAList(list);
  const [before, inside, after] = [
    name.slice(0, open),
    name.slice(open + 1, close),
    name.slice(close + 1),
  ];
  const rests = expandName(after, list);
  return inside
    .split(',')
    .flatMap((part) => numbersOf(part, list))
    .flatMap((number) => rests.map((rest) => before + number + rest));
}

/** "01-03" -> 01, 02, 03 */
function numbersOf(part: string, list: string): string[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first))
    throw notAList(list);
  const count = Number(last) - Number(first) + 1;
  if (count > 100_000) throw notAList(list);
  return Array.from({ length: count }, (_, at) =>
    `${Number(first) + at}`.padStart(first.length, '0'),
  );
}

const notAList = (list: string): Error =>
  new Error(`"${list}" is not a list of Slurm nodes, such as n[01-04,7]`);
