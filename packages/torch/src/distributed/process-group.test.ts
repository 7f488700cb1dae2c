import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { launchProcesses } from './launch-processes.ts';

const program = fileURLToPath(new URL('fixtures/rank.ts', import.meta.url));

/** What each rank printed, as values, and how the processes ended. */
async function ranks(processes: number, what: string, timeout = '', grace = 15_000) {
  const lines: string[][] = Array.from({ length: processes }, () => []);
  const end = await launchProcesses(process.execPath, [program, what, timeout], {
    ...{ processes, threads: 1, grace },
    onLine: (rank, line) => lines[rank]!.push(line),
  });
  const said = lines.map((own) =>
    own.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
  );
  return { ...end, lines, said: said.map((own) => own[0]) };
}

describe.each([2, 3, 4])('%i processes', (size) => {
  const all = Array.from({ length: size }, (_, rank) => rank);

  it('exchange and reduce tensors', async () => {
    const { exitCode, said, lines } = await ranks(size, 'collectives');
    expect(exitCode, lines.flat().join('\n')).toBe(0);
    const total = all.reduce((sum, rank) => sum + rank, 0);
    for (const rank of all) {
      expect(said[rank]).toEqual({
        sum: [total, size, size / 2],
        largest: [size - 1],
        first: [10 + size - 1],
        gathered: all.flatMap((one) => [one, 0 - one]),
        part: [size * (rank + 1)],
        turned: all.map((from) => 10 * from + rank),
        bytes: all.map((one) => Array(one).fill(one)),
      });
    }
  });

  it('add their gradients in the order of ranks, to the last bit', async () => {
    const { said, lines } = await ranks(size, 'gradients');
    for (const one of said) {
      expect(one, lines.flat().join('\n')).toEqual({ same: true, none: null, some: [1, 2] });
    }
  });
});

describe.each([2, 3, 4])('%i processes that send gradients during backward', (size) => {
  it('have the sums of those that send them after it, and send as much', async () => {
    const { exitCode, said, lines } = await ranks(size, 'exchanged');
    expect(exitCode, lines.flat().join('\n')).toBe(0);
    for (const [rank, one] of said.entries()) {
      expect(one.same, lines.flat().join('\n')).toBe(true);
      // What is begun, whether a pass came too late, and the order of four buckets.
      expect(one.more).toEqual(Array(7).fill(4 * (2 + 4) * (size - 1)));
      // Rank 1 has no gradient of a layer, whose bucket waits for the end, with those after it.
      const begun = size > 2 && rank === size - 1 ? 0 : rank === 1 ? 1 : 3;
      expect(one.early).toEqual(Array(7).fill(begun));
      expect(one.late).toHaveLength(rank === 1 ? 6 : 5);
      for (const text of one.late) expect(text).toMatch(/shape \[48, 48\] got another gradient/);
      expect(one.refused).toMatch(/^rank 1 ran another pass after its gradients were sent/);
      expect(one.twice).toMatch(/another gradient exchange has a parameter of shape \[48, 48\]/);
    }
  });
});

describe.each([2, 3])('tensors that %i processes divide', (size) => {
  it('train as whole ones do, whatever each rank has to do', async () => {
    const { exitCode, said, lines } = await ranks(size, 'divided');
    expect(exitCode, lines.flat().join('\n')).toBe(0);
    for (const one of said) {
      expect(one.error).toMatch(/divided among processes/);
      // Each rank has its part, and no more.
      expect(one.freed).toBeLessThan((1.1 * 4 * 2 * 34 * 33) / size + 2 * 4 * 64);
      expect(one.far).toBeLessThan(1e-6);
    }
    // Weights and both moments.
    expect(said[0].compared).toBe(12);
  });

  it('are gathered one unit ahead, and no more', async () => {
    const { exitCode, said, lines } = await ranks(size, 'ahead');
    expect(exitCode, lines.flat().join('\n')).toBe(0);
    for (const one of said) expect(one).toEqual({ here: [2, 2, 2, 2, 2, 1], left: 0 });
  });
});

describe('a rank that is lost', () => {
  it('is named by the others, which end', async () => {
    const { exitCode, failed, said } = await ranks(3, 'dies');
    expect([exitCode, failed]).toEqual([137, 1]);
    for (const rank of [0, 2]) {
      expect(said[rank].ranks).toEqual([1]);
      expect(said[rank].error).toMatch(/barrier.*rank 1 \(.+, process \d+\) did not take part/);
    }
  });

  it('is named when it is the one with the store', async () => {
    const { exitCode, said } = await ranks(2, 'first dies');
    expect(exitCode).toBe(137);
    // It may not have connected yet.
    expect(said[1].error).toMatch(/rank 0 \(.+\)|cannot connect to the other ranks/);
  });

  it('and does not end is named after the deadline, and is ended', async () => {
    const { exitCode, failed, said } = await ranks(2, 'hangs', '2', 500);
    expect([exitCode, failed]).toEqual([3, 0]);
    expect(said[0].ranks).toEqual([1]);
    expect(said[0].error).toMatch(/deadline of 2 s/);
  });

  it('is named where it is lost in its backward', async () => {
    const { exitCode, failed, said } = await ranks(2, 'dies computing');
    expect([exitCode, failed]).toEqual([137, 1]);
    expect(said[0].ranks).toEqual([1]);
    expect(said[0].error).toMatch(/rank 1 \(.+\) did not take part/);
  });

  it('is named where it is lost while gradients are sent', async () => {
    const { exitCode, failed, said } = await ranks(2, 'dies sending');
    expect([exitCode, failed]).toEqual([137, 1]);
    expect(said[0].ranks).toEqual([1]);
    expect(said[0].error).toMatch(/collective allToAll .* rank 1 \(.+\) did not take part/);
  });

  it('is named after the deadline where it hangs then', async () => {
    const { exitCode, failed, said } = await ranks(2, 'hangs sending', '2', 500);
    expect([exitCode, failed]).toEqual([3, 0]);
    expect(said[0].ranks).toEqual([1]);
    expect(said[0].error).toMatch(/collective allToAll .* after 2\.\d s.*deadline of 2 s/);
  });
});

it('an exchange that is closed while it sends fails, and not as if all were sent', async () => {
  const { exitCode, said } = await ranks(2, 'closes sending', '', 500);
  expect(exitCode).toBe(3);
  expect(said[0].error).toMatch(/exchange was closed while it sent gradients/);
});
