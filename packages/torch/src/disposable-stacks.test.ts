import { describe, expect, it } from 'vitest';
import { AsyncStack, SyncStack } from './disposable-stacks.ts';

/** What a stack of this Node and Keel's own do with the same calls. */
describe.each([
  ['own', SyncStack],
  ['of this Node', globalThis.DisposableStack],
])('a stack %s', (_, Stack) => {
  it('releases in reverse order, once', () => {
    const log: string[] = [];
    const stack = new Stack();
    expect(stack.use({ [Symbol.dispose]: () => void log.push('used') })).toBeTypeOf('object');
    expect(stack.use(null)).toBeNull();
    expect(stack.adopt(7, (value) => void log.push(`adopted ${value}`))).toBe(7);
    stack.defer(() => void log.push('deferred'));
    expect(stack.disposed).toBe(false);
    stack.dispose();
    stack[Symbol.dispose]();
    expect(log).toEqual(['deferred', 'adopted 7', 'used']);
    expect(stack.disposed).toBe(true);
    expect(() => stack.defer(() => {})).toThrow(ReferenceError);
  });

  it('moves what it owns', () => {
    const log: string[] = [];
    const stack = new Stack();
    stack.defer(() => void log.push('released'));
    const moved = stack.move();
    stack.dispose();
    expect(log).toEqual([]);
    moved.dispose();
    expect(log).toEqual(['released']);
    expect(() => stack.move()).toThrow(ReferenceError);
  });

  it('releases everything even if a release throws, and reports all errors', () => {
    const stack = new Stack();
    const log: string[] = [];
    stack.defer(() => void log.push('first'));
    const [one, two] = [new Error('one'), new Error('two')];
    for (const error of [two, one]) {
      stack.defer(() => {
        throw error;
      });
    }
    expect(() => stack.dispose()).toThrow(
      expect.objectContaining({ name: 'SuppressedError', error: two, suppressed: one }),
    );
    expect(log).toEqual(['first']);
    expect(() => new Stack().use({} as Disposable)).toThrow(TypeError);
  });
});

describe.each([
  ['own', AsyncStack],
  ['of this Node', globalThis.AsyncDisposableStack],
])('an asynchronous stack %s', (_, Stack) => {
  it('awaits each release, and takes synchronous values too', async () => {
    const log: string[] = [];
    const stack = new Stack();
    stack.use({ [Symbol.dispose]: () => void log.push('synchronous') });
    const asynchronous = async (): Promise<void> => {
      log.push('begins');
      await Promise.resolve();
      log.push('ends');
    };
    stack.use({ [Symbol.asyncDispose]: asynchronous });
    const moved = stack.move();
    await stack.disposeAsync();
    expect(log).toEqual([]);
    await moved[Symbol.asyncDispose]();
    expect(log).toEqual(['begins', 'ends', 'synchronous']);
    expect(moved.disposed).toBe(true);
  });

  it('reports the error of a release', async () => {
    const stack = new Stack();
    stack.defer(() => Promise.reject(new Error('late')));
    await expect(stack.disposeAsync()).rejects.toThrow('late');
  });
});
