import { afterEach, expect, it } from 'vitest';
import { ops, Profiler, randn, tidy } from './index.ts';

let open: Profiler | null = null;
afterEach(() => open?.stop());

function profiled(body: (profiler: Profiler) => void): ReturnType<Profiler['stop']> {
  using profiler = new Profiler();
  open = profiler;
  tidy(() => body(profiler));
  return profiler.stop();
}

it("records Keel's and LibTorch's operators with their inputs, in backward too, within ranges", () => {
  const events = profiled((profiler) => {
    const [input, weight] = [randn([5, 8]).setRequiresGrad(), randn([8])];
    profiler.range('outer');
    profiler.range('forward');
    const loss = ops.rmsNorm(input, weight, 1e-5, 0).mul(2).sum();
    profiler.endRange();
    profiler.range('backward');
    loss.backward();
    profiler.endRange();
    profiler.endRange();
  });
  const of = (name: string) => {
    const found = events.find((event) => event.name === name);
    if (found === undefined) throw new Error(`no event ${name}`);
    return found;
  };
  expect(of('keel::rms_norm')).toMatchObject({
    kind: 'operator',
    inputs: '[5, 8] float32, [8] float32',
  });
  expect(of('keel::RmsNorm backward').inputs).toBe('[5, 8] float32');
  expect(of('aten::randn').kind).toBe('operator');
  const inside = (inner: string, outer: string): boolean => {
    const [a, b] = [of(inner), of(outer)];
    return a.start >= b.start && a.start + a.duration <= b.start + b.duration;
  };
  expect(of('forward').kind).toBe('range');
  expect(inside('keel::rms_norm', 'forward')).toBe(true);
  expect(inside('keel::RmsNorm backward', 'backward')).toBe(true);
  expect(inside('backward', 'outer')).toBe(true);
  expect(inside('aten::randn', 'outer')).toBe(false);
  const starts = events.map(({ start }) => start);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
});

it('records memory that is allocated and freed', () => {
  const events = profiled(() => {
    randn([1024, 1024]).dispose();
  });
  const bytes = events.flatMap((event) => (event.kind === 'memory' ? [event.bytes] : []));
  expect(bytes).toContain(4_194_304);
  expect(bytes).toContain(-4_194_304);
});

it('allows one at a time; stopping ends open ranges, and a second stop returns nothing', () => {
  const profiler = new Profiler();
  open = profiler;
  expect(() => new Profiler()).toThrow('a profile is being taken already');
  profiler.range('open');
  tidy(() => randn([2]).add(1));
  expect(profiler.stop().map(({ name }) => name)).toContain('open');
  expect(profiler.running).toBe(false);
  expect(profiler.missed).toBe(0);
  profiler.endRange();
  expect(profiler.stop()).toEqual([]);
  expect(profiled(() => {}).length).toBe(0);
});

it('records up to the maximum number of operators and counts the others; always records ranges', () => {
  using profiler = new Profiler({ mostOperators: 3 });
  open = profiler;
  profiler.range('first');
  tidy(() => {
    for (let i = 0; i < 5; i++) randn([2]).dispose();
  });
  profiler.endRange();
  profiler.range('second');
  const events = profiler.stop();
  expect(events.filter(({ kind }) => kind === 'operator')).toHaveLength(3);
  expect(events.flatMap(({ kind, name }) => (kind === 'range' ? [name] : []))).toEqual([
    'first',
    'second',
  ]);
  // randnLike runs aten::randn, aten::empty and aten::normal_.
  expect(profiler.missed).toBe(5 * 3 - 3);
});
