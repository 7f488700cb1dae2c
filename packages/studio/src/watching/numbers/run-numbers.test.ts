import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TensorBoardWriter } from '@keel/align/internal';
import { maskedCrc32c } from '@keel/align/runs';
import { describe, expect, test } from 'vitest';
import { RunRoot } from '../folders/run-root.ts';
import { lines, temporaryFolder } from '../testing/run-folders.ts';
import { EventNumbers, JsonNumbers } from './run-numbers.ts';

/**
 * A file that tensorboardX 2.6 wrote: texts `args` and `model_config`, train/loss and
 * train/rewards/margins of the steps 1 to 3, eval/loss (NaN) and custom (2.5) of step 3.
 */
const written = [
  'GAAAAAAAAACjf0siCSKvvn9rw9pBGg1icmFpbi5FdmVudDoySS4Z5oMAAAAAAAAAs7GR6QkYt75/a8PaQSp4',
  'CnYKEWFyZ3MvdGV4dF9zdW1tYXJ5QlcIBxIEEgIIAUJNeyJsZWFybmluZ19yYXRlIjogMWUtMDUsICJiZXRh',
  'IjogMC4xLCAib3V0cHV0X2RpciI6ICJvdXQiLCAiaHViX3Rva2VuIjogbnVsbH1KCAoGCgR0ZXh0NJw87VUA',
  'AAAAAAAA198PwQlBur5/a8PaQSpKCkgKGW1vZGVsX2NvbmZpZy90ZXh0X3N1bW1hcnlCIQgHEgQSAggBQhd7',
  'Im1vZGVsX3R5cGUiOiAicXdlbjIifUoICgYKBHRleHTZA8TeIAAAAAAAAAAp7alQCRW/vn9rw9pBEAEqEwoR',
  'Cgp0cmFpbi9sb3NzFZqZGT9JpWL4KwAAAAAAAACGG8NLCW2/vn9rw9pBEAEqHgocChV0cmFpbi9yZXdhcmRz',
  'L21hcmdpbnMVAAAAP0lQqWIgAAAAAAAAACntqVAJpr++f2vD2kEQAioTChEKCnRyYWluL2xvc3MVAAAAP1BD',
  'dhYrAAAAAAAAAIYbw0sJ3r++f2vD2kEQAioeChwKFXRyYWluL3Jld2FyZHMvbWFyZ2lucxUAAIA/v9gJOCAA',
  'AAAAAAAAKe2pUAkTwL5/a8PaQRADKhMKEQoKdHJhaW4vbG9zcxXNzMw+z8GXZisAAAAAAAAAhhvDSwlKwL5/',
  'a8PaQRADKh4KHAoVdHJhaW4vcmV3YXJkcy9tYXJnaW5zFQAAwD8x//P5HwAAAAAAAABRS0QYCTPEvn9rw9pB',
  'EAMqEgoQCglldmFsL2xvc3MVAADAf8NUaBYcAAAAAAAAAMjBlR0Jv8S+f2vD2kEQAyoPCg0KBmN1c3RvbRUA',
  'ACBAayhNvw==',
].join('');

function numbersOf(file: Uint8Array): EventNumbers {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'events.out.tfevents.1.host'), file);
  const numbers = new EventNumbers(new RunRoot(folder), () => [folder]);
  numbers.update();
  return numbers;
}

/** A record with its checksums. */
function record(data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  const sum = (bytes: Uint8Array): Buffer => {
    const found = Buffer.alloc(4);
    found.writeUInt32LE(maskedCrc32c(bytes));
    return found;
  };
  return Buffer.concat([length, sum(length), data, sum(data)]);
}

/** A message's field with a length. */
const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);

/** An event with one value. */
const eventOf = (step: number, tag: string, value: Uint8Array): Buffer =>
  record(
    Buffer.concat([
      Buffer.from([16, step]),
      field(5, field(1, Buffer.concat([field(1, Buffer.from(tag)), value]))),
    ]),
  );

