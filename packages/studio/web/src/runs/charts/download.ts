// Files that the browser saves.

/** Saves a file under a name. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name that every file system takes. */
export const fileName = (text: string, ending: string): string =>
  `${text.replace(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '') || 'chart'}.${ending}`;

/** A line's name with all of its points. */
export interface CsvColumn {
  name: string;
  steps: readonly number[];
  values: readonly number[];
  nonFinite: readonly { step: number; value: string }[];
}

/** A table with a column of steps and one for each line, as spreadsheets read it. */
export function csvOf(columns: readonly CsvColumn[]): string {
  const rows = new Map<number, string[]>();
  const put = (step: number, at: number, text: string): void => {
    const row = rows.get(step) ?? columns.map(() => '');
    row[at] = text;
    rows.set(step, row);
  };
  columns.forEach(({ steps, values, nonFinite }, at) => {
    for (const [place, step] of steps.entries()) put(step, at, String(values[place]));
    for (const { step, value } of nonFinite) put(step, at, value);
  });
  const sorted = [...rows].sort(([a], [b]) => a - b);
  const lines = [
    ['step', ...columns.map(({ name }) => quoted(name))],
    ...sorted.map(([step, cells]) => [String(step), ...cells]),
  ];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** A text that a spreadsheet takes for a formula is made a text. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A canvas on its background with a title and its lines' names, as a PNG. */
export async function pngOf(
  canvas: HTMLCanvasElement,
  title: string,
  names: readonly { label: string; colour: string }[],
  colours: { background: string; text: string },
): Promise<Blob> {
  const scale = window.devicePixelRatio || 1;
  const head = Math.round(28 * scale);
  const foot = Math.round((8 + 18 * names.length) * scale);
  const image = document.createElement('canvas');
  image.width = canvas.width;
  image.height = canvas.height + head + foot;
  const draw = image.getContext('2d')!;
  draw.fillStyle = colours.background;
  draw.fillRect(0, 0, image.width, image.height);
  draw.drawImage(canvas, 0, head);
  draw.fillStyle = colours.text;
  draw.font = `600 ${Math.round(14 * scale)}px system-ui, sans-serif`;
  draw.fillText(title, 10 * scale, 19 * scale);
  draw.font = `${Math.round(12 * scale)}px system-ui, sans-serif`;
  names.forEach(({ label, colour }, at) => {
    const y = canvas.height + head + (14 + 18 * at) * scale;
    draw.fillStyle = colour;
    draw.fillRect(10 * scale, y - 5 * scale, 16 * scale, 3 * scale);
    draw.fillStyle = colours.text;
    draw.fillText(label, 34 * scale, y);
  });
  return new Promise((resolve, reject) =>
    image.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is empty')))),
  );
}