describe("another program's event file", () => {
  test('its numbers have the names of TRL', () => {
    const { columns, texts, faults, lastTime } = numbersOf(Buffer.from(written, 'base64'));
    expect(faults).toEqual([]);
    expect(columns.names).toEqual(['loss', 'rewards/margins', 'eval_loss', 'custom']);
    expect(columns.get('loss')!.steps).toEqual([1, 2, 3]);
    expect(columns.get('loss')!.values.map((one) => Number(one.toFixed(6)))).toEqual([
      0.6, 0.5, 0.4,
    ]);
    expect(columns.get('eval_loss')).toEqual({ steps: [3], values: [Number.NaN] });
    expect(columns.get('custom')).toEqual({ steps: [3], values: [2.5] });
    expect(JSON.parse(texts.get('args/text_summary')!)).toMatchObject({ beta: 0.1 });
    expect(lastTime).toBeGreaterThan(1.7e12);
  });

  test('a tail that is not whole is reported, and read once it is', () => {
    const bytes = Buffer.from(written, 'base64');
    const folder = temporaryFolder();
    const path = join(folder, 'events.out.tfevents.1.host');
    writeFileSync(path, bytes.subarray(0, -5));
    const numbers = new EventNumbers(new RunRoot(folder), () => [folder]);
    numbers.update();
    expect(numbers.columns.names).not.toContain('custom');
    expect(numbers.faults).toEqual([expect.stringMatching(/: the last \d+ bytes are not a whole/)]);
    appendFileSync(path, bytes.subarray(-5));
    numbers.update();
    expect(numbers.columns.get('custom')).toEqual({ steps: [3], values: [2.5] });
    expect(numbers.faults).toEqual([]);
  });

  test('a record with a wrong checksum is skipped and reported', () => {
    const bytes = Buffer.from(written, 'base64');
    // The value of the last record, before its checksum.
    bytes[bytes.length - 5]! ^= 1;
    const { columns, faults } = numbersOf(bytes);
    expect(columns.names).toEqual(['loss', 'rewards/margins', 'eval_loss']);
    expect(faults).toEqual([expect.stringMatching(/the record at byte \d+ has a wrong checksum/)]);
  });

  test('a damaged length ends the reading', () => {
    const bytes = Buffer.from(written, 'base64');
    bytes[0]! ^= 1;
    const { columns, faults } = numbersOf(bytes);
    expect(columns.names).toEqual([]);
    expect(faults).toEqual([expect.stringContaining('record at byte 0 is damaged')]);
  });

  test('a record that is no event is reported', () => {
    const { faults } = numbersOf(record(Buffer.from([0xff, 0xff, 0xff])));
    expect(faults).toEqual([expect.stringContaining('the record at byte 0 is not an event')]);
  });

  test('scalars of TensorFlow 2 are tensors', () => {
    const float = Buffer.alloc(4);
    float.writeFloatLE(1.5);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(-2.25);
    const { columns } = numbersOf(
      Buffer.concat([
        eventOf(1, 'content', field(8, Buffer.concat([Buffer.from([8, 1]), field(4, float)]))),
        eventOf(1, 'packed', field(8, Buffer.concat([Buffer.from([8, 1]), field(5, float)]))),
        eventOf(1, 'double', field(8, Buffer.concat([Buffer.from([8, 2]), field(6, double)]))),
        eventOf(1, 'whole', field(8, Buffer.from([8, 9, 80, 42]))),
      ]),
    );
    expect(columns.rows()).toEqual([
      { step: 1, content: 1.5, packed: 1.5, double: -2.25, whole: 42 },
    ]);
  });
});

describe('event files of Keel', () => {
  test('a resumed session replaces later steps of earlier files', () => {
    const folder = temporaryFolder();
    const write = (seconds: number, resumeFrom: number | null, steps: number[]): void => {
      using writer = new TensorBoardWriter(folder, { resumeFrom, now: () => seconds * 1000 });
      for (const step of steps) writer.metrics({ step, loss: step + seconds, eval_loss: 1 });
    };
    write(100, null, [1, 2, 3, 4]);
    const numbers = new EventNumbers(new RunRoot(folder), () => [folder]);
    numbers.update();
    expect(numbers.columns.get('loss')!.values).toEqual([101, 102, 103, 104]);
    write(200, 2, [3]);
    numbers.update();
    expect(numbers.columns.get('loss')).toEqual({ steps: [1, 2, 3], values: [101, 102, 203] });
    expect(numbers.columns.names).toEqual(['loss', 'eval_loss']);
  });
});

describe('metrics.jsonl', () => {
  test('rows are read as they are added, and again after a resume', () => {
    const path = join(temporaryFolder(), 'metrics.jsonl');
    const numbers = new JsonNumbers(() => path);
    numbers.update();
    expect(numbers.columns.names).toEqual([]);
    writeFileSync(
      path,
      lines([
        { step: 1, loss: 2 },
        { step: 2, loss: 'NaN', kl: '-Infinity' },
      ]),
    );
    numbers.update();
    expect(numbers.columns.get('loss')).toEqual({ steps: [1, 2], values: [2, Number.NaN] });
    appendFileSync(path, '{"step":3,"loss":1');
    numbers.update();
    expect(numbers.columns.lastStep).toBe(2);
    appendFileSync(path, '}\n');
    numbers.update();
    expect(numbers.columns.get('kl')!.values).toEqual([Number.NEGATIVE_INFINITY]);
    expect(numbers.columns.lastStep).toBe(3);
    truncateSync(path, readFileSync(path, 'utf8').indexOf('\n') + 1);
    appendFileSync(path, lines([{ step: 2, loss: 1.5 }]));
    numbers.update();
    expect(numbers.columns.rows()).toEqual([
      { step: 1, loss: 2 },
      { step: 2, loss: 1.5 },
    ]);
  });

  test('damaged lines are reported with their number', () => {
    const path = join(temporaryFolder(), 'metrics.jsonl');
    writeFileSync(path, '{"step":1,"loss":2}\nnot JSON\n{"loss":3}\n{"step":2,"note":"x"}\n');
    const numbers = new JsonNumbers(() => path);
    numbers.update();
    expect(numbers.faults.map((fault) => fault.split(' ')[0])).toEqual([
      'metrics.jsonl:2:',
      'metrics.jsonl:3:',
    ]);
    expect(numbers.columns.get('loss')!.steps).toEqual([1]);
  });
});
